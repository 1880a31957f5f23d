package handlers

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"skychimp/domain"
)

// upload posts a file as the import form does.
func (b *browser) upload(path, name string, file []byte) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = part.Write(file)
	if err := form.Close(); err != nil {
		b.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(b.t.Context(), "POST", b.base+path, &body)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header = b.header.Clone()
	request.Header.Set("Content-Type", form.FormDataContentType())
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	answered, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{response, string(answered)}
}

// uploaded uploads a list that is taken, and answers the address of its import.
func (b *browser) uploaded(name string, file []byte) string {
	b.t.Helper()
	path := b.upload("/clients/import", name, file).is(b.t, 303).Header.Get("Location")
	if !strings.HasPrefix(path, "/clients/import/") {
		b.t.Fatalf("leads to %q", path)
	}
	return path
}

// start begins the import and does the queue's work.
func (w *env) start(t *testing.T, b *browser, path string, values ...string) {
	t.Helper()
	b.post(path, append([]string{"do", "start"}, values...)...).leads(t, path)
	id, err := strconv.ParseInt(path[strings.LastIndexByte(path, '/')+1:], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.db.Imports().Run(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

func sheet(t *testing.T, rows ...[]any) []byte {
	t.Helper()
	book := excelize.NewFile()
	defer book.Close()
	if _, err := book.NewSheet("Second"); err != nil { // the first is empty
		t.Fatal(err)
	}
	for i, row := range rows {
		if err := book.SetSheetRow("Second", fmt.Sprint("A", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := book.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const russianList = "Почта;ФИО;Примечание;Теги\nИван@example.com;Иван Петров;Любит чай;vip\nanna@example.com;\"Анна; Ивановна\";;новости\n"

func TestImportFormats(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	encoded := func(text string, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return []byte(text)
	}
	separated := func(by string) []byte {
		text := strings.ReplaceAll(russianList, `"Анна; Ивановна"`, "#")
		return []byte(strings.ReplaceAll(strings.ReplaceAll(text, ";", by), "#", "Анна; Ивановна"))
	}
	for name, file := range map[string][]byte{
		"UTF-8":            []byte(russianList),
		"UTF-8 with mark":  []byte("\ufeff" + russianList),
		"windows-1251":     encoded(charmap.Windows1251.NewEncoder().String(russianList)),
		"UTF-16":           encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(russianList)),
		"CRLF":             []byte(strings.ReplaceAll(russianList, "\n", "\r\n")),
		"old Mac":          []byte(strings.ReplaceAll(russianList, "\n", "\r")),
		"tabs":             separated("\t"),
		"commas":           separated(","),
		"named separator":  []byte("sep=;\r\n" + russianList),
		"no last line end": []byte(strings.TrimSpace(russianList)),
		"XLSX": sheet(t, []any{"Почта", "ФИО", "Примечание", "Теги"}, []any{"Иван@example.com", "Иван Петров", "Любит чай", "vip"},
			[]any{}, []any{"anna@example.com", "Анна; Ивановна", "", "новости"}),
	} {
		t.Run(name, func(t *testing.T) {
			path := b.uploaded("list.csv", file)
			b.get(path).is(t, 200, `<option value="email" selected>`, `<option value="full_name" selected>`,
				`<option value="comment" selected>`, `<option value="tags" selected>`, "Любит чай", "Анна; Ивановна", "<strong>2</strong><span>New")
			w.start(t, b, path, "columns", "email", "columns", "full_name", "columns", "comment", "columns", "tags", "header", "yes")
			b.get(path).is(t, 200, "<strong>2</strong><span>New", "<strong>0</strong><span>With errors")
			b.get("/clients?q=anna").is(t, 200, "Анна; Ивановна", `>новости</a>`)
			b.get("/clients?q=любит").is(t, 200, "Иван Петров", "Любит чай")
			b.post(path+"/undo").leads(t, path)
			b.get(path).is(t, 200, "This import was undone")
		})
	}
	if _, total, err := w.db.Clients().List(t.Context(), user.ID, everybody); err != nil || total != 0 {
		t.Errorf("%d clients are left, %v", total, err)
	}
}

func TestImportRefusedFiles(t *testing.T) {
	w := newEnv(t)
	_, b := w.owner(t, "ann")
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"nothing":       {nil, "The file has no rows."},
		"empty lines":   {[]byte("\n\n \t\n,,\n"), "The file has no rows."},
		"a picture":     {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00"), "neither a CSV nor an XLSX"},
		"an old XLS":    {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "old XLS file"},
		"a broken XLSX": {[]byte("PK\x03\x04 torn"), "This XLSX file can&#39;t be read."},
		"half an XLSX":  {sheet(t, []any{"a@x.org"})[:3000], "This XLSX file can&#39;t be read."},
		"an empty XLSX": {sheet(t), "The file has no rows."},
		"too large":     {make([]byte, 61<<20), "larger than 60 MB"},
		"too long":      {bytes.Repeat([]byte("a@x.org\n"), 1_000_002), "more than 1,000,000 rows"},
	} {
		t.Run(name, func(t *testing.T) {
			b.upload("/clients/import", "list", test.file).is(t, 422, "<html", test.want, `aria-invalid="true"`, `aria-describedby="field-file-problem`)
		})
	}
	b.post("/clients/import").is(t, 422, "Choose a file.")
	b.upload("/clients/import", "", []byte("a@x.org")).is(t, 422, "Choose a file.")
}

func TestImportSteps(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	known := w.client(t, user.ID, "known@example.com")
	path := b.uploaded("spring <list>.csv", []byte("one,who,x\nNew,new@example.com,1\nKnown,KNOWN@example.com,2\nBad,nobody,3\nTwice,new@example.com,4\n,\"open@example.com,5\n"))
	b.get("/clients/import").is(t, 200, path, "spring &lt;list&gt;.csv", "Not started")
	b.get(path).is(t, 200, "<strong>1</strong><span>New", "<strong>1</strong><span>Unchanged", "<strong>3</strong><span>With errors",
		"Same address as row 2.", "full email address", "A quotation mark in this row is never closed.")
	b.post(path, "do", "check", "columns", "full_name", "columns", "", "header", "yes", "tags", "kept tag").
		is(t, 422, "Choose the column with email addresses.", `aria-invalid="true"`, `value="kept tag"`)
	b.post(path, "do", "start", "columns", "owner_id", "columns", "email").is(t, 422, "isn&#39;t in the file")
	b.post(path, "do", "check", "columns", "full_name", "columns", "email", "header", "yes", "tags", "spring").leads(t, path)
	b.get(path).is(t, 200, "<strong>1</strong><span>Changed", `value="spring"`)
	if a := b.htmx().post(path, "do", "check", "columns", "comment", "columns", "email", "columns", "", "header", "yes").is(t, 200, `<div id="import"`); strings.Contains(a.body, "<html") {
		t.Error("htmx gets the whole page")
	}
	start := []string{"do", "start", "columns", "full_name", "columns", "email", "header", "yes", "tags", "spring"}
	b.post(path, start...).leads(t, path)
	b.post(path, start...).leads(t, path) // a second click
	b.get(path).is(t, 200, "Importing…", `<meta http-equiv="refresh"`, `hx-trigger="every 1s"`)
	b.htmx().get(path).is(t, 200, "0 of 5 rows", `hx-trigger="every 1s"`)
	b.post(path+"/undo").is(t, 409)
	id, _ := strconv.ParseInt(path[len("/clients/import/"):], 10, 64)
	if err := w.db.Imports().Run(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	a := b.htmx().get(path).is(t, 286, "<strong>1</strong><span>New", "<strong>1</strong><span>Changed", "<strong>3</strong><span>With errors", "3 rows skipped", "nobody")
	if strings.Contains(a.body, "every 1s") {
		t.Error("polling goes on")
	}
	b.with("Accept-Language", "ru").get(path).is(t, 200, "full email address") // the account's language counts
	if c, err := w.db.Clients().Get(t.Context(), user.ID, known.ID); err != nil || len(c.Tags) != 2 || c.FullName != "Known" {
		t.Errorf("%+v, %v", c, err)
	}
	b.post(path+"/undo").leads(t, path)
	b.get(path).is(t, 200, "Clients deleted: 1", "This import was undone")
	b.post(path+"/undo").is(t, 409)
}

// A column can mean a field, or a new one that is made for it; the names of columns say which.
func TestImportOfFields(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	city := w.field(t, user.ID, "City", "text", "")
	known := w.client(t, user.ID, "known@example.com")
	path := b.uploaded("list.csv", []byte("email,CITY,Points,Born,Имя\nnew@example.com,Sofia,\"1 234,5\",31.05.1990,Анна\nknown@example.com,,7,,\nbad@example.com,,much,,\n"))
	b.get(path).is(t, 200, `<option value="field.city" selected>`, `<optgroup label="New field">`, `<option value="new.number">`, "Date (looks like it)")
	columns := []string{"header", "yes", "columns", "email", "columns", "field.city", "columns", "new.number", "columns", "new.date", "columns", "first_name"}
	b.post(path, append(columns, "do", "check")...).leads(t, path)
	b.get(path).is(t, 200, `<option value="field.points" selected>`, `<option value="field.born" selected>`, "Points: enter a number")
	list, err := w.db.Fields().List(t.Context(), user.ID)
	if err != nil || len(list) != 3 || list[1].Type != domain.FieldNumber || list[1].Label != "Points" {
		t.Fatalf("%+v, %v", list, err)
	}
	w.start(t, b, path, "header", "yes", "columns", "email", "columns", "field.city", "columns", "field.points", "columns", "field.born", "columns", "first_name")
	got, _, err := w.db.Clients().List(t.Context(), user.ID, everybody)
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, c := range got {
		want := domain.FieldValues{list[1].ID: 7.0}
		if c.ID != known.ID {
			want = domain.FieldValues{city.ID: "Sofia", list[1].ID: 1234.5, list[2].ID: "1990-05-31"}
			if c.FullName != "Анна" {
				t.Errorf("%+v", c)
			}
		}
		if !maps.Equal(c.Fields, want) {
			t.Errorf("%s has %v, want %v", c.Email, c.Fields, want)
		}
	}
}

func TestImportForeign(t *testing.T) {
	w := newEnv(t)
	_, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	path := b.uploaded("list.csv", []byte("a@example.com\n"))
	other.get(path).is(t, 404)
	other.post(path, "do", "start", "columns", "email").is(t, 404)
	other.post(path, "do", "check", "columns", "").is(t, 404)
	other.post(path+"/undo").is(t, 404)
	other.get("/clients/import/abc").is(t, 404)
	b.get(path).is(t, 200, "Not started")
}

// What an export writes, an import reads.
func TestImportOfExport(t *testing.T) {
	w := newEnv(t)
	ann, b := w.owner(t, "ann")
	bob, other := w.owner(t, "bob")
	before := domain.Client{OwnerID: ann.ID}
	if err := before.Change(domain.ClientForm{Email: "+tag@example.com", FullName: "=Иван", Comment: "- a\n- \"b\"", Tags: "vip,новости"}); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Clients().Create(t.Context(), &before); err != nil {
		t.Fatal(err)
	}
	path := other.uploaded("clients.csv", []byte(b.get("/clients/export.csv").is(t, 200).body))
	columns := []string{}
	for _, column := range []string{"email", "full_name", "comment", "tags", "", "", ""} {
		columns = append(columns, "columns", column)
	}
	other.get(path).is(t, 200, "<strong>1</strong><span>New")
	w.start(t, other, path, append(columns, "header", "yes")...)
	got, _, err := w.db.Clients().List(t.Context(), bob.ID, everybody)
	if err != nil || len(got) != 1 || got[0].Email != before.Email || got[0].FullName != before.FullName ||
		got[0].Comment != before.Comment || strings.Join(got[0].Tags, "|") != "vip|новости" {
		t.Errorf("%+v, %v", got, err)
	}
}

// What a page of an import asks about a list: which sheet, which line names the columns, in which order names and dates
// are, and whether a line can be several clients. A field of a few texts is a choice of them.
func TestImportQuestions(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	book := excelize.NewFile()
	defer book.Close()
	for _, name := range []string{"Clients", "Old"} {
		if _, err := book.NewSheet(name); err != nil {
			t.Fatal(err)
		}
	}
	for cell, text := range map[string]any{"Sheet1!A1": "Our list of May", "Old!A1": "email", "Old!A2": "old@example.com",
		"Clients!A1": "List of clients", "Clients!A2": "ФИО", "Clients!B2": "Email", "Clients!C2": "Size", "Clients!D2": "Born", "Clients!E2": "Other email",
		"Clients!A3": "Kızıl Ayşe", "Clients!B3": "a@example.com", "Clients!C3": "S", "Clients!D3": "05/01/1990", "Clients!E3": "a2@example.com",
		"Clients!A4": "Иванова Мария Петровна", "Clients!B4": "", "Clients!C4": "M", "Clients!D4": "05/01/1991", "Clients!E4": "b@example.com"} {
		sheet, at, _ := strings.Cut(cell, "!")
		if err := book.SetCellValue(sheet, at, text); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if err := book.Write(&file); err != nil {
		t.Fatal(err)
	}
	path := b.uploaded("clients.xlsx", file.Bytes())
	b.get(path).is(t, 200, `<option value="1" selected>Clients (4 rows)`, "Old (2 rows)", `<option value="2" selected>In row 2`, "Add a client for each address", "Order of names",
		"Dates like 05/01/2026", "<strong>2</strong><span>New", "Ayşe")
	b.post(path, "do", "check", "sheet", "2", "columns", "full_name").leads(t, path)
	b.get(path).is(t, 200, `<option value="2" selected>Old`, "old@example.com", "<strong>1</strong><span>New")
	b.post(path, "do", "start", "sheet", "1", "columns", "").leads(t, path) // another sheet is only shown
	b.get(path).is(t, 200, "Not started", "<strong>2</strong><span>New")
	all := []string{"sheet", "1", "header", "2", "columns", "full_name", "columns", "email", "columns", "new.choice", "columns", "new.date", "columns", "email"}
	b.post(path, append(all, "do", "check")...).leads(t, path)
	b.get(path).is(t, 200, "Born: enter a date", "<strong>2</strong><span>With errors")
	w.start(t, b, path, "sheet", "1", "header", "2", "columns", "full_name", "columns", "email", "columns", "field.size", "columns", "field.born", "columns", "email",
		"each", "yes", "names", "last_first", "dates", "month_first")
	fields, err := w.db.Fields().List(t.Context(), user.ID)
	if err != nil || len(fields) != 2 || strings.Join(fields[0].Choices, "|") != "S|M" {
		t.Fatalf("%+v, %v", fields, err)
	}
	got, total, err := w.db.Clients().List(t.Context(), user.ID, everybody)
	if err != nil || total != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, c := range got {
		first, last := c.Names()
		want, born := "Мария Иванова M", "1991-05-01"
		if c.Email != "b@example.com" {
			want, born = "Ayşe Kızıl S", "1990-05-01"
		}
		if first+" "+last+" "+fields[0].Text(c.Fields) != want || fields[1].Text(c.Fields) != born {
			t.Errorf("%+v", c)
		}
	}
}

// More than can be added at once goes the way of a file.
func TestImportOfPasted(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, "Иван Петров %d <person%d@example.com>\n", i, i)
	}
	text.WriteString("nobody\nA <a@example.com>, b@example.com; \n")
	path := b.post("/clients/several", "addresses", text.String(), "tags", "may").is(t, 303).Header.Get("Location")
	if !strings.HasPrefix(path, "/clients/import/") {
		t.Fatalf("leads to %q", path)
	}
	b.get(path).is(t, 200, "Pasted addresses", "<strong>5,002</strong><span>New", "<strong>1</strong><span>With errors", `value="may"`, "person0@example.com")
	w.start(t, b, path, "columns", "email", "columns", "full_name", "columns", "comment", "tags", "may")
	if _, total, err := w.db.Clients().List(t.Context(), user.ID, everybody); err != nil || total != 5002 {
		t.Errorf("%d clients, %v", total, err)
	}
	b.post("/clients/several", "addresses", text.String(), "tags", strings.Repeat("x", 60)).is(t, 422, "person4999@example.com")
}

// A list of statuses that an export of ours holds stops the same clients elsewhere.
func TestImportOfSuppressed(t *testing.T) {
	w := newEnv(t)
	ann, b := w.owner(t, "ann")
	bob, other := w.owner(t, "bob")
	gone, stays := w.client(t, ann.ID, "gone@example.com"), w.client(t, ann.ID, "stays@example.com")
	if err := w.db.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: gone.ID}, ""); err != nil {
		t.Fatal(err)
	}
	path := other.uploaded("clients.csv", []byte(b.get("/clients/export.csv").is(t, 200).body))
	other.get(path).is(t, 200, "Unsubscribed</span>", `<option value="status" selected>`)
	columns := []string{"header", "1"}
	for _, column := range []string{"email", "full_name", "comment", "tags", "status", "", "", "first_name", "last_name"} {
		columns = append(columns, "columns", column)
	}
	w.start(t, other, path, columns...)
	got, _, err := w.db.Clients().List(t.Context(), bob.ID, everybody)
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, c := range got {
		if c.Suppressed() != (c.Email == gone.Email) || c.Suppressed() == (c.Email == stays.Email) {
			t.Errorf("%+v", c)
		}
	}
}
