package handlers

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"skychimp/db"
	"skychimp/domain"
)

// What an export wrote an import reads, whatever stands in it, and no spreadsheet finds a formula in the file.
func TestExportComesBack(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	want := map[string]domain.ClientForm{}
	for i, text := range []string{"=1+1", "a;=cmd|' /C calc'!A0", "+7 900", "'tis", "a;'=1", "＝1+1", "line\n=1\n- item", strings.Repeat(`"`, 2000), "a\t@x", "привет, мир", `"quoted"`} {
		form := domain.ClientForm{Email: fmt.Sprintf("c%d@x.example", i), FullName: "Name", Comment: text, Tags: "=a, b;c"}
		if i%2 == 0 {
			form.Tags = "b;c"
		}
		if !strings.ContainsAny(text, "\n\t") && len(text) < 200 {
			form.FullName = text
		}
		b.post("/clients", "email", form.Email, "full_name", form.FullName, "comment", form.Comment, "tags", form.Tags).is(t, 303)
		want[form.Email] = form
	}
	file := b.get("/clients/export.csv").is(t, 200).body
	for line := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(file, "\ufeff"), "\r\n"), "\r\n") {
		if !strings.HasPrefix(line, `"`) || !strings.HasSuffix(line, `"`) {
			t.Errorf("not in quotes: %q", line)
		}
	}
	if _, err := w.db.Postgres().Pool.Exec(t.Context(), `DELETE FROM clients`); err != nil {
		t.Fatal(err)
	}
	path := b.uploaded("clients.csv", []byte(file))
	b.post(path, "do", "start", "header", "yes", "columns", "email", "columns", "full_name", "columns", "comment", "columns", "tags").is(t, 303)
	id, _ := strconv.ParseInt(path[strings.LastIndexByte(path, '/')+1:], 10, 64)
	if err := w.db.Imports().Run(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	rows, err := w.db.Clients().After(t.Context(), user.ID, db.ClientFilter{}, domain.Client{})
	if err != nil || len(rows) != len(want) {
		t.Fatalf("%d of %d come back, %v", len(rows), len(want), err)
	}
	for _, got := range rows {
		if form := want[got.Email]; got.FullName != form.FullName || got.Comment != form.Comment || strings.Join(got.Tags, ", ") != form.Tags {
			t.Errorf("%+v comes back as %q %q %q", form, got.FullName, got.Comment, got.Tags)
		}
	}
}
