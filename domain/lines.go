package domain

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// ImportLine is one record of a file. Line is where it starts, from 1; Problem is the locale
// key of what makes it unreadable, else "".
type ImportLine struct {
	Line    int
	Problem string
	Cells   []string
}

// What one missing quote can swallow: bytes, and other quotes, alone and in pairs. A comment of quotes
// alone, as we export it, is less.
const maxRecord, maxQuotes, maxPairs = 32 << 10, 500, 5100

// How many records of a file may have a missing quote before little is looked at for each more.
const maxUnclosed, fewQuotes = 100, 10

// SplitCSV reads text as RFC 4180 has it, with any separator and any line end, and takes
// quotes that stand in the wrong place as letters. A quote that is never closed costs its own
// line only. Empty lines are left out.
func SplitCSV(text string, comma byte) iter.Seq2[ImportLine, error] {
	return func(yield func(ImportLine, error) bool) {
		unclosed := 0
		for line := 1; text != ""; {
			cells, size := splitRecord(text, comma, unclosed < maxUnclosed)
			record := ImportLine{Line: line, Cells: cells}
			if size == 0 {
				unclosed++
				size = strings.IndexByte(text, '\n') + 1
				if size == 0 {
					size = len(text)
				}
				record = ImportLine{line, "imports.row_quote", strings.Split(strings.TrimRight(text[:size], "\r\n"), string(comma))}
			}
			line += strings.Count(text[:size], "\n")
			text = text[size:]
			if strings.TrimSpace(strings.Join(record.Cells, "")) != "" && !yield(record, nil) {
				return
			}
		}
	}
}

// splitRecord reads one record and tells its size in bytes, 0 when a quote stays open.
func splitRecord(text string, comma byte, patient bool) (cells []string, size int) {
	ends := string(comma) + "\n"
	for rest := text; ; {
		var cell string
		if strings.HasPrefix(rest, `"`) {
			length := 0
			if cell, length = splitQuoted(rest, comma, patient); length == 0 {
				return nil, 0
			}
			rest = rest[length:]
		} else {
			end := strings.IndexAny(rest, ends)
			if end < 0 {
				end = len(rest)
			}
			cell, rest = strings.TrimSuffix(rest[:end], "\r"), rest[end:]
		}
		cells = append(cells, cell)
		if rest == "" || rest[0] == '\n' {
			return cells, len(text) - len(strings.TrimPrefix(rest, "\n"))
		}
		rest = rest[1:]
	}
}

var unquote = strings.NewReplacer(`""`, `"`, "\r\n", "\n")

// splitQuoted reads a cell in quotes and tells its length, with the quotes and a CR behind
// them; 0 when it has no end.
func splitQuoted(text string, comma byte, patient bool) (cell string, length int) {
	at, mostQuotes, mostPairs := 1, maxQuotes, maxPairs
	if !patient {
		mostQuotes, mostPairs = fewQuotes, fewQuotes
	}
	for quotes, pairs := 0, 0; quotes < mostQuotes && pairs < mostPairs; quotes++ {
		next := strings.IndexByte(text[at:max(at, min(len(text), maxRecord))], '"')
		if next < 0 {
			break
		}
		end := at + next
		at = end + 1
		switch after := text[at:]; {
		case strings.HasPrefix(after, `"`):
			at++
			pairs++
			quotes--
			continue
		case strings.HasPrefix(after, "\r\n"):
			at++
		case after != "" && after[0] != comma && after[0] != '\n':
			continue
		}
		return unquote.Replace(text[1:end]), at
	}
	return "", 0
}

// GuessComma finds the separator that splits the first lines into the same number of cells.
// A first line `sep=;`, which Excel understands, decides and is cut off.
func GuessComma(text string) (comma byte, rest string) {
	if first, after, _ := strings.Cut(text, "\n"); strings.HasPrefix(first, "sep=") && len(strings.TrimSpace(first)) == 5 {
		return first[4], after
	}
	best := 0
	comma = ','
	for _, candidate := range []byte{';', ',', '\t'} {
		lines, score, width := 0, 0, 0
		for record, torn := range SplitCSV(text[:min(len(text), maxRecord)], candidate) {
			if lines++; lines > 20 || torn != nil {
				break
			}
			if width == 0 {
				width = len(record.Cells)
			}
			if width > 1 && len(record.Cells) == width {
				score += 100 + width
			}
		}
		if score > best {
			best, comma = score, candidate
		}
	}
	return comma, text
}

// maxUnpacked bounds what a small compressed file can grow to.
const maxUnpacked = 4 * ImportMaxBytes

// PackImport keeps lines, however they came, in one compact form: gzip of CSV whose first two
// columns are the line's number and problem. first are some lines to guess from. It keeps no cells of a line that
// it has gone on from.
func PackImport(lines iter.Seq2[ImportLine, error]) (content []byte, total int, first []ImportLine, err error) {
	var out bytes.Buffer
	packed, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed) // which is a level
	records, size := csv.NewWriter(packed), 0
	var record []string
	for line, err := range lines {
		if err != nil {
			return nil, 0, nil, err
		}
		line.Cells = line.Cells[:min(len(line.Cells), ImportMaxColumns)]
		for _, cell := range line.Cells {
			size += len(cell)
		}
		switch total++; {
		case total > ImportMaxRows+1: // one may be the header
			return nil, 0, nil, Errorf(Invalid, "file", "imports.rows_many", "Max", ImportMaxRows)
		case size > maxUnpacked:
			return nil, 0, nil, Errorf(Invalid, "file", "imports.file_large", "Max", ImportMaxBytes>>20)
		case total <= 20:
			first = append(first, ImportLine{line.Line, line.Problem, slices.Clone(line.Cells)})
		}
		record = append(append(record[:0], strconv.Itoa(line.Line), line.Problem), line.Cells...)
		if err := records.Write(record); err != nil {
			return nil, 0, nil, err
		}
	}
	if total == 0 {
		return nil, 0, nil, Errorf(Invalid, "file", "imports.file_empty")
	}
	records.Flush()
	if err := errors.Join(records.Error(), packed.Close()); err != nil {
		return nil, 0, nil, err
	}
	return out.Bytes(), total, first, nil
}

// UnpackImport gives the lines back.
func UnpackImport(content []byte) iter.Seq2[ImportLine, error] {
	return func(yield func(ImportLine, error) bool) {
		packed, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			yield(ImportLine{}, err)
			return
		}
		records := csv.NewReader(packed)
		records.FieldsPerRecord = -1
		for {
			record, err := records.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			var line ImportLine
			if err == nil {
				line = ImportLine{Problem: record[1], Cells: record[2:]}
				line.Line, err = strconv.Atoi(record[0])
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}
