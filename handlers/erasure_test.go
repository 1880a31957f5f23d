package handlers

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/jackc/pgx/v5"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// holding are the tables in which an address stands, in any column of any type: as text, in hex as bytes are shown,
// as forms escape it, and in lists, which are packed.
func holding(t *testing.T, d *db.DB, address string) (found []string) {
	t.Helper()
	rows, err := d.Postgres().Pool.Query(t.Context(), `SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
		WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if len(tables) < 30 {
		t.Fatalf("only %d tables are searched", len(tables))
	}
	address = strings.ToLower(address)
	for _, form := range []string{address, hex.EncodeToString([]byte(address)), strings.ToLower(url.QueryEscape(address))} {
		for _, table := range tables {
			if n := dbtest.Number(t, d, "SELECT count(*) FROM "+table+" AS r WHERE position($1 IN lower(r::text)) > 0", form); n > 0 {
				found = append(found, fmt.Sprint(table, ": ", n))
			}
		}
	}
	parts, err := d.Postgres().Pool.Query(t.Context(), `SELECT content FROM import_parts`)
	if err != nil {
		t.Fatal(err)
	}
	lists, err := pgx.CollectRows(parts, pgx.RowTo[[]byte])
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range lists {
		for line := range domain.UnpackImport(content) {
			if strings.Contains(strings.ToLower(fmt.Sprint(line)), address) {
				found = append(found, fmt.Sprintf("import_parts, line %d", line.Line))
			}
		}
	}
	return found
}

// filesHolding are the files below a folder in which an address stands.
func filesHolding(t *testing.T, folder, address string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(bytes.ToLower(content), []byte(strings.ToLower(address))) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// clientOf is the owner's client with an address.
func (w *env) clientOf(t *testing.T, owner int64, address string) domain.Client {
	t.Helper()
	c, err := w.db.Clients().Get(t.Context(), owner, dbtest.Number(t, w.db, "SELECT id FROM clients WHERE owner_id = $1 AND lower(email) = lower($2)", owner, address))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Everything that happens to a client leaves its address somewhere; once it is erased it stands nowhere, and whoever
// unsubscribed gets nothing when the address comes again.
func TestErasureLeavesNoAddress(t *testing.T) {
	w, redis := newEnv(t), miniredis.RunT(t)
	if err := w.db.StartCache("redis://"+redis.Addr(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	user, owner := w.owner(t, "ann")
	_, bobs := w.owner(t, "bob")
	const address = "Ivan.Petrov+shop@Example.com"
	// A list brings it in, with a second line that is refused and one that is not.
	path := owner.uploaded("clients.csv", []byte("email;name\n"+address+";Иван\n"+address+";again\nother@example.com;Other\n<"+address+">x;broken\n"))
	owner.get(path).is(t, 200) // what would come of it is kept, too
	w.start(t, owner, path, "header", "yes", "columns", "email", "columns", "full_name")
	f := w.form(t, user.ID, nil)
	v := w.visitor(t).with("Referer", "https://shop.example/?email="+address)
	v.post("/f/"+f.Token, "t", trapOf(f), "email", address).leads(t, "/f/"+f.Token+"/sent")
	v.post(link(f, w.signups(t, f)[0])).is(t, 303)
	v.post("/f/"+f.Token, "t", trapOf(f), "email", address) // and once more, without confirming
	c := w.clientOf(t, user.ID, address)
	owner.post(fmt.Sprint("/clients/", c.ID), "_method", "PUT", "email", address, "full_name", "Иван", "comment", "calls "+address).is(t, 303)
	bobs.post("/clients", "email", address).is(t, 303)
	w.visitor(t).post("/login", "email", address, "password", "x") // and who tries to sign in with it
	owner.post("/clients", "email", address).is(t, 422)

	// Lists that nobody starts have it, packed, and so have forms that were not sent and those that were sent signed out.
	for range 2 {
		owner.uploaded("for "+address+".csv", []byte("email;name\nother@example.com;Other\n"+strings.ToUpper(address)+";Иван\n"))
	}
	typed := domain.KeptForm{TokenHash: []byte("x"), UserID: user.ID, Page: "/clients/new", Fields: url.Values{"email": {address}}.Encode()}
	if err := errors.Join(w.db.FormInputs().Keep(t.Context(), typed), w.db.FormInputs().KeepDraft(t.Context(), typed)); err != nil {
		t.Fatal(err)
	}
	// Several clients get a tag at once.
	owner.post("/clients/bulk", "do", "tag", "tags", "vip", "ids", fmt.Sprint(c.ID), "confirm", "yes").is(t, 303)

	// It gets emails: one is deferred in words that repeat the address, then accepted, and comes back.
	m := dbtest.NewLaunched(t, w.db, user.ID, nil)
	run := dbtest.Plan(t, w.db, m.ID, dbtest.Monday)
	s := dbtest.NewSender(t, w.db)
	var seq int
	for _, email := range s.Fetch(run.ID) {
		result := s.Result(run.ID, email, domain.OutcomeAccepted)
		if strings.EqualFold(email.Email, address) {
			seq = email.Seq
			result.Answer = "2.0.0 <" + strings.ToUpper(address) + "> is fine, " + address
		}
		s.Record(result)
	}
	raw := []byte("To: x@example.com\nFinal-Recipient: rfc822; " + address + "\n\n")
	report := domain.Report{Kind: domain.ReportDelivery, Recipients: []domain.ReportedRecipient{{Original: address, Final: address, Action: domain.ActionFailed,
		Answer: domain.NewAnswer(domain.StageRcpt, 550, "5.1.1 <"+address+"> unknown")}}}
	if err := w.db.Bounces().Receive(t.Context(), run.ID, seq, report, raw); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Postgres().Pool.Exec(t.Context(), `INSERT INTO inbox_emails (sender, recipient, subject, raw) VALUES ('a@example.com', $1, 'x', $2)`, address, raw); err != nil {
		t.Fatal(err)
	}
	w.visitor(t).post(linkTo("preferences", c.ID, run.ID), "do", "stop", "reason", "too_many").is(t, 303)
	if got := holding(t, w.db, address); len(got) < 12 {
		t.Errorf("before, it stands in %q", got)
	}
	b := w.visitor(t)
	b.post(linkTo("preferences", c.ID, run.ID), "do", "erase", "sure", "yes").is(t, 303)
	// What another owner knows stays his.
	bobsClient := dbtest.Number(t, w.db, "SELECT count(*) FROM clients WHERE lower(email) = lower($1)", address)
	if bobsClient != 1 {
		t.Errorf("%d clients of the other owner", bobsClient)
	}
	bobs.post(fmt.Sprint("/clients/", dbtest.Number(t, w.db, "SELECT id FROM clients WHERE lower(email) = lower($1)", address)), "_method", "DELETE").is(t, 303)
	if got := holding(t, w.db, address); len(got) > 0 {
		t.Errorf("it still stands in %q", got)
	}
	w.visitor(t).get("/").is(t, 200)
	dbtest.Eventually(t, "Redis to have what the home page shows", func() bool { return len(redis.Keys()) > 0 })
	for _, key := range redis.Keys() {
		if value, _ := redis.Get(key); strings.Contains(strings.ToLower(key+value), strings.ToLower(address)) {
			t.Errorf("it stands in Redis: %s", key)
		}
	}
	if got := filesHolding(t, w.media, address); len(got) > 0 {
		t.Errorf("it stands in %q", got)
	}
	if strings.Contains(strings.ToLower(w.output.String()), strings.ToLower(address)) {
		t.Error("it stands in the log")
	}
	for _, name := range []string{"deliveries", "attempts", "bounces"} {
		if n := dbtest.Number(t, w.db, "SELECT count(*) FROM "+name+" WHERE email LIKE 'erased:%' AND length(email) = 39"); n != 1 {
			t.Errorf("%s: %d hashes", name, n)
		}
	}
	if n := dbtest.Number(t, w.db, "SELECT count(*) FROM optouts JOIN deleted_clients USING (owner_id, email_hash) WHERE email_hash <> sha256(convert_to(lower($1), 'UTF8'))", address); n != 1 {
		t.Errorf("%d opt-outs under the key", n)
	}
	owner.get(fmt.Sprint("/runs/", run.ID)).is(t, 200, "erased:", `class="count-unsubscribed">1`)
	// An email that was under way is recorded late, with the address. The next round finds it.
	if _, err := w.db.Postgres().Pool.Exec(t.Context(), `INSERT INTO attempts (run_id, seq, client_id, email, n, at, status, code, answer)
		VALUES ($1, $2, $3, $4, 2, now(), 'accepted', 250, 'ok ' || $4)`, run.ID, seq, c.ID, address); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Postgres().Pool.Exec(t.Context(), `UPDATE deleted_clients SET scrub_at = now() WHERE scrub_at IS NOT NULL`); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Erasure().Continue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := holding(t, w.db, address); len(got) > 0 {
		t.Errorf("after a late record it stands in %q", got)
	}
	// It comes again, by hand and by a list; the old link is pressed after the deletion.
	owner.post("/clients", "email", strings.ToLower(address)).is(t, 303)
	if again := w.clientOf(t, user.ID, address); again.SuppressedReason != domain.Unsubscribed {
		t.Errorf("by hand: %+v", again)
	} else if err := w.db.Clients().Delete(t.Context(), user.ID, again.ID); err != nil {
		t.Fatal(err)
	}
	w.start(t, owner, owner.uploaded("again.csv", []byte("email\n"+address+"\n")), "header", "yes", "columns", "email")
	if again := w.clientOf(t, user.ID, address); again.SuppressedReason != domain.Unsubscribed {
		t.Errorf("by a list: %+v", again)
	}
}

// With an account go its clients, and its own address.
func TestErasureOfAnAccount(t *testing.T) {
	w := newEnv(t)
	user, owner := w.owner(t, "gone")
	const address = "client-of-gone@example.net"
	owner.post("/clients", "email", address).is(t, 303)
	m := dbtest.NewLaunched(t, w.db, user.ID, nil)
	run := dbtest.Plan(t, w.db, m.ID, dbtest.Monday)
	s := dbtest.NewSender(t, w.db)
	s.All(run.ID, s.Fetch(run.ID), domain.OutcomeAccepted)
	if err := w.db.Users().Delete(t.Context(), user.ID); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{address, user.Email} {
		if got := holding(t, w.db, gone); len(got) > 0 {
			t.Errorf("%s still stands in %q", gone, got)
		}
	}
}
