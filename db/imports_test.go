package db_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// newImport keeps an uploaded list with its columns in the usual order.
func newImport(t testing.TB, d *db.DB, owner int64, text string) (domain.Import, domain.ImportMapping) {
	t.Helper()
	i := domain.Import{OwnerID: owner, FileName: "list.csv", Status: domain.ImportChecked}
	if err := d.Imports().Create(t.Context(), &i, domain.SplitCSV(strings.NewReader(text), ';')); err != nil {
		t.Fatal(err)
	}
	return i, i.Mapping
}

func clientsByEmail(t *testing.T, d *db.DB, owner int64) map[string]domain.Client {
	t.Helper()
	all := map[string]domain.Client{}
	rows, err := d.Clients().After(t.Context(), owner, db.ClientFilter{}, domain.Client{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range rows {
		all[c.Email] = c
	}
	return all
}

const sampleList = `email;name;note;tags
new@x.org;New One;"said ""hi""";a,b
KNOWN@x.org;;;vip,c
same@x.org;Same;;
nobody;Bob;;
new@X.org;again;;
gone@x.org;;;
other@x.org;Theirs;;
`

func sampleOwner(t *testing.T, d *db.DB) int64 {
	owner, other := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "known@x.org", FullName: "Known", Comment: "kept", Tags: "VIP"})
	dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "same@x.org", FullName: "Same"})
	dbtest.NewClient(t, d, other, domain.ClientForm{Email: "other@x.org", FullName: "Bob's"})
	gone := dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "gone@x.org"})
	if err := d.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: gone.ID}, ""); err != nil {
		t.Fatal(err)
	}
	if err := d.Clients().Delete(t.Context(), owner, gone.ID); err != nil {
		t.Fatal(err)
	}
	return owner
}

func TestImport(t *testing.T) {
	d := dbtest.New(t)
	owner := sampleOwner(t, d)
	list, mapping := newImport(t, d, owner, sampleList)
	before := clientsByEmail(t, d, owner)

	check, err := d.Imports().Check(t.Context(), list)
	want := map[domain.ImportVerdict]int{domain.ImportNew: 3, domain.ImportChanged: 1, domain.ImportSame: 1, domain.ImportBad: 2}
	if err != nil || !reflect.DeepEqual(check.Counts, want) || len(check.Good) != 5 || len(check.Bad) != 2 {
		t.Fatalf("dry run: %+v, %v", check, err)
	}
	if !reflect.DeepEqual(clientsByEmail(t, d, owner), before) {
		t.Error("the dry run changed clients")
	}

	if err := d.Imports().Start(t.Context(), owner, list.ID, mapping); err != nil {
		t.Fatal(err)
	}
	dbtest.Refused(t, d.Imports().Start(t.Context(), owner, list.ID, mapping), domain.Conflict, "imports.started")
	for range 2 { // the second time changes nothing
		if err := d.Imports().Run(t.Context(), list.ID); err != nil {
			t.Fatal(err)
		}
		got, err := d.Imports().Get(t.Context(), owner, list.ID)
		if err != nil || got.Status != domain.ImportDone || got.Total != 7 || got.Done != 7 || got.Created != 3 || got.Updated != 1 ||
			got.Bad != 2 || got.Same != 1 || got.EndedAt.IsZero() {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	all := clientsByEmail(t, d, owner)
	if c := all["new@x.org"]; c.FullName != "New One" || c.Comment != `said "hi"` || !slices.Equal(c.Tags, []string{"a", "b"}) || c.ImportID != list.ID {
		t.Errorf("new: %+v", c)
	}
	if c := all["known@x.org"]; c.FullName != "Known" || c.Comment != "kept" || !slices.Equal(c.Tags, []string{"VIP", "c"}) || c.ImportID != 0 {
		t.Errorf("known: %+v", c)
	}
	if !reflect.DeepEqual(all["same@x.org"], before["same@x.org"]) {
		t.Errorf("same: %+v", all["same@x.org"])
	}
	if c := all["gone@x.org"]; c.SuppressedReason != domain.Unsubscribed {
		t.Errorf("who unsubscribed came back: %+v", c)
	}
	problems, total, err := d.Imports().Problems(t.Context(), owner, list.ID, db.PageOf(1))
	if err != nil || total != 2 || problems[0].Line != 5 || problems[0].Value != "nobody" || problems[1].Line != 6 ||
		problems[1].Errors()[0].Key != "imports.row_repeated" {
		t.Errorf("problems %+v, %v", problems, err)
	}
	var kept int
	if err := d.Postgres().Pool.QueryRow(t.Context(), `SELECT count(*) FROM import_parts WHERE import_id = $1`, list.ID).Scan(&kept); err != nil || kept != 0 {
		t.Errorf("%d parts of the list are kept, %v", kept, err)
	}
}

func TestImportUndo(t *testing.T) {
	d := dbtest.New(t)
	owner := sampleOwner(t, d)
	before := clientsByEmail(t, d, owner)
	list, mapping := newImport(t, d, owner, sampleList)
	_, err := d.Imports().Undo(t.Context(), owner, list.ID)
	dbtest.Refused(t, err, domain.Conflict, "imports.not_done")
	if err := d.Imports().Start(t.Context(), owner, list.ID, mapping); err != nil {
		t.Fatal(err)
	}
	if err := d.Imports().Run(t.Context(), list.ID); err != nil {
		t.Fatal(err)
	}
	if err := d.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: clientsByEmail(t, d, owner)["new@x.org"].ID}, ""); err != nil {
		t.Fatal(err)
	}
	if removed, err := d.Imports().Undo(t.Context(), owner, list.ID); err != nil || removed != 3 {
		t.Fatalf("removed %d, %v", removed, err)
	}
	all := clientsByEmail(t, d, owner)
	if len(all) != 2 || !reflect.DeepEqual(all, before) {
		t.Errorf("left: %+v, there was %+v", all, before)
	}
	if c := dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "new@x.org"}); clientsByEmail(t, d, owner)[c.Email].SuppressedReason != domain.Unsubscribed {
		t.Error("undo forgot who unsubscribed")
	}
	if got, err := d.Imports().Get(t.Context(), owner, list.ID); err != nil || got.Status != domain.ImportUndone {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = d.Imports().Undo(t.Context(), owner, list.ID)
	dbtest.Refused(t, err, domain.Conflict, "imports.not_done")
}

