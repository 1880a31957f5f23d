package domain

import (
	"strconv"
	"strings"
	"time"
)

// spoken is how a language writes days and numbers. A day's %d, %m and %y are its number, month and year.
type spoken struct {
	day, months        string
	thousands, decimal string
	yes, no            string
}

var spokenIn = map[string]spoken{
	"en": {"%m %d, %y", "January February March April May June July August September October November December", ",", ".", "yes", "no"},
	"ru": {"%d %m %y", "января февраля марта апреля мая июня июля августа сентября октября ноября декабря", "\u00a0", ",", "да", "нет"},
	"uk": {"%d %m %y", "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня", "\u00a0", ",", "так", "ні"},
	"be": {"%d %m %y", "студзеня лютага сакавіка красавіка мая чэрвеня ліпеня жніўня верасня кастрычніка лістапада снежня", "\u00a0", ",", "так", "не"},
	"kk": {"%y ж. %d %m", "қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша желтоқсан", "\u00a0", ",", "иә", "жоқ"},
	"de": {"%d. %m %y", "Januar Februar März April Mai Juni Juli August September Oktober November Dezember", ".", ",", "ja", "nein"},
	"fr": {"%d %m %y", "janvier février mars avril mai juin juillet août septembre octobre novembre décembre", "\u00a0", ",", "oui", "non"},
	"es": {"%d de %m de %y", "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre", ".", ",", "sí", "no"},
	"it": {"%d %m %y", "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre", ".", ",", "sì", "no"},
	"pt": {"%d de %m de %y", "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro", ".", ",", "sim", "não"},
	"pl": {"%d %m %y", "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia", "\u00a0", ",", "tak", "nie"},
	"tr": {"%d %m %y", "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık", ".", ",", "evet", "hayır"},
	"ar": {"%d %m %y", "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر", ",", ".", "نعم", "لا"},
	"he": {"%d ב%m %y", "ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר", ",", ".", "כן", "לא"},
}

// Say is a value as a reader of the language reads it, "" for an empty one.
func (f Field) Say(language string, values FieldValues) string {
	words, known := spokenIn[language]
	if !known {
		words = spokenIn["en"]
	}
	switch value := values[f.ID].(type) {
	case bool:
		if value {
			return words.yes
		}
		return words.no
	case float64:
		return words.number(value)
	case string:
		if day, err := time.Parse(time.DateOnly, value); f.Type == FieldDate && err == nil {
			return strings.NewReplacer("%d", strconv.Itoa(day.Day()), "%m", strings.Fields(words.months)[day.Month()-1], "%y", strconv.Itoa(day.Year())).Replace(words.day)
		}
		return value
	}
	return ""
}

// number parts thousands from five digits on: one of four may be a year.
func (s spoken) number(value float64) string {
	text := strconv.FormatFloat(value, 'f', -1, 64)
	whole, fraction, broken := strings.Cut(text, ".")
	digits := strings.TrimPrefix(whole, "-")
	if len(digits) > 4 {
		sign := whole[:len(whole)-len(digits)]
		var parts []string
		for ; len(digits) > 3; digits = digits[:len(digits)-3] {
			parts = append([]string{digits[len(digits)-3:]}, parts...)
		}
		whole = sign + strings.Join(append([]string{digits}, parts...), s.thousands)
	}
	if broken {
		return whole + s.decimal + fraction
	}
	return whole
}
