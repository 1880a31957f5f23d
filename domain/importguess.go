package domain

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// GuessMapping finds out which line names the columns, and what these mean: the addresses are where the cells hold
// them, the rest is where the whole name of a column says so, in English or Russian. lines are the first of a sheet,
// fields the owner's. A column that is named as an export names it, or as a field is called, is that.
func GuessMapping(lines []ImportLine, fields []Field) ImportMapping {
	m := ImportMapping{Columns: []string{}}
	if len(lines) == 0 {
		return m
	}
	g := guess{fields: fields}
	m.Above, m.Header = g.header(lines)
	rows := lines
	if m.Header {
		g.names, rows = lines[m.Above].Cells, lines[m.Above+1:]
	}
	width := len(g.names)
	for _, line := range rows {
		width = max(width, len(line.Cells))
	}
	m.Columns = make([]string, width)
	g.columns = make([]column, width)
	for i := range g.columns {
		g.columns[i] = columnOf(rows, i)
	}
	g.byNames(m.Columns)
	g.oneName(m.Columns)
	g.addresses(m.Columns)
	if !m.Header {
		g.bareNames(m.Columns)
	}
	m.Dates = datesOf(rows)
	return m
}

// column is what the first cells of one hold.
type column struct {
	cells     []string // without the empty ones
	addresses int
}

func columnOf(rows []ImportLine, at int) (c column) {
	for _, line := range rows {
		if at >= len(line.Cells) {
			continue
		}
		if cell := strings.TrimSpace(line.Cells[at]); cell != "" {
			c.cells = append(c.cells, cell)
			if hasAddress(cell) {
				c.addresses++
			}
		}
	}
	return c
}

// guess is what a list shows.
type guess struct {
	fields  []Field
	names   []string // of the columns
	columns []column
}

// header finds the line that names the columns, above the first one with an address: the one with the most names
// that are known, else the first of the widest ones.
func (g *guess) header(lines []ImportLine) (above int, found bool) {
	first := slices.IndexFunc(lines, func(line ImportLine) bool { return slices.ContainsFunc(line.Cells, hasAddress) })
	if first < 0 {
		first = min(len(lines), 20)
	}
	best := -1
	for i, line := range lines[:first] {
		score := 0
		for _, cell := range line.Cells {
			if strings.TrimSpace(cell) != "" {
				score++
			}
			if g.meaning(cell) != "" || namesAddresses(cell) {
				score += 1000
			}
		}
		if score > best {
			above, best = i, score
		}
	}
	return above, first > 0
}

// meaning is what a column is by its whole name, "" where that says nothing.
func (g *guess) meaning(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if slices.Contains(ImportFields(), name) {
		return name
	}
	for _, f := range g.fields {
		if name == f.Key || name == strings.ToLower(f.Label) {
			return f.Name()
		}
	}
	return columnNames[headerWords(name)]
}

// byNames reads the names of the columns; fields and names have one each.
func (g *guess) byNames(columns []string) {
	for i, name := range g.names {
		switch meaning := g.meaning(name); meaning {
		case "email": // the cells say
		case columnStatus, columnSubscribed:
			if g.columns[i].speaksOfStatus(meaning) {
				columns[i] = meaning
			}
		case "comment", "tags":
			columns[i] = meaning
		default:
			if !slices.Contains(columns, meaning) {
				columns[i] = meaning
			}
		}
	}
}

// speaksOfStatus reports whether some cells are known words for who gets no emails, and all others for who does.
func (c column) speaksOfStatus(meaning string) bool {
	for _, cell := range c.cells {
		if _, known := readStatus(cell, meaning); !known {
			return false
		}
	}
	return len(c.cells) > 0
}

// nameOr is what a column called Name or Имя means: beside a column of family names the first name.
const nameOr = "name?"