// A worker that dies between two batches leaves what another one continues.
func TestImportGoesOn(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	var text strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&text, "c%d@x.org;Name %d\nbad%d\n", i, i, i)
	}
	list, mapping := newImport(t, d, owner, text.String())
	if err := d.Imports().Start(t.Context(), owner, list.ID, mapping); err != nil {
		t.Fatal(err)
	}
	// The third batch meets a broken table.
	_, err := d.Postgres().Pool.Exec(t.Context(), `ALTER TABLE clients ADD CONSTRAINT half CHECK (email <> 'c1200@x.org')`)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Imports().Run(t.Context(), list.ID); err == nil {
		t.Fatal("the broken table went unnoticed")
	}
	half, err := d.Imports().Get(t.Context(), owner, list.ID)
	if err != nil || half.Status != domain.ImportRunning || half.Done != 2000 || half.Created != 1000 || half.Bad != 1000 {
		t.Fatalf("%+v, %v", half, err)
	}
	if _, err := d.Postgres().Pool.Exec(t.Context(), `ALTER TABLE clients DROP CONSTRAINT half`); err != nil {
		t.Fatal(err)
	}
	if err := d.Imports().Run(t.Context(), list.ID); err != nil {
		t.Fatal(err)
	}
	got, err := d.Imports().Get(t.Context(), owner, list.ID)
	if err != nil || got.Status != domain.ImportDone || got.Done != 5000 || got.Created != 2500 || got.Bad != 2500 {
		t.Errorf("%+v, %v", got, err)
	}
	if problems, total, err := d.Imports().Problems(t.Context(), owner, list.ID, db.PageOf(100)); err != nil || total != 2500 || len(problems) != db.PageSize {
		t.Errorf("%d of %d problems, %v", len(problems), total, err)
	}
}

func TestImportTwoAtOnce(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, "c%d@x.org\n", i)
	}
	list, mapping := newImport(t, d, owner, text.String())
	if err := d.Imports().Start(t.Context(), owner, list.ID, mapping); err != nil {
		t.Fatal(err)
	}
	ends := make(chan error, 2)
	for range 2 {
		go func() { ends <- d.Imports().Run(t.Context(), list.ID) }()
	}
	failed := 0
	for range 2 {
		if err := <-ends; err != nil {
			dbtest.Refused(t, err, domain.Conflict, "imports.started")
			failed++
		}
	}
	got, err := d.Imports().Get(t.Context(), owner, list.ID)
	if err != nil || failed > 1 || got.Status != domain.ImportDone || got.Created != 5000 || got.Done != 5000 {
		t.Errorf("%d failed, %+v, %v", failed, got, err)
	}
}

