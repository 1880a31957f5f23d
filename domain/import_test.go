package domain

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestGuessMapping(t *testing.T) {
	tests := []struct {
		name    string
		lines   [][]string
		columns []string
		header  bool
	}{
		{"own export", [][]string{{"email", "full_name", "comment", "tags"}}, []string{"email", "full_name", "comment", "tags"}, true},
		{"Russian", [][]string{{"№", "ФИО", "Электронная почта", "Телефон", "Примечание", "Группа"}},
			[]string{"", "full_name", "email", "", "comment", "tags"}, true},
		{"parts of a name", [][]string{{"Фамилия", "Имя", "Отчество", "E-mail"}}, []string{"full_name", "full_name", "full_name", "email"}, true},
		{"two addresses", [][]string{{"E-mail", "Second e-mail", "Name"}}, []string{"email", "", "full_name"}, true},
		{"by the cells", [][]string{{"Кому", "Куда"}, {"Анна", ""}, {"Иван", "ivan@x.org"}}, []string{"", "email"}, true},
		{"without names", [][]string{{"Ann", "ann@x.org"}, {"Bob", "bob@x.org", "extra"}}, []string{"", "email", ""}, false},
		{"addresses alone", [][]string{{"ann@x.org"}}, []string{"email"}, false},
		{"no address at all", [][]string{{"a", "b"}, {"1", "2"}}, []string{"", ""}, true},
		{"nothing", nil, []string{}, false},
		{"very wide", [][]string{append(slices.Repeat([]string{"x"}, 60), "email")}, slices.Repeat([]string{""}, 50), true},
	}
	for _, tt := range tests {
		var lines []ImportLine
		for i, cells := range tt.lines {
			lines = append(lines, ImportLine{Line: i + 1, Cells: cells})
		}
		got := GuessMapping(lines, nil)
		if !slices.Equal(got.Columns, tt.columns) || got.Header != tt.header {
			t.Errorf("%s: %q, header %v", tt.name, got.Columns, got.Header)
		}
	}
}

func TestImportMappingCheck(t *testing.T) {
	tests := []struct {
		mapping ImportMapping
		want    string
	}{
		{ImportMapping{Columns: []string{"", "email", "full_name", "full_name"}, Tags: "spring"}, ""},
		{ImportMapping{Columns: []string{"full_name"}}, "columns: imports.email_column"},
		{ImportMapping{Columns: []string{"email", "email"}}, "columns: imports.email_column"},
		{ImportMapping{}, "columns: imports.email_column"},
		{ImportMapping{Columns: []string{"email", "owner_id"}, Tags: strings.Repeat("x", 51)},
			"columns: imports.column_unknown; tags: clients.tag_long"},
	}
	for _, tt := range tests {
		if err := tt.mapping.Check(); text(err) != tt.want {
			t.Errorf("%+v: %q, want %q", tt.mapping, text(err), tt.want)
		}
	}
}

