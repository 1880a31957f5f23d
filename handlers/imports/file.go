package imports

import (
	"bytes"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// readUpload is the list in the form's file, with a guess at its columns.
func (h *Imports) readUpload(r *web.Request) (domain.Import, error) {
	list := domain.Import{OwnerID: r.Viewer.User.ID, Status: domain.ImportChecked}
	header, err := r.FormFile("file")
	if err != nil || header.Filename == "" {
		return list, domain.Errorf(domain.Invalid, "file", "imports.file_required")
	}
	if header.Size > domain.ImportMaxBytes {
		return list, domain.Errorf(domain.Invalid, "file", "imports.file_large", "Max", domain.ImportMaxBytes>>20)
	}
	file, err := header.Open()
	if err != nil {
		return list, err
	}
	defer file.Close()
	data := make([]byte, header.Size)
	if _, err := io.ReadFull(file, data); err != nil {
		return list, err
	}
	release, err := r.Unfolding()
	if err != nil {
		return list, err
	}
	defer release()
	lines, err := linesOf(data)
	if err != nil {
		return list, err
	}
	var first []domain.ImportLine
	list.Content, list.Total, first, err = domain.PackImport(lines)
	if err != nil {
		return list, err
	}
	fields, err := h.DB.Fields().List(r.UserContext(), list.OwnerID)
	list.Mapping = domain.GuessMapping(first, fields)
	list.FileName = fileName(header.Filename)
	return list, err
}

// fileName is a name that a page can show and the database can keep.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > 100 {
		name = string(runes[:50]) + "…" + string(runes[len(runes)-49:])
	}
	return name
}

// linesOf reads a CSV or XLSX file, whatever its name says.
func linesOf(data []byte) (iter.Seq2[domain.ImportLine, error], error) {
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return sheetLines(data), nil
	case bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")): // the old XLS, or an encrypted XLSX
		return nil, domain.Errorf(domain.Invalid, "file", "imports.file_xls")
	}
	text, ok := decodeText(data)
	if !ok {
		return nil, domain.Errorf(domain.Invalid, "file", "imports.file_kind")
	}
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	comma, text := domain.GuessComma(text)
	return domain.SplitCSV(text, comma), nil
}

// decodeText knows the marks of UTF-8 and UTF-16; what is not UTF-8 is windows-1251, in which
// Russian spreadsheets write CSV. ok is false when it is no text.
func decodeText(data []byte) (text string, ok bool) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		decoded, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(data)
		return string(decoded), err == nil
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return "", false
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if utf8.Valid(data) {
		return string(data), true
	}
	decoded, err := charmap.Windows1251.NewDecoder().Bytes(data)
	return string(decoded), err == nil
}