func TestImportOwners(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	list, mapping := newImport(t, d, ann, "a@x.org;A\n")
	ctx := t.Context()
	_, err := d.Imports().Get(ctx, bob, list.ID)
	dbtest.Refused(t, err, domain.NotFound, "errors.not_found")
	foreign := list
	foreign.OwnerID = bob
	_, err = d.Imports().Check(ctx, foreign)
	dbtest.Refused(t, err, domain.NotFound, "errors.not_found")
	dbtest.Refused(t, d.Imports().Start(ctx, bob, list.ID, mapping), domain.NotFound, "errors.not_found")
	_, err = d.Imports().Undo(ctx, bob, list.ID)
	dbtest.Refused(t, err, domain.NotFound, "errors.not_found")
	if rows, err := d.Imports().List(ctx, bob); err != nil || len(rows) != 0 {
		t.Errorf("Imports of bob: %v, %v", rows, err)
	}
	if rows, err := d.Imports().List(ctx, ann); err != nil || len(rows) != 1 || rows[0].FileName != "list.csv" {
		t.Errorf("Imports of ann: %v, %v", rows, err)
	}
	if _, total, err := d.Imports().Problems(ctx, bob, list.ID, db.PageOf(1)); err != nil || total != 0 {
		t.Errorf("ImportProblems of bob: %d, %v", total, err)
	}
	if err := d.Imports().Run(ctx, list.ID); err != nil { // nobody started it
		t.Fatal(err)
	}
	if all := clientsByEmail(t, d, ann); len(all) != 0 {
		t.Errorf("imported without its owner's word: %v", all)
	}
}

