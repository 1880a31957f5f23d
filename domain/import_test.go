package domain

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
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
		{"parts of a name", [][]string{{"Фамилия", "Имя", "Отчество", "E-mail"}}, []string{"last_name", "first_name", "middle_name", "email"}, true},
		{"two addresses", [][]string{{"E-mail", "Second e-mail", "Name"}}, []string{"email", "", "full_name"}, true},
		{"by the cells", [][]string{{"Кому", "Куда"}, {"Анна", ""}, {"Иван", "ivan@x.org"}}, []string{"", "email"}, true},
		{"without names", [][]string{{"Ann", "ann@x.org"}, {"Bob", "bob@x.org", "extra"}}, []string{"full_name", "email", ""}, false},
		{"addresses alone", [][]string{{"ann@x.org"}}, []string{"email"}, false},
		{"no address at all", [][]string{{"a", "b"}, {"1", "2"}}, []string{"", ""}, true},
		{"nothing", nil, []string{}, false},
		{"very wide", [][]string{append(slices.Repeat([]string{"x"}, 60), "email"), append(make([]string, 60), "a@x.org")}, append(make([]string, 60), "email"), true},
		{"a label beside the address", [][]string{{"Name", "E-mail 1 - Label", "E-mail 1 - Value"}, {"Ann", "* Home", "ann@x.org"}}, []string{"full_name", "", "email"}, true},
		{"two filled addresses", [][]string{{"work email", "personal email"}, {"", "a@x.org"}, {"b@x.org", "c@x.org"}}, []string{"email", "email"}, true},
		{"a manager's address", [][]string{{"email", "Менеджер email"}, {"a@x.org", "boss@x.org"}}, []string{"email", ""}, true},
		{"only a manager's", [][]string{{"Имя", "Email менеджера"}, {"Анна", "a@x.org"}}, []string{"full_name", "email"}, true},
		{"full name and parts", [][]string{{"Полное имя контакта", "Имя", "Фамилия", "Email"}, {"Иван Петров", "Иван", "Петров", "a@x.org"}},
			[]string{"", "first_name", "last_name", "email"}, true},
		{"parts that are empty", [][]string{{"Full name", "First name", "Last name", "Email"}, {"Ann Smith", "", "", "a@x.org"}}, []string{"full_name", "", "", "email"}, true},
		{"our own", [][]string{{"email", "full_name", "comment", "tags", "suppressed", "suppressed_at", "created_at", "first_name", "last_name"},
			{"a@x.org", "Ann Smith", "", "vip", "bounced", "2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z", "Ann", "Smith"}},
			[]string{"email", "full_name", "comment", "tags", "status", "", "", "first_name", "last_name"}, true},
		{"companies are no names", [][]string{{"Company name", "Organization Name", "Nickname", "Assistant's Name", "Manager's Name", "Contact type", "Email"}},
			[]string{"", "", "", "", "", "", "email"}, true},
		{"a status that says something else", [][]string{{"Email", "Статус"}, {"a@x.org", "В работе"}}, []string{"email", ""}, true},
		{"a status", [][]string{{"Email", "Статус"}, {"a@x.org", "Активен"}, {"b@x.org", "Отписан"}}, []string{"email", "status"}, true},
		{"yes and no", [][]string{{"Email", "Подписан", "Unsubscribed"}, {"a@x.org", "нет", "1"}}, []string{"email", "subscribed", "status"}, true},
	}
	for _, tt := range tests {
		var lines []ImportLine
		for i, cells := range tt.lines {
			lines = append(lines, ImportLine{Line: i + 1, Cells: cells})
		}
		got := GuessMapping(lines, nil)
		if !slices.Equal(got.Columns, tt.columns) || got.Header != tt.header || got.Above != 0 {
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
		{ImportMapping{Columns: []string{"email", "email"}}, ""},
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
	lines := SplitCSV(strings.NewReader(strings.Join([]string{
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
	}, "\n")), ';')
	list := Import{Mapping: ImportMapping{
		Columns: []string{"email", "full_name", "full_name", "comment", "tags", "comment"}, Header: true, Tags: "spring"}}
	var got []ImportRow
	for rows, err := range list.Rows(lines) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rows...)
	}
	want := []struct {
		line        int
		form        ClientForm
		errs, value string
	}{
		{2, ClientForm{"Ann@x.org", "Ann Smith", "likes tea\nand cake", "spring,vip,news"}, "", "Ann@x.org"},
		{4, ClientForm{"bob@x.org", "", "", "spring,a,b"}, "", "bob@x.org"},
		{5, ClientForm{"nobody", "Bob", "", "spring"}, "email: clients.email_invalid", "nobody"},
		{6, ClientForm{"ANN@x.org", "Ann again", "", "spring"}, "email: imports.row_repeated", "ANN@x.org"},
		{7, ClientForm{"torn@x.org", "x", "", "spring"}, "imports.row_quote", "torn@x.org"},
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
	now := time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC)
	i := Import{Status: ImportChecked, Total: 11, CreatedAt: now.Add(-time.Hour)}
	if err := i.Undo(now); text(err) != "imports.not_done" {
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
	if err := i.Undo(now); text(err) != "imports.not_done" {
		t.Errorf("undo while it runs: %v", err)
	}
	i.Status = ImportDone
	if err := i.Undo(i.CreatedAt.Add(ImportKeptFor)); text(err) != "imports.too_old" || i.Status != ImportDone {
		t.Errorf("undo after a month: %v", err)
	}
	if err := i.Undo(now); err != nil || i.Going() {
		t.Errorf("undo: %v, %s", err, i.Status)
	}
	if err := i.Undo(now); text(err) != "imports.not_done" {
		t.Errorf("second undo: %v", err)
	}
}