// plainName says what a column is that is only called so.
func plainName(columns []string) {
	i := slices.Index(columns, nameOr)
	switch {
	case i < 0:
	case slices.Contains(columns, "last_name") && !slices.Contains(columns, "first_name"):
		columns[i] = "first_name"
	case !slices.Contains(columns, "full_name"):
		columns[i] = "full_name"
	default:
		columns[i] = ""
	}
}

// oneName leaves either the full name or its parts, whichever more lines have; an export of ours has both on purpose.
func (g *guess) oneName(columns []string) {
	plainName(columns)
	full, first, last := slices.Index(columns, "full_name"), slices.Index(columns, "first_name"), slices.Index(columns, "last_name")
	if full < 0 || first < 0 && last < 0 || g.exported() {
		return
	}
	drop := []string{"full_name"}
	if first < 0 || g.filled(first, last) < g.filled(full) {
		drop = []string{"first_name", "middle_name", "last_name"}
	}
	for i, meaning := range columns {
		if slices.Contains(drop, meaning) {
			columns[i] = ""
		}
	}
}

// exported reports whether the columns are named as an export of ours names the full name and its parts.
func (g *guess) exported() bool {
	return slices.Contains(g.names, "full_name") && slices.Contains(g.names, "first_name") && slices.Contains(g.names, "last_name")
}

// filled is the number of cells with text in that of the columns which has the most; a column below 0 is none.
func (g *guess) filled(columns ...int) (most int) {
	for _, i := range columns {
		if i >= 0 {
			most = max(most, len(g.columns[i].cells))
		}
	}
	return most
}

// addresses are in the columns whose cells hold them, or where no cell does in the first that is named so. Those of
// somebody else, such as the client's manager, count where there are no others.
func (g *guess) addresses(columns []string) {
	for _, strangers := range []bool{false, true} {
		for i := range g.columns {
			if columns[i] == "" && g.holdsAddresses(i) && (strangers || !namesStranger(g.name(i))) {
				columns[i] = "email"
			}
		}
		if slices.Contains(columns, "email") {
			return
		}
	}
	if i := g.someAddress(columns); i >= 0 {
		columns[i] = "email"
	}
}

// name is what the column is called, "" where nothing names it.
func (g *guess) name(column int) string {
	if column < len(g.names) {
		return g.names[column]
	}
	return ""
}

// holdsAddresses reports whether most cells of a column have addresses, or some cells of one that is named so.
func (g *guess) holdsAddresses(column int) bool {
	c := g.columns[column]
	return c.addresses*2 > len(c.cells) || c.addresses > 0 && namesAddresses(g.name(column))
}

// someAddress is the first column with any address, else the first free one that is named so, else -1.
func (g *guess) someAddress(columns []string) int {
	if i := slices.IndexFunc(g.columns, func(c column) bool { return c.addresses > 0 }); i >= 0 {
		return i
	}
	for i, name := range g.names {
		if columns[i] == "" && namesAddresses(name) && !namesStranger(name) {
			return i
		}
	}
	return -1
}

// bareNames are in the first column without a name whose cells are words that can be a person's name.
func (g *guess) bareNames(columns []string) {
	for i, c := range g.columns {
		if columns[i] == "" && len(c.cells) > 0 && !slices.ContainsFunc(c.cells, func(cell string) bool {
			first, last := GuessName(cell)
			return first+last == "" || len(strings.Fields(cell)) > 4
		}) {
			columns[i] = "full_name"
			return
		}
	}
}

// hasAddress reports whether a cell is an address, or several, with or without a name beside.
func hasAddress(cell string) bool {
	if !strings.Contains(cell, "@") {
		return false
	}
	var p ValidationErrors
	for _, one := range mailboxes(cell) {
		checkEmail(&p, "email", NormalEmail(one.Email))
	}
	return len(p) == 0
}

var inBrackets = regexp.MustCompile(`\([^)]*\)|\[[^]]*\]`)