func TestFailImport(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	list, mapping := newImport(t, d, owner, "a@x.org;A\n")
	if err := d.Imports().Start(t.Context(), owner, list.ID, mapping); err != nil {
		t.Fatal(err)
	}
	if err := d.Imports().Fail(t.Context(), list.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Imports().Get(t.Context(), owner, list.ID); err != nil || got.Status != domain.ImportFailed {
		t.Errorf("%+v, %v", got, err)
	}
	if err := d.Imports().Run(t.Context(), list.ID); err != nil || len(clientsByEmail(t, d, owner)) != 0 {
		t.Errorf("ran after it failed: %v", err)
	}
	if err := d.Imports().Run(t.Context(), list.ID+1000); err != nil {
		t.Errorf("an import that is gone: %v", err)
	}
}

// A list is read once for its check, however often its owner looks, until the answer may be another.
func TestImportCheckIsKept(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	list, mapping := newImport(t, d, owner, "a@x.org;A;one\nb@x.org;B;two\nnobody;;\n")
	mapping.Columns[1] = "full_name"
	if err := d.Imports().Map(t.Context(), owner, list.ID, mapping); err != nil {
		t.Fatal(err)
	}
	list.Mapping = mapping
	check := func() domain.ImportCheck {
		t.Helper()
		check, err := d.Imports().Check(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		return check
	}
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := d.Postgres().Pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	first := check()
	if first.Counts[domain.ImportNew] != 2 || first.Counts[domain.ImportBad] != 1 || len(first.Lines) != 3 || first.Bad[0].Line != 3 {
		t.Fatalf("%+v", first)
	}
	exec(`CREATE TABLE kept AS SELECT * FROM import_parts WHERE import_id = $1`, list.ID)
	exec(`DELETE FROM import_parts WHERE import_id = $1`, list.ID)
	if again := check(); !reflect.DeepEqual(again.Counts, first.Counts) || len(again.Bad) != 1 || again.Bad[0].Errors[0].Key != first.Bad[0].Errors[0].Key || len(again.Good) != 2 || len(again.Lines) != 3 {
		t.Errorf("%+v, not %+v", again, first)
	}
	exec(`INSERT INTO import_parts SELECT * FROM kept`)
	mapping.Columns[1] = ""
	if err := d.Imports().Map(t.Context(), owner, list.ID, mapping); err != nil {
		t.Fatal(err)
	}
	list.Mapping = mapping
	if other := check(); other.Good[0].Client.FullName != "" {
		t.Errorf("after other columns: %+v", other.Good[0])
	}
	second, columns := newImport(t, d, owner, "a@x.org;A\n")
	if err := d.Imports().Start(t.Context(), owner, second.ID, columns); err != nil {
		t.Fatal(err)
	}
	if err := d.Imports().Run(t.Context(), second.ID); err != nil {
		t.Fatal(err)
	}
	if after := check(); after.Counts[domain.ImportNew] != 1 || after.Counts[domain.ImportSame] != 1 {
		t.Errorf("after another import: %v", after.Counts)
	}
}

func TestUnstartedImports(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	left := func(owner int64) (n int) {
		t.Helper()
		if err := d.Postgres().Pool.QueryRow(t.Context(), `SELECT count(*) FROM imports WHERE owner_id = $1`, owner).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	first, _ := newImport(t, d, bob, "a@x.org;A\n")
	started, mapping := newImport(t, d, ann, "a@x.org;A\n")
	if err := d.Imports().Start(t.Context(), ann, started.ID, mapping); err != nil {
		t.Fatal(err)
	}
	for range 7 {
		newImport(t, d, ann, "a@x.org;A\n")
	}
	if left(ann) != 1+domain.ImportsUnstarted || left(bob) != 1 {
		t.Errorf("ann has %d lists, bob %d", left(ann), left(bob))
	}
	for range 3 {
		large, _ := newImport(t, d, ann, "a@x.org;A\n")
		if _, err := d.Postgres().Pool.Exec(t.Context(), `UPDATE import_parts SET content = $2 WHERE import_id = $1`, large.ID, make([]byte, 20<<20)); err != nil {
			t.Fatal(err)
		}
	}
	newImport(t, d, ann, "a@x.org;A\n")
	if left(ann) != 1+3 {
		t.Errorf("of 60 MB %d lists are left", left(ann))
	}
	if _, err := d.Postgres().Pool.Exec(t.Context(), `UPDATE imports SET created_at = now() - interval '25 hours' WHERE id IN ($1, $2)`, first.ID, started.ID); err != nil {
		t.Fatal(err)
	}
	if err := d.Imports().Prune(t.Context(), time.Now()); err != nil || left(bob) != 0 || left(ann) != 4 {
		t.Errorf("after a day ann has %d lists, bob %d, %v", left(ann), left(bob), err)
	}
}

// runImport imports a list that is there.
func runImport(t *testing.T, d *db.DB, owner int64, text string, change func(*domain.ImportMapping)) domain.Import {
	t.Helper()
	list, mapping := newImport(t, d, owner, text)
	if change != nil {
		change(&mapping)
	}
	if err := d.Imports().Start(t.Context(), owner, list.ID, mapping); err != nil {
		t.Fatal(err)
	}
	if err := d.Imports().Run(t.Context(), list.ID); err != nil {
		t.Fatal(err)
	}
	list, err := d.Imports().Get(t.Context(), owner, list.ID)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Whoever the list says has left gets no emails; who is known to have left never gets any again by a list. Undo takes
// back what the list alone said.
func TestImportOfStatus(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	for _, email := range []string{"stays@x.org", "left@x.org", "leaves@x.org", "says@x.org"} {
		dbtest.NewClient(t, d, owner, domain.ClientForm{Email: email})
	}
	if err := d.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: clientsByEmail(t, d, owner)["left@x.org"].ID}, ""); err != nil {
		t.Fatal(err)
	}
	before := clientsByEmail(t, d, owner)
	list := runImport(t, d, owner, `email;status
new@x.org;subscribed
gone@x.org;unsubscribed
asked@x.org;unsubscribed
dead@x.org;cleaned
wait@x.org;pending
stays@x.org;active
left@x.org;active
leaves@x.org;unsubscribed
says@x.org;unsubscribed
`, nil)
	all := clientsByEmail(t, d, owner)
	for email, want := range map[string]domain.Suppression{"new@x.org": "", "gone@x.org": domain.Unsubscribed, "asked@x.org": domain.Unsubscribed, "dead@x.org": domain.Bounced,
		"stays@x.org": "", "left@x.org": domain.Unsubscribed, "leaves@x.org": domain.Unsubscribed, "says@x.org": domain.Unsubscribed} {
		if c, ok := all[email]; !ok || c.SuppressedReason != want || c.Suppressed() != (want != "") {
			t.Errorf("%s: %+v", email, c)
		}
	}
	if list.Created != 4 || list.Updated != 2 || list.Same != 2 || list.Bad != 1 {
		t.Errorf("%+v", list)
	}
	for _, email := range []string{"asked@x.org", "says@x.org"} { // they say so themselves
		if err := d.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: all[email].ID}, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Imports().Undo(t.Context(), owner, list.ID); err != nil {
		t.Fatal(err)
	}
	after := clientsByEmail(t, d, owner)
	if len(after) != 4 || !reflect.DeepEqual(after["leaves@x.org"], before["leaves@x.org"]) || !after["says@x.org"].Suppressed() || !after["left@x.org"].Suppressed() {
		t.Errorf("after undo: %+v", after)
	}
	for email, want := range map[string]domain.Suppression{"gone@x.org": "", "dead@x.org": "", "asked@x.org": domain.Unsubscribed} {
		dbtest.NewClient(t, d, owner, domain.ClientForm{Email: email})
		if got := clientsByEmail(t, d, owner)[email].SuppressedReason; got != want {
			t.Errorf("%s again: %q, want %q", email, got, want)
		}
	}
}

// A line can have several addresses: the first one counts, or each is a client.
func TestImportOfSeveralAddresses(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	const text = "name;work email;personal email\nAnn;;ann@home.org\nBob;bob@work.org;bob@home.org, bob@other.org\nEve;wrong;eve@\n"
	first := runImport(t, d, owner, text, nil)
	if all := clientsByEmail(t, d, owner); len(all) != 2 || all["bob@work.org"].FullName != "Bob" || all["ann@home.org"].FullName != "Ann" || first.Bad != 1 {
		t.Errorf("the first: %+v, %+v", all, first)
	}
	each := runImport(t, d, owner, text, func(m *domain.ImportMapping) { m.Each = true })
	if all := clientsByEmail(t, d, owner); len(all) != 4 || all["bob@other.org"].FullName != "Bob" || each.Created != 2 || each.Same != 2 || each.Bad != 1 || each.Done != 3 {
		t.Errorf("each: %+v, %+v", all, each)
	}
}

// What is kept of an import goes after 30 days, and with it the addresses in it; the counts stay.
func TestImportsAreForgotten(t *testing.T) {
	d := dbtest.New(t)
	owner := sampleOwner(t, d)
	list := runImport(t, d, owner, sampleList, nil)
	kept := func() (n int) {
		t.Helper()
		err := d.Postgres().Pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM import_errors) + (SELECT count(*) FROM import_changes) + (SELECT count(*) FROM import_parts)`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := d.Imports().Prune(t.Context(), list.CreatedAt.Add(domain.ImportKeptFor-time.Minute)); err != nil || kept() != 3 {
		t.Fatalf("%d are kept for 30 days, %v", kept(), err)
	}
	for range 2 {
		if err := d.Imports().Prune(t.Context(), list.CreatedAt.Add(domain.ImportKeptFor+time.Minute)); err != nil || kept() != 0 {
			t.Errorf("%d are kept for longer, %v", kept(), err)
		}
	}
	if got, err := d.Imports().Get(t.Context(), owner, list.ID); err != nil || got.Created != 3 || got.Bad != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := d.Postgres().Pool.Exec(t.Context(), `UPDATE imports SET created_at = created_at - interval '31 days'`); err != nil {
		t.Fatal(err)
	}
	_, err := d.Imports().Undo(t.Context(), owner, list.ID)
	dbtest.Refused(t, err, domain.Conflict, "imports.too_old")
}

// An undo that was cut off is taken up again.
func TestImportUndoGoesOn(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	var text strings.Builder
	for i := range 2500 {
		if i%5 == 0 {
			dbtest.NewClient(t, d, owner, domain.ClientForm{Email: fmt.Sprintf("c%d@x.org", i), FullName: "Before"})
		}
		fmt.Fprintf(&text, "c%d@x.org;Name %d\n", i, i)
	}
	list := runImport(t, d, owner, text.String(), func(m *domain.ImportMapping) { m.Columns = []string{"email", "full_name"} })
	if list.Created != 2000 || list.Updated != 500 {
		t.Fatalf("%+v", list)
	}
	exec := func(sql string) {
		t.Helper()
		if _, err := d.Postgres().Pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`ALTER TABLE clients ADD CONSTRAINT half CHECK (full_name <> 'Before') NOT VALID`)
	if _, err := d.Imports().Undo(t.Context(), owner, list.ID); err == nil {
		t.Fatal("the broken table went unnoticed")
	}
	if got, err := d.Imports().Get(t.Context(), owner, list.ID); err != nil || got.Status != domain.ImportUndoing {
		t.Fatalf("%+v, %v", got, err)
	}
	exec(`ALTER TABLE clients DROP CONSTRAINT half`)
	for range 2 {
		if err := d.Imports().Run(t.Context(), list.ID); err != nil {
			t.Fatal(err)
		}
	}
	all, _, err := d.Clients().List(t.Context(), owner, db.ClientFilter{})
	got, _ := d.Imports().Get(t.Context(), owner, list.ID)
	if err != nil || got.Status != domain.ImportUndone || len(all) == 0 || all[0].FullName != "Before" {
		t.Errorf("%s, %+v, %v", got.Status, all, err)
	}
}