// Title lines stand above the header, whatever they are.
func TestGuessHeader(t *testing.T) {
	list := func(rows ...string) (lines []ImportLine) {
		for i, row := range rows {
			lines = append(lines, ImportLine{Line: i + 1, Cells: strings.Split(row, ";")})
		}
		return lines
	}
	for _, tt := range []struct {
		lines  []ImportLine
		above  int
		header bool
	}{
		{list("Список контрагентов", "ООО Ромашка", "На 31.05.2026;;", "Контрагент;ИНН;Электронная почта", "Иванов И.И.;77;a@x.org"), 3, true},
		{list("Clients;;", "Name;Phone;Email", ";;", "Ann;1;a@x.org"), 1, true},
		{list("Report", "A;B;C", "1;2;a@x.org"), 1, true},
		{list("a@x.org;Ann"), 0, false},
		{list("email;name", "nobody;Bob", "a@x.org;Ann"), 0, true},
	} {
		if m := GuessMapping(tt.lines, nil); m.Above != tt.above || m.Header != tt.header {
			t.Errorf("%v: %d above, header %v", tt.lines, m.Above, m.Header)
		}
	}
}

func TestMailboxes(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"a@x.org":                        "a@x.org",
		"mailto:a@x.org":                 "a@x.org",
		"MAILTO:a@x.org?subject=Hi":      "a@x.org",
		"<a@x.org>":                      "a@x.org",
		"Ann Smith <a@x.org>":            "Ann Smith=a@x.org",
		`"Smith, Ann" <a@x.org>`:         "Smith, Ann=a@x.org",
		"Ivan Petrov (ivan@example.com)": "Ivan Petrov=ivan@example.com",
		"a@x.org, b@x.org":               "a@x.org|b@x.org",
		"a@x.org; b@x.org":               "a@x.org|b@x.org",
		"a@x.org\nb@x.org":               "a@x.org|b@x.org",
		"a@x.org ::: b@x.org":            "a@x.org|b@x.org",
		"a@x.org b@x.org":                "a@x.org|b@x.org",
		"ann @x.org":                     "ann @x.org",
		"nobody":                         "nobody",
		"no address":                     "no address",
	} {
		var got []string
		for _, one := range mailboxes(in) {
			text := one.Email
			if one.FullName != "" {
				text = one.FullName + "=" + text
			}
			got = append(got, text)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestImportStatusWords(t *testing.T) {
	for _, tt := range []struct {
		cell, column string
		want         Suppression
		known        bool
	}{
		{"", columnStatus, "", true},
		{"unsubscribed", columnStatus, Unsubscribed, true}, // ours, Mailchimp's, UniSender's
		{"bounced", columnStatus, Bounced, true},
		{"complained", columnStatus, Complained, true},
		{"Cleaned", columnStatus, Bounced, true},
		{"Non-Subscribed", columnStatus, Unsubscribed, true},
		{"pending", columnStatus, unconfirmed, true},
		{"active", columnStatus, "", true},
		{"inactive", columnStatus, Unsubscribed, true},
		{"blocked", columnStatus, Complained, true},
		{"spam_rejected", columnStatus, Complained, true},
		{"Отписан(а)", columnStatus, Unsubscribed, true},
		{"Не подтверждён", columnStatus, unconfirmed, true},
		{"2026-01-31 10:00:00", columnStatus, Unsubscribed, true}, // UNSUB_TIME
		{"yes", columnStatus, Unsubscribed, true},
		{"no", columnStatus, "", true},
		{"yes", columnSubscribed, "", true},
		{"нет", columnSubscribed, Unsubscribed, true},
		{"В работе", columnStatus, "", false},
		{"2026-01-31", columnSubscribed, "", false},
	} {
		if got, known := readStatus(tt.cell, tt.column); got != tt.want || known != tt.known {
			t.Errorf("%q of %s: %q, %v", tt.cell, tt.column, got, known)
		}
	}
}

// A list only ever makes somebody get less.
func TestSuppress(t *testing.T) {
	all := []Suppression{"", Bounced, Unsubscribed, Complained}
	for before := range all {
		for said := range all {
			c := Client{SuppressedReason: all[before]}
			if changed := c.suppress(all[said]); c.SuppressedReason != all[max(before, said)] || changed != (said > before) {
				t.Errorf("%q and the list says %q: %q, %v", all[before], all[said], c.SuppressedReason, changed)
			}
		}
	}
}

// What an import changed is taken back, and what somebody changed since stays.
func TestRestore(t *testing.T) {
	before := ClientState{FullName: "Ann", Comment: "tea", Tags: []string{"vip"}, Fields: FieldValues{1: "Rome"}}
	after := ClientState{FullName: "Ann Smith", Comment: "coffee", Tags: []string{"vip", "news"}, Fields: FieldValues{1: "Oslo", 2: 7.0}}
	for _, tt := range []struct{ now, want ClientState }{
		{after, before},
		{ClientState{FullName: "Ann Jones", Comment: "coffee", Tags: []string{"VIP", "News", "own"}, Fields: FieldValues{1: "Paris", 2: 7.0, 3: true}},
			ClientState{FullName: "Ann Jones", Comment: "tea", Tags: []string{"VIP", "own"}, Fields: FieldValues{1: "Paris", 3: true}}},
		{before, before},
	} {
		c := Client{FullName: tt.now.FullName, Comment: tt.now.Comment, Tags: tt.now.Tags, Fields: tt.now.Fields}
		c.Restore(ImportChange{before, after})
		if !reflect.DeepEqual(c.State(), tt.want) {
			t.Errorf("%+v: %+v", tt.now, c.State())
		}
	}
}

func TestGuessFieldType(t *testing.T) {
	for _, tt := range []struct {
		cells string
		want  FieldType
	}{
		{"1;2,5;1 000", FieldNumber},
		{"31.05.1990;2026-01-01", FieldDate},
		{"да;нет", FieldYesNo},
		{"1;0;1", FieldYesNo},
		{"1;1;1", FieldNumber},
		{"+79161234567;+79160000000", FieldText},
		{"79161234567", FieldText},
		{"007;012", FieldText},
		{"S;M;L;S;M;L;S;M;S", FieldChoice},
		{"Москва;Казань", FieldText},
		{"", FieldText},
	} {
		if got := GuessFieldType(strings.Split(tt.cells, ";"), ""); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.cells, got, tt.want)
		}
	}
}

