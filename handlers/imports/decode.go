package imports

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	utf "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"

	"skychimp/domain"
)

// looks is what a text's bytes show.
type looks struct {
	size, nulsEven, nulsOdd int
	highOdd, highEven       int // bytes 0 to 4, which most of UTF-16 has in every second place
	controls                int // that no text has
	letters                 int // whole ones of UTF-8 beyond ASCII
	broken                  int // bytes that are none
	newlines, returns       int
	sample                  []byte // some of the words beyond ASCII, with what stands around
}

const sampleMost = 64 << 10

// look reads a text once.
func look(file io.Reader) (l looks, err error) {
	buffer := make([]byte, 64<<10)
	for carried := 0; ; {
		n, err := file.Read(buffer[carried:])
		if err != nil && !errors.Is(err, io.EOF) {
			return l, err
		}
		chunk := buffer[:carried+n]
		l.count(chunk[carried:])
		rest := l.read(chunk, n == 0)
		carried = copy(buffer, rest)
		if n == 0 {
			return l, nil
		}
	}
}

// count looks at bytes by themselves.
func (l *looks) count(chunk []byte) {
	for _, c := range chunk {
		even := l.size%2 == 0
		l.size++
		switch {
		case c == 0 && even:
			l.nulsEven++
		case c == 0:
			l.nulsOdd++
		case c == '\n':
			l.newlines++
		case c == '\r':
			l.returns++
		case c < ' ' && !strings.ContainsRune("\t\f\x1a\x1f", rune(c)):
			l.controls++
		}
		if c <= 4 && even {
			l.highEven++
		} else if c <= 4 {
			l.highOdd++
		}
	}
}

// read looks at letters; what may be the beginning of one is handed back.
func (l *looks) read(chunk []byte, last bool) (rest []byte) {
	for at := 0; at < len(chunk); {
		if chunk[at] < utf8.RuneSelf {
			at++
			continue
		}
		if !last && !utf8.FullRune(chunk[at:]) {
			return chunk[at:]
		}
		r, size := utf8.DecodeRune(chunk[at:])
		if r == utf8.RuneError && size == 1 {
			l.broken++
			if len(l.sample) < sampleMost {
				from, to := max(0, at-12), min(len(chunk), at+24)
				l.sample = append(append(l.sample, chunk[from:to]...), ' ')
				at = max(at, to-1)
			}
		} else {
			l.letters++
		}
		at += size
	}
	return nil
}

// half reports whether nearly all bytes of one half are small, and few of the other.
func (l *looks) half(small, other int) bool {
	return l.size > 3 && small*20 > l.size*7 && other*20 < l.size*3
}

// decode makes UTF-8 of a text with ends of lines as we have them. The marks of UTF-8 and UTF-16 decide; without one
// it is UTF-16 where every second byte is small, UTF-8 where nearly all letters are, and else the encoding in which
// the words are the most likely ones. A byte that is broken is one bad character.
func decode(file io.ReaderAt, size int64) (io.Reader, error) {
	whole := func() io.Reader { return io.NewSectionReader(file, 0, size) }
	l, err := look(whole())
	if err != nil {
		return nil, err
	}
	start := make([]byte, 3)
	n, _ := file.ReadAt(start, 0)
	mark := start[:n]
	var change []transform.Transformer
	switch {
	case bytes.HasPrefix(mark, []byte("\xff\xfe")), l.half(l.highOdd, l.highEven):
		change = append(change, utf.UTF16(utf.LittleEndian, utf.UseBOM).NewDecoder())
	case bytes.HasPrefix(mark, []byte("\xfe\xff")), l.half(l.highEven, l.highOdd):
		change = append(change, utf.UTF16(utf.BigEndian, utf.UseBOM).NewDecoder())
	case l.nulsEven+l.nulsOdd+l.controls > max(2, l.size/100), l.controls > 100:
		return nil, domain.Errorf(domain.Invalid, "file", "imports.file_kind")
	case bytes.HasPrefix(mark, []byte("\xef\xbb\xbf")), l.broken*3 <= l.letters:
		change = append(change, utf.BOMOverride(transform.Nop), runes.ReplaceIllFormed())
	default:
		change = append(change, likeliest(l.sample).NewDecoder())
	}
	lines := l.newlines == 0 && l.returns > 0
	if l.nulsEven+l.nulsOdd > 0 || lines {
		change = append(change, runes.Map(func(r rune) rune {
			switch {
			case r == 0:
				return utf8.RuneError
			case r == '\r' && lines:
				return '\n'
			}
			return r
		}))
	}
	if l.newlines > 0 && l.returns == 2*l.newlines { // CR CR LF: somebody wrote CR LF as a text
		change = append(change, runes.Remove(runes.Predicate(func(r rune) bool { return r == '\r' })))
	}
	return transform.NewReader(whole(), transform.Chain(change...)), nil
}