// headerWords are the words of a column's name, without signs and what stands in brackets.
func headerWords(name string) string {
	name = strings.ReplaceAll(inBrackets.ReplaceAllString(strings.ToLower(name), " "), "ё", "е")
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	text := " " + strings.Join(words, " ") + " "
	text = strings.ReplaceAll(text, " e mail ", " email ")
	return strings.TrimSpace(strings.ReplaceAll(text, " ф и о ", " фио "))
}

// hasWord reports whether one of the words stands in a column's name.
func hasWord(name string, words ...string) bool {
	return slices.ContainsFunc(strings.Fields(headerWords(name)), func(word string) bool { return slices.Contains(words, word) })
}

func namesAddresses(name string) bool {
	return hasWord(name, "email", "emails", "mail", "почта", "почты", "емейл", "емайл", "имейл", "мейл") &&
		!hasWord(name, "label", "type", "тип", "status", "статус", "display", "name", "list", "subject", "тема", "дата", "date")
}

func namesStranger(name string) bool {
	return hasWord(name, "manager", "assistant", "owner", "sender", "creator", "created", "responsible", "referred", "spouse", "partner",
		"менеджер", "менеджера", "помощник", "помощника", "ассистент", "ассистента", "секретарь", "ответственный", "ответственного",
		"руководитель", "руководителя", "отправитель", "автор", "создал", "кем", "display", "name")
}

// columnNames are the whole names that columns have in the lists of other programs, as headerWords has them.
var columnNames = func() map[string]string {
	known := map[string]string{}
	for meaning, names := range map[string]string{
		"email": "email, email address, mail, почта, электронная почта, эл почта, адрес электронной почты, адрес эл почты",
		nameOr:  "name, имя, ваше имя",
		"full_name": `full name, fullname, contact, contact name, client, client name, customer, customer name, subscriber, subscriber name,
			recipient, recipient name, person, фио, фио клиента, фио контакта, полное имя, полное имя контакта, имя и фамилия, фамилия и имя,
			имя фамилия, фамилия имя, фамилия имя отчество, имя отчество фамилия, имя клиента, имя контакта, имя подписчика, имя получателя,
			клиент, контакт, контактное лицо, подписчик, получатель, покупатель, контрагент, наименование, полное наименование, название контакта`,
		"first_name":  "first name, firstname, first, given name, given, fname, forename, merge1 first name",
		"middle_name": "middle name, middlename, middle, additional name, second name, patronymic, отчество",
		"last_name":   "last name, lastname, last, family name, family, surname, lname, фамилия",
		"comment":     "comment, comments, note, notes, remark, remarks, description, комментарий, комментарии, примечание, примечания, заметка, заметки, описание",
		"tags": `tag, tags, label, labels, group, groups, group membership, segment, segments, category, categories, тег, теги, тэг, тэги, метка,
			метки, группа, группы, группа контактов, сегмент, сегменты, категория, категории`,
		columnStatus: `status, suppressed, suppression, email status, email availability, availability, subscription status, subscriber status, email marketing status, contact status,
			marketing status, unsubscribed, unsubscribe, opted out, opt out, email opt out, has opted out of email, bounced, blocklisted, blacklisted,
			email blocklisted, email blacklisted, unsub time, clean time, unsubscribed at, статус, статус email, статус подписки, статус подписчика, состояние,
			отписан, отписался, отписка, дата отписки, отказ от рассылки, отказ от рассылок`,
		columnSubscribed: `subscribed, opt in, optin, opted in, email opt in, accepts marketing, accepts email marketing, email subscription, newsletter,
			подписан, подписка, подписка на рассылку, согласие на рассылку, рассылка, получает рассылку`,
	} {
		for name := range strings.SplitSeq(names, ",") {
			known[strings.Join(strings.Fields(name), " ")] = meaning
		}
	}
	return known
}()

