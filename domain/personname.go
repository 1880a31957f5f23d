package domain

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What stands around names: titles before, degrees and generations behind.
var (
	nameTitles  = strings.Fields("mr mrs ms miss mx dr prof herr frau sr sra m mme mlle г-н г-жа господин госпожа гр доктор проф д-р")
	nameSuffix  = strings.Fields("jr sr ii iii iv phd md mba esq dds cpa")
	nameLinks   = strings.Fields("van von der den de del della di da dos du la le el al bin ibn ter ten zu af av фон ван де")
	nameCompany = regexp.MustCompile(`(?i)(^|[\s«"])(ооо|оао|зао|пао|ао|ип|нко|гуп|муп|тоо|чп|llc|ltd|inc|corp|gmbh|ag|ug|kg|s\.?a\.?r?\.?l\.?|s\.?r\.?l\.?|plc|oy|ab|bv|nv|co\.|company|group|holding|компания|фирма|студия|магазин|клуб|фонд)([\s».,"]|$)`)
	patronymic  = regexp.MustCompile(`(?i)(вич|ьич|вна|чна|ична|инична|оглы|кызы|ұлы|қызы)$`)
	surname     = regexp.MustCompile(`(?i)(ова|ева|ёва|ина|ына|ая|яя|ов|ев|ёв|ин|ын|ий|ой|енко|ко|ук|юк|чук|ян|янц|дзе|швили|ич|их|ых|iç)$`)
)

// GuessName takes a full name apart; what can't be told is empty. It knows the orders of Russian lists (Иванова
// Мария Петровна, Мария Иванова), the one of the West, and turns the Turkish "Kızıl Ayşe" only where a common first
// name stands last.
func GuessName(full string) (first, last string) {
	full = strings.Join(strings.Fields(full), " ")
	if full == "" || strings.ContainsAny(full, "@&/0123456789") || nameCompany.MatchString(full) {
		return "", ""
	}
	if before, behind, ok := strings.Cut(full, ","); ok && !isSuffix(behind) { // Smith, Jane
		first, _ = split(words(behind))
		return first, strings.Join(words(before), " ")
	}
	return split(words(strings.ReplaceAll(full, ",", " ")))
}

// NameOrder says in which order the names of a list have their parts; "" is to guess for each.
type NameOrder string

// The orders of names.
const (
	FirstNameFirst NameOrder = "first_last"
	LastNameFirst  NameOrder = "last_first"
)

// split takes a full name apart that has this order.
func (o NameOrder) split(full string) (first, last string) {
	list := words(strings.ReplaceAll(full, ",", " "))
	switch {
	case len(list) == 0 || nameCompany.MatchString(full):
		return "", ""
	case o == LastNameFirst && len(list) == 1:
		return "", spelled(list[0])
	case o == LastNameFirst:
		return spelled(list[1]), spelled(list[0])
	case len(list) == 1:
		return spelled(list[0]), ""
	}
	return spelled(list[0]), family(list, len(list)-1)
}

// words are the parts of a name without titles, degrees and what stands in brackets.
func words(text string) (list []string) {
	if at := strings.IndexByte(text, '('); at > 0 {
		text = text[:at]
	}
	for word := range strings.FieldsSeq(text) {
		plain := strings.ToLower(strings.Trim(word, ".\"«»“”'"))
		if plain == "" || len(list) == 0 && slices.Contains(nameTitles, plain) || len(list) > 1 && isSuffix(word) {
			continue
		}
		list = append(list, strings.Trim(word, "\"«»“”"))
	}
	return list
}

func isSuffix(text string) bool {
	return slices.Contains(nameSuffix, strings.ToLower(strings.ReplaceAll(strings.TrimSpace(text), ".", "")))
}

func split(list []string) (first, last string) {
	switch len(list) {
	case 0:
		return "", ""
	case 1:
		if initials(list[0]) || surname.MatchString(list[0]) && !firstNames[strings.ToLower(list[0])] && cyrillic(list[0]) {
			return "", spelled(list[0])
		}
		return spelled(list[0]), ""
	}
	if first, last, ok := splitByPatronymic(list); ok {
		return first, last
	}
	a, b := list[0], list[len(list)-1]
	switch {
	case len(list) == 2 && initials(b): // Иванова М.П.
		return "", spelled(a)
	case initials(a):
		return "", family(list, 1)
	case len(list) == 2 && swapped(a, b):
		return spelled(b), spelled(a)
	}
	return spelled(a), family(list, len(list)-1)
}

