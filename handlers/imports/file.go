package imports

import (
	"archive/zip"
	"bytes"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// upload keeps the list in the form's file, with a guess at its columns.
func (h *Imports) upload(r *web.Request) (domain.Import, error) {
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
	release, err := r.Unfolding()
	if err != nil {
		return list, err
	}
	defer release()
	read, err := readFile(file, header.Size)
	if err != nil {
		return list, err
	}
	list.FileName = fileName(header.Filename)
	return list, h.DB.Imports().Create(r.UserContext(), &list, read.lines, read.sheets...)
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

// listFile is a list that is read when its lines are asked for, once.
type listFile struct {
	lines  iter.Seq2[domain.ImportLine, error]
	sheets []string // the names of a workbook's
}

// readFile reads CSV, XLSX, and the HTML and XML that programs call XLS, whatever the file's name says.
func readFile(file io.ReaderAt, size int64) (listFile, error) {
	start := make([]byte, 8)
	n, _ := file.ReadAt(start, 0)
	switch start = start[:n]; {
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return openBook(file, size)
	case bytes.HasPrefix(start, []byte("\xd0\xcf\x11\xe0")), bytes.HasPrefix(start, []byte("\x09\x08\x10\x00")), bytes.HasPrefix(start, []byte("\x09\x04\x06\x00")):
		return listFile{}, domain.Errorf(domain.Invalid, "file", "imports.file_xls") // BIFF of some age, or an encrypted XLSX
	case bytes.HasPrefix(start, []byte("%PDF")):
		return listFile{}, domain.Errorf(domain.Invalid, "file", "imports.file_kind")
	}
	text, err := decode(file, size)
	if err != nil {
		return listFile{}, err
	}
	prefix := make([]byte, textPrefix)
	n, err = io.ReadFull(text, prefix)
	if err != nil && n == 0 {
		return listFile{}, domain.Errorf(domain.Invalid, "file", "imports.file_empty")
	}
	first := string(prefix[:n])
	switch begins := strings.ToLower(strings.TrimSpace(first[:min(n, 2000)])); {
	case strings.HasPrefix(begins, "begin:vcard"):
		return listFile{}, domain.Errorf(domain.Invalid, "file", "imports.file_vcard")
	case strings.HasPrefix(begins, "<"):
		return listFile{lines: tableLines(io.MultiReader(strings.NewReader(first), text))}, nil
	}
	comma, first := domain.GuessComma(first)
	return listFile{lines: domain.SplitCSV(io.MultiReader(strings.NewReader(first), text), comma)}, nil
}

// textPrefix is how much of a text is looked at before it is read.
const textPrefix = 32 << 10

// otherBook says what to do with a ZIP that is no XLSX: OpenDocument, XLSB, Numbers.
func otherBook(parts map[string]*zip.File) error {
	for _, name := range []string{"content.xml", "xl/workbook.bin", "index/document.iwa"} {
		if parts[name] != nil {
			return domain.Errorf(domain.Invalid, "file", "imports.file_other")
		}
	}
	return nil
}