// slashDate is 1/5/2026, which is May in one country and January in another.
var slashDate = regexp.MustCompile(`^(\d{1,2})[/-](\d{1,2})[/-](\d{4})( .*)?$`)

// datesOf finds the order of such dates where one of them can be but the one; "" where there are none, or both.
func datesOf(rows []ImportLine) (order ImportDates) {
	for _, line := range rows {
		for _, cell := range line.Cells {
			parts := slashDate.FindStringSubmatch(strings.TrimSpace(cell))
			if parts == nil {
				continue
			}
			found := ImportDates("")
			if len(parts[1]) == 2 && parts[1] > "12" {
				found = DayFirst
			} else if len(parts[2]) == 2 && parts[2] > "12" {
				found = MonthFirst
			}
			if found != "" && order != "" && found != order {
				return ""
			}
			if found != "" {
				order = found
			}
		}
	}
	return order
}

// HasSlashDates reports whether a line has a date like 05/01/2026.
func HasSlashDates(lines []ImportLine) bool {
	return slices.ContainsFunc(lines, func(line ImportLine) bool {
		return slices.ContainsFunc(line.Cells, func(cell string) bool { return slashDate.MatchString(strings.TrimSpace(cell)) })
	})
}

// date turns such a date round into one that is read the same everywhere.
func (d ImportDates) date(text string) string {
	parts := slashDate.FindStringSubmatch(text)
	switch {
	case parts == nil:
		return text
	case d == DayFirst:
		return parts[1] + "." + parts[2] + "." + parts[3]
	case d == MonthFirst:
		return parts[2] + "." + parts[1] + "." + parts[3]
	}
	return text
}

// GuessSheet is the sheet to begin with: the first one with an address, else the first with any text.
func GuessSheet(sheets [][]ImportLine) int {
	at := slices.IndexFunc(sheets, func(lines []ImportLine) bool {
		return slices.ContainsFunc(lines, func(line ImportLine) bool { return slices.ContainsFunc(line.Cells, hasAddress) })
	})
	if at < 0 {
		at = slices.IndexFunc(sheets, func(lines []ImportLine) bool { return len(lines) > 0 })
	}
	return max(0, at)
}

// fewValues is how many different texts make a choice.
const fewValues = 12

// GuessFieldType is the type of a field that holds these cells.
func GuessFieldType(cells []string, dates ImportDates) FieldType {
	different, filled := countTexts(cells)
	switch {
	case allOf(different, FieldYesNo, dates) && (len(different) > 1 || different["1"]+different["0"] == 0):
		return FieldYesNo
	case allOf(different, FieldDate, dates):
		return FieldDate
	case allOf(different, FieldNumber, dates) && !codes(different):
		return FieldNumber
	case len(different) > 1 && len(different) <= fewValues && filled >= 3*len(different) && shortTexts(different):
		return FieldChoice
	}
	return FieldText
}

// countTexts counts how many cells have each text, in lower case, and how many have any.
func countTexts(cells []string) (different map[string]int, filled int) {
	different = map[string]int{}
	for _, cell := range cells {
		if cell = strings.TrimSpace(cell); cell != "" {
			different[strings.ToLower(cell)]++
			filled++
		}
	}
	return different, filled
}

// allOf reports whether there are texts and a field of the type takes each of them.
func allOf(texts map[string]int, kind FieldType, dates ImportDates) bool {
	for text := range texts {
		if _, err := (Field{Type: kind}).Parse(dates.date(text)); err != nil {
			return false
		}
	}
	return len(texts) > 0
}

// codes are numbers that nobody counts with: of telephones, post, and accounts.
func codes(texts map[string]int) bool {
	for text := range texts {
		if strings.HasPrefix(text, "+") || len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9' || len(text) >= 10 && strings.Trim(text, "0123456789") == "" {
			return true
		}
	}
	return false
}

func shortTexts(texts map[string]int) bool {
	for text := range texts {
		if len(text) > 60 {
			return false
		}
	}
	return true
}