// splitByPatronymic knows the orders of names with a patronymic.
func splitByPatronymic(list []string) (first, last string, ok bool) {
	at := slices.IndexFunc(list[1:], patronymicWord) + 1
	switch {
	case at == 0:
	case at == 2 && len(list) == 3, at == 3 && len(list) == 4: // Иванова Мария Петровна, Алиев Рашид Мамед оглы
		return spelled(list[1]), spelled(list[0]), true
	case at == 1 && len(list) == 3: // Мария Петровна Иванова
		return spelled(list[0]), spelled(list[2]), true
	case at == 1 && len(list) == 2 && firstNames[strings.ToLower(list[0])]: // Мария Петровна
		return spelled(list[0]), "", true
	}
	return "", "", false
}

func patronymicWord(w string) bool { return cyrillic(w) && patronymic.MatchString(w) }

// swapped reports whether the family name stands first.
func swapped(a, b string) bool {
	knownA, knownB := firstNames[strings.ToLower(a)], firstNames[strings.ToLower(b)]
	if knownA != knownB {
		return knownB
	}
	return cyrillic(a) && cyrillic(b) && !knownA && surname.MatchString(a) && !surname.MatchString(b)
}

// family is the family name that ends with the word at, with its van and de; initials between are left out.
func family(list []string, at int) string {
	for at > 1 && slices.Contains(nameLinks, strings.ToLower(list[at-1])) {
		at--
	}
	return spelled(strings.Join(list[at:], " "))
}

// initials are like "М.П." or "J.".
func initials(word string) bool {
	letters := strings.ReplaceAll(word, ".", "")
	n := utf8.RuneCountInString(letters)
	return n == 1 || n == 2 && strings.Contains(word, ".")
}

func cyrillic(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return unicode.Is(unicode.Cyrillic, r)
}

// spelled turns a word in capitals or small letters into a name.
func spelled(name string) string {
	if name != strings.ToUpper(name) && name != strings.ToLower(name) {
		return name
	}
	begins := true
	return strings.Map(func(r rune) rune {
		upper := begins
		begins = !unicode.IsLetter(r)
		if upper {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, name)
}

// firstNames are common ones, by which the order of two words is told.
var firstNames = func() map[string]bool {
	known := map[string]bool{}
	for name := range strings.FieldsSeq(`александр александра алексей алёна алена алина алиса алла анастасия анатолий ангелина андрей анна антон
		антонина арина аркадий арсений артём артем борис вадим валентин валентина валерий валерия варвара василий василиса вера вероника
		виктор виктория виталий владимир владислав вячеслав галина геннадий георгий глеб григорий дарья даниил данила денис диана дмитрий
		евгений евгения егор екатерина елена елизавета жанна зинаида зоя иван игорь илья инна инга ирина карина кирилл константин кристина
		ксения лариса лев леонид лидия лилия любовь людмила макар максим марат маргарита марина мария марк матвей михаил надежда наталия
		наталья никита николай нина оксана олег олеся ольга павел пётр петр полина раиса регина римма роман руслан светлана семён семен
		сергей софия софья станислав степан тамара татьяна тимофей тимур ульяна фёдор федор эдуард элина эльвира эмма юлия юрий яна ярослав
		айгуль айдар алия асель данияр динара ерлан жанар нурлан тимур гульнара ильдар рамиль
		ayşe fatma mehmet mustafa ahmet ali emine hatice zeynep elif hasan hüseyin murat emre can burak merve büşra esra özlem yusuf ibrahim
		osman kemal deniz selin ece cem
		anna maria jane john james mary peter paul thomas michael david sarah laura emma olivia robert william george charles susan linda
		hans peter klaus jürgen sabine petra ursula marie jean pierre luca marco giulia carlos josé juan luis carmen ana joão pedro
		jan piotr katarzyna agnieszka anna`) {
		known[name] = true
	}
	return known
}()
