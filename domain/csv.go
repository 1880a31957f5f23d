package domain

import "strings"

// CSVRow is a row of a CSV file that spreadsheets open: each cell in quotes, and no text taken for a
// formula (OWASP, CSV injection). An import gives the same cells back.
func CSVRow(cells ...string) string {
	var row strings.Builder
	for i, cell := range cells {
		if i > 0 {
			row.WriteByte(',')
		}
		row.WriteByte('"')
		row.WriteString(strings.ReplaceAll(guard(cell), `"`, `""`))
		row.WriteByte('"')
	}
	row.WriteString("\r\n")
	return row.String()
}

// formula begins formulas, also as Chinese and Japanese keyboards type it. The apostrophe guards.
const formula = "=+-@\t\r'＝＋－＠"

// splits are what a spreadsheet may split a cell at that takes our comma for text.
const splits = ";\t\r\n"

// guard puts an apostrophe before whatever would begin a formula in this cell, or in one that a spreadsheet
// makes of a part of it; unguard takes it away.
func guard(cell string) string {
	if !strings.ContainsAny(cell, formula) {
		return cell
	}
	var guarded strings.Builder
	begins := true
	for _, r := range cell {
		if begins && strings.ContainsRune(formula, r) {
			guarded.WriteByte('\'')
		}
		guarded.WriteRune(r)
		begins = strings.ContainsRune(splits, r)
	}
	return guarded.String()
}

func unguard(cell string) string {
	if !strings.Contains(cell, "'") {
		return cell
	}
	var bare strings.Builder
	begins, guarded := true, false
	for i, r := range cell {
		if begins && !guarded && r == '\'' && beginsFormula(cell[i+1:]) {
			guarded = true
			continue
		}
		bare.WriteRune(r)
		begins, guarded = strings.ContainsRune(splits, r), false
	}
	return bare.String()
}

func beginsFormula(text string) bool {
	for _, r := range text {
		return strings.ContainsRune(formula, r)
	}
	return false
}