// likeliest is the encoding of one byte for a letter in which these words look most like ones.
func likeliest(sample []byte) encoding.Encoding {
	best, most := charmap.Windows1251, score(charmap.Windows1251, sample)
	for _, other := range []*charmap.Charmap{charmap.CodePage866, charmap.KOI8R, charmap.Windows1252, charmap.Macintosh, charmap.MacintoshCyrillic} {
		if points := score(other, sample); points > most {
			best, most = other, points
		}
	}
	return best
}

// commonPairs are the pairs in which most Russian letters stand.
var commonPairs = func() map[[2]rune]bool {
	pairs := map[[2]rune]bool{}
	for pair := range strings.FieldsSeq(`ст но то на ен ов ни ра во ко ро ос пр по ре ер ве ло ал ри ел ли ан ор ми ат ол ти ва ка ле та де од ом го об ог
		ск ие ия ий ые ый ая ев ин ив ар ма ме не ки ть ас са се из ис ам им ей ой ых ич вн ну да ди ви ет ес чт ны ок ль па ру за тр ил мя им фи оч чт
		ег ся лю юд дм ми га ле кс нд ей ий гр ол лг ьг на та тя ян`) {
		r := []rune(pair)
		pairs[[2]rune{r[0], r[1]}] = true
	}
	return pairs
}()

// Letters of which most Russian texts are, those of which few are, and those of its neighbours; and of the West.
const (
	commonLetters  = "оеаинтсрвлкмдпуя"
	rareLetters    = "ъэфщёц"
	nearLetters    = "іїєґўқғңөүұһә"
	westernLetters = "äöüßéèêëáàâåãçñíìîïóòôõøúùûæœýÿłšž"
	quoteSigns     = "«»–—“”„’‘№…°§€£©®\u00a0"
)

// score is how likely a text is in an encoding.
func score(in *charmap.Charmap, sample []byte) (points int) {
	before := ' '
	for _, c := range sample {
		r := in.DecodeByte(c)
		points += likely(before, r)
		before = r
	}
	return points
}

// likely says how often a letter stands behind another one.
func likely(before, r rune) (points int) {
	cyrillic, latin := unicode.Is(unicode.Cyrillic, r), unicode.Is(unicode.Latin, r)
	switch {
	case r < utf8.RuneSelf && !latin:
		return 0
	case cyrillic && unicode.Is(unicode.Latin, before), latin && unicode.Is(unicode.Cyrillic, before):
		return -20 // two alphabets in one word
	case unicode.IsUpper(r) && unicode.IsLower(before):
		points = -10
	case unicode.IsUpper(r) && unicode.IsUpper(before):
		points = -1
	}
	switch {
	case cyrillic:
		return points + likelyCyrillic(before, unicode.ToLower(r))
	case latin && r >= utf8.RuneSelf:
		return points + likelyWestern(before, unicode.ToLower(r))
	case latin:
		return points
	case strings.ContainsRune(quoteSigns, r):
		return points - 1
	}
	return points - 10 // boxes, controls, and what is no character
}

func likelyCyrillic(before, small rune) int {
	switch {
	case commonPairs[[2]rune{unicode.ToLower(before), small}]:
		return 5
	case strings.ContainsRune(commonLetters, small):
		return 2
	case strings.ContainsRune(rareLetters, small):
		return -2
	case (small < 'а' || small > 'я') && !strings.ContainsRune(nearLetters, small):
		return -5
	}
	return 0
}

func likelyWestern(before, small rune) (points int) {
	points = 3
	if before >= utf8.RuneSelf && unicode.IsLetter(before) {
		points -= 9 // few words have two in a row
	}
	if !strings.ContainsRune(westernLetters, small) {
		points -= 4
	}
	return points
}