func TestImportRows(t *testing.T) {
	content, _, _, err := PackImport(SplitCSV(strings.Join([]string{
		"mail;first;last;about;tags;more",
		"Ann@X.org; Ann ;Smith;likes tea;vip, news;and cake",
		"",
		"bob@x.org;;;;a|b",
		"nobody;Bob",
		"ANN@x.org;Ann again",
		`"torn@x.org;x`,
		"'=odd@x.org;'=1+1",
		";Eve",
		"c@x.org;" + strings.Repeat("я", 201),
	}, "\n"), ';'))
	if err != nil {
		t.Fatal(err)
	}
	list := Import{Content: content, Mapping: ImportMapping{
		Columns: []string{"email", "full_name", "full_name", "comment", "tags", "comment"}, Header: true, Tags: "spring"}}
	var got []ImportRow
	for row, err := range list.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row)
	}
	want := []struct {
		line        int
		form        ClientForm
		errs, value string
	}{
		{2, ClientForm{"Ann@x.org", "Ann Smith", "likes tea\nand cake", "spring,vip, news"}, "", "Ann@x.org"},
		{4, ClientForm{"bob@x.org", "", "", "spring,a,b"}, "", "bob@x.org"},
		{5, ClientForm{"nobody", "Bob", "", "spring"}, "email: clients.email_invalid", "nobody"},
		{6, ClientForm{"ANN@x.org", "Ann again", "", "spring"}, "email: imports.row_repeated", "ANN@x.org"},
		{7, ClientForm{`"torn@x.org`, "x", "", "spring"}, "imports.row_quote", `"torn@x.org`},
		{8, ClientForm{"=odd@x.org", "=1+1", "", "spring"}, "", "=odd@x.org"},
		{9, ClientForm{"", "Eve", "", "spring"}, "email: clients.email_required", "Eve spring"},
		{10, ClientForm{"c@x.org", strings.Repeat("я", 201), "", "spring"}, "full_name: clients.full_name_long", "c@x.org"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows: %+v", len(got), got)
	}
	for i, w := range want {
		g := got[i]
		if g.Line != w.line || g.Form != w.form || text(g.Errors.Err()) != w.errs || g.Value() != w.value {
			t.Errorf("row %d: %+v (%s), want %+v", i, g, g.Value(), w)
		}
	}
	if problems := got[3].Problem(7).Errors(); len(problems) != 1 || problems[0].Key != "imports.row_repeated" || problems[0].Args["Line"] != 2.0 {
		t.Errorf("kept and read again: %+v", problems)
	}
}

func TestImportRowValue(t *testing.T) {
	for in, want := range map[string]string{
		"a\x00b\xffc":                   "a�b�c",
		strings.Repeat("я", 250):        strings.Repeat("я", 199) + "…",
		strings.Repeat("\xff\xfe", 500): "�",
	} {
		if got := (ImportRow{Form: ClientForm{Email: in}}).Value(); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestMerge(t *testing.T) {
	known := Client{ID: 1, Email: "Ann@x.org", FullName: "Ann", Comment: "tea", Tags: []string{"VIP"}, SuppressedReason: Unsubscribed}
	tests := []struct {
		form    ClientForm
		want    Client
		changed bool
		errs    string
	}{
		{ClientForm{Email: "ann@x.org"}, known, false, ""},
		{ClientForm{Email: "ann@x.org", FullName: "Ann", Comment: "tea", Tags: "vip"}, known, false, ""},
		{ClientForm{Email: "ann@x.org", FullName: "Ann Smith", Tags: "news, vip"},
			Client{ID: 1, Email: "Ann@x.org", FullName: "Ann Smith", Comment: "tea", Tags: []string{"VIP", "news"}, SuppressedReason: Unsubscribed}, true, ""},
		{ClientForm{Email: "ann@x.org", Tags: "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t"}, Client{}, true, "tags: clients.tags_many"},
	}
	for _, tt := range tests {
		c := known
		changed, err := c.Merge(ImportRow{Form: tt.form})
		if text(err) != tt.errs || changed != tt.changed || err == nil && !reflect.DeepEqual(c, tt.want) {
			t.Errorf("%+v: %+v, changed %v, %v", tt.form, c, changed, err)
		}
	}
}

func TestImportStatus(t *testing.T) {
	mapping := ImportMapping{Columns: []string{"email"}, Header: true}
	i := Import{Status: ImportChecked, Total: 11}
	if err := i.Undo(); text(err) != "imports.not_done" {
		t.Errorf("undo of what never ran: %v", err)
	}
	if err := i.Start(ImportMapping{}); KindOf(err) != Invalid || i.Status != ImportChecked {
		t.Errorf("start without an address: %v, %s", err, i.Status)
	}
	if err := i.Start(mapping); err != nil || !i.Going() || i.Total != 10 {
		t.Errorf("start: %v, %+v", err, i)
	}
	if err := i.Start(mapping); text(err) != "imports.started" || i.Total != 10 {
		t.Errorf("second start: %v", err)
	}
	if err := i.Undo(); text(err) != "imports.not_done" {
		t.Errorf("undo while it runs: %v", err)
	}
	i.Status = ImportDone
	if err := i.Undo(); err != nil || i.Going() {
		t.Errorf("undo: %v, %s", err, i.Status)
	}
	if err := i.Undo(); text(err) != "imports.not_done" {
		t.Errorf("second undo: %v", err)
	}
}