func TestNameOrder(t *testing.T) {
	for _, tt := range []struct {
		full        string
		order       NameOrder
		first, last string
	}{
		{"Иванова Мария Петровна", LastNameFirst, "Мария", "Иванова"},
		{"Kızıl Ayşe", LastNameFirst, "Ayşe", "Kızıl"},
		{"Мария Иванова", FirstNameFirst, "Мария", "Иванова"},
		{"Dr. Jane A. Smith", FirstNameFirst, "Jane", "Smith"},
		{"Мария", FirstNameFirst, "Мария", ""},
		{"Иванова", LastNameFirst, "", "Иванова"},
		{"ООО Ромашка", FirstNameFirst, "", ""},
	} {
		if first, last := tt.order.split(tt.full); first != tt.first || last != tt.last {
			t.Errorf("%s: %q, %q", tt.full, first, last)
		}
	}
}

func TestImportDates(t *testing.T) {
	for _, tt := range []struct {
		cells string
		order ImportDates
	}{
		{"05/01/2026", ""}, {"31/01/2026;05/01/2026", DayFirst}, {"05/31/2026 10:00", MonthFirst}, {"31/01/2026;01/31/2026", ""}, {"31.01.2026", ""},
	} {
		if got := datesOf([]ImportLine{{Cells: strings.Split(tt.cells, ";")}}); got != tt.order {
			t.Errorf("%s: %q", tt.cells, got)
		}
	}
	if DayFirst.date("5/1/2026") != "5.1.2026" || MonthFirst.date("5/1/2026") != "1.5.2026" || MonthFirst.date("31.01.2026") != "31.01.2026" || ImportDates("").date("5/1/2026") != "5/1/2026" {
		t.Error("dates are turned the wrong way")
	}
}
