package db_test

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

func newUser(t testing.TB, d *db.DB, name string, role domain.Role) domain.User {
	t.Helper()
	user := domain.User{Email: name + "@people.example", Name: name, Role: role, Language: "en", Timezone: "UTC"}
	if err := d.Users().Create(t.Context(), &user); err != nil {
		t.Fatal(err)
	}
	return user
}

// entries are the log without the lines of the users whom the test made, the oldest first.
func entries(t testing.TB, d *db.DB, filter db.AuditFilter) []string {
	t.Helper()
	list, _, err := d.Audit().List(t.Context(), filter)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for _, e := range slices.Backward(list) {
		if e.Act != domain.ActCreate {
			lines = append(lines, fmt.Sprintf("%s %d %s %s %d %s %s", e.At.UTC().Format("15:04"), e.ActorID, e.Actor, e.Act, e.ObjectID, e.Object, e.Reason))
		}
	}
	return lines
}

func TestDisableMailing(t *testing.T) {
	d := dbtest.New(t)
	manager, owner := newUser(t, d, "mia", domain.RoleManager), newUser(t, d, "ann", domain.RoleUser)
	dbtest.NewClients(t, d, owner.ID, 3)
	m := dbtest.NewLaunched(t, d, owner.ID, nil)
	run, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday, false)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	for range 2 { // the second one changes nothing
		m = dbtest.Must[domain.Mailing](t)(d.Mailings().Disable(t.Context(), manager, m.ID, " spam ", dbtest.Monday))
		dbtest.Same(t, "disabled", []any{m.Disabled(), m.DisabledReason, m.Status}, []any{true, "spam", domain.Running})
	}
	row := dbtest.Must[db.RunRow](t)(d.Runs().Get(t.Context(), 0, run.ID))
	dbtest.Same(t, "run", []any{row.Status, row.Reason}, []any{domain.RunStopping, domain.ReasonDisabled})
	for range 2 {
		m = dbtest.Must[domain.Mailing](t)(d.Mailings().Enable(t.Context(), manager, m.ID, dbtest.Monday.Add(time.Hour)))
		dbtest.Same(t, "disabled", m.Disabled(), false)
	}
	_, err = d.Mailings().Disable(t.Context(), owner, m.ID, "no", dbtest.Monday)
	dbtest.Refused(t, err, domain.Forbidden, "errors.forbidden")
	_, err = d.Mailings().Disable(t.Context(), manager, m.ID, "", dbtest.Monday)
	dbtest.Refused(t, err, domain.Invalid, "staff.reason_required")
	_, err = d.Mailings().Disable(t.Context(), manager, m.ID+1, "no", dbtest.Monday)
	dbtest.Refused(t, err, domain.NotFound, "errors.not_found")
	dbtest.Same(t, "log", entries(t, d, db.AuditFilter{}), []string{
		fmt.Sprintf("09:00 %d mia@people.example disable %d News spam", manager.ID, m.ID),
		fmt.Sprintf("10:00 %d mia@people.example enable %d News ", manager.ID, m.ID),
	})
}

func TestBlockUser(t *testing.T) {
	d := dbtest.New(t)
	manager, admin, ann := newUser(t, d, "mia", domain.RoleManager), newUser(t, d, "ada", domain.RoleAdmin), newUser(t, d, "ann", domain.RoleUser)
	dbtest.NewClients(t, d, ann.ID, 3)
	var runs []int64
	for range 2 {
		m := dbtest.NewLaunched(t, d, ann.ID, nil)
		run, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday, false)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		runs = append(runs, run.ID)
	}
	for _, name := range []string{"here", "there"} {
		hash := sha256.Sum256([]byte(name))
		err := d.Sessions().Start(t.Context(), domain.Session{Hash: hash[:], UserID: ann.ID, CreatedAt: dbtest.Monday, SeenAt: dbtest.Monday, ExpiresAt: dbtest.Monday.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
	}
	user := dbtest.Must[domain.User](t)(d.Users().Block(t.Context(), manager, ann.ID, "spam", dbtest.Monday))
	dbtest.Same(t, "blocked", []any{user.Blocked(), user.BlockedReason}, []any{true, "spam"})
	dbtest.Same(t, "sessions", dbtest.Numbers(t, d, "SELECT count(*) FROM sessions"), []int64{0})
	for _, id := range runs {
		row := dbtest.Must[db.RunRow](t)(d.Runs().Get(t.Context(), 0, id))
		dbtest.Same(t, "run", []any{row.Status, row.EndOutcome, row.Reason}, []any{domain.RunStopping, domain.OutcomeCancelled, domain.ReasonBlocked})
	}
	dbtest.Must[domain.User](t)(d.Users().Unblock(t.Context(), admin, ann.ID, dbtest.Monday.Add(time.Minute)))
	for _, one := range []struct {
		by   domain.User
		whom int64
	}{{manager, manager.ID}, {manager, admin.ID}, {admin, admin.ID}, {ann, manager.ID}} {
		_, err := d.Users().Block(t.Context(), one.by, one.whom, "no", dbtest.Monday)
		dbtest.Refused(t, err, domain.Forbidden, "staff.block_refused")
	}
	dbtest.Same(t, "log", entries(t, d, db.AuditFilter{}), []string{
		fmt.Sprintf("09:00 %d mia@people.example block %d ann@people.example spam", manager.ID, ann.ID),
		fmt.Sprintf("09:01 %d ada@people.example unblock %d ann@people.example ", admin.ID, ann.ID),
	})
}

// What an actor may do is judged by the role when the turn comes, not by the role at the time they
// asked.
func TestActorsTakeTurns(t *testing.T) {
	for round := range 10 {
		d := dbtest.New(t)
		one, other := newUser(t, d, "one", domain.RoleAdmin), newUser(t, d, "other", domain.RoleAdmin)
		results := make(chan error, 2)
		go func() {
			_, err := d.Users().GiveRole(t.Context(), one, other.ID, domain.RoleManager, dbtest.Monday)
			results <- err
		}()
		go func() {
			_, err := d.Users().GiveRole(t.Context(), other, one.ID, domain.RoleManager, dbtest.Monday)
			results <- err
		}()
		first, second := <-results, <-results
		if first == nil {
			first, second = second, first
		}
		if second != nil || domain.KindOf(first) != domain.Forbidden {
			t.Fatalf("round %d: %v and %v, want one success and one refusal", round, first, second)
		}
		dbtest.Same(t, "admins left", dbtest.Numbers(t, d, "SELECT count(*) FROM users WHERE role = 'admin'"), []int64{1})
		if round == 0 {
			mia, max := newUser(t, d, "mia", domain.RoleManager), newUser(t, d, "max", domain.RoleManager)
			dbtest.Must[domain.User](t)(d.Users().Block(t.Context(), mia, max.ID, "first", dbtest.Monday))
			_, err := d.Users().Block(t.Context(), max, mia.ID, "second", dbtest.Monday)
			dbtest.Refused(t, err, domain.Unauthenticated, "errors.unauthenticated")
		}
	}
}

func TestGiveRole(t *testing.T) {
	d := dbtest.New(t)
	admin, ann := newUser(t, d, "ada", domain.RoleAdmin), newUser(t, d, "ann", domain.RoleUser)
	for range 2 {
		user := dbtest.Must[domain.User](t)(d.Users().GiveRole(t.Context(), admin, ann.ID, domain.RoleContent, dbtest.Monday))
		dbtest.Same(t, "role", user.Role, domain.RoleContent)
	}
	dbtest.Must[domain.User](t)(d.Users().GiveRole(t.Context(), domain.User{Role: domain.RoleAdmin}, ann.ID, domain.RoleUser, dbtest.Monday))
	_, err := d.Users().GiveRole(t.Context(), admin, admin.ID, domain.RoleUser, dbtest.Monday)
	dbtest.Refused(t, err, domain.Invalid, "staff.role_own")
	_, err = d.Users().GiveRole(t.Context(), admin, 1<<40, domain.RoleUser, dbtest.Monday)
	dbtest.Refused(t, err, domain.NotFound, "errors.not_found")
	if err := d.Users().Delete(t.Context(), admin.ID); err != nil {
		t.Fatal(err)
	}
	list := entries(t, d, db.AuditFilter{})
	for i := range list { // the address of a deleted account is a hash
		list[i] = regexp.MustCompile(`erased:[0-9a-f]{32}`).ReplaceAllString(list[i], "erased")
	}
	dbtest.Same(t, "log", list, []string{
		fmt.Sprintf("09:00 0 erased role_content %d ann@people.example ", ann.ID),
		fmt.Sprintf("09:00 0  role_user %d ann@people.example ", ann.ID),
	})
	dbtest.Same(t, "one act", len(entries(t, d, db.AuditFilter{Act: domain.ActRoleUser})), 1)
	dbtest.Same(t, "by actor", len(entries(t, d, db.AuditFilter{Query: "ADA@"})), 0)
	dbtest.Same(t, "by hash", len(entries(t, d, db.AuditFilter{Query: "erased:"})), 1)
	dbtest.Same(t, "by nothing", len(entries(t, d, db.AuditFilter{Query: "100%"})), 0)
}

func TestUsers(t *testing.T) {
	d := dbtest.New(t)
	manager := newUser(t, d, "mia", domain.RoleManager)
	for i := range 30 {
		user := newUser(t, d, fmt.Sprintf("user%02d", i), domain.RoleUser)
		if i%10 == 0 {
			dbtest.Must[domain.User](t)(d.Users().Block(t.Context(), manager, user.ID, "spam", dbtest.Monday))
			dbtest.NewClients(t, d, user.ID, 3+i)
			dbtest.NewMailing(t, d, user.ID, nil)
		}
	}
	tests := []struct {
		filter            db.UserFilter
		total, rows       int
		first             string
		clients, mailings int64
	}{
		{db.UserFilter{}, 31, 25, "user29", 0, 0},
		{db.UserFilter{Page: db.PageOf(2)}, 31, 6, "user04", 0, 0},
		{db.UserFilter{Page: db.PageOf(99)}, 31, 6, "user04", 0, 0},
		{db.UserFilter{Role: domain.RoleManager}, 1, 1, "mia", 0, 0},
		{db.UserFilter{Blocked: true}, 3, 3, "user20", 23, 1},
		{db.UserFilter{Query: "USER1"}, 10, 10, "user19", 0, 0},
		{db.UserFilter{Query: "user1_"}, 0, 0, "", 0, 0},
		{db.UserFilter{Query: "\x00user10@people"}, 1, 1, "user10", 13, 1},
	}
	for _, tt := range tests {
		rows, total, err := d.Users().List(t.Context(), tt.filter)
		if err != nil || total != tt.total || len(rows) != tt.rows {
			t.Fatalf("%+v: %d of %d, %v", tt.filter, len(rows), total, err)
		}
		if len(rows) > 0 && (rows[0].Name != tt.first || rows[0].Clients != tt.clients || rows[0].Mailings != tt.mailings || rows[0].PasswordHash != "") {
			t.Errorf("%+v: %+v", tt.filter, rows[0])
		}
	}
}

// A list of mailings counts what went out, also while a run is going on.
func TestMailingRows(t *testing.T) {
	d := dbtest.New(t)
	manager, owner := newUser(t, d, "mia", domain.RoleManager), newUser(t, d, "ann", domain.RoleUser)
	dbtest.NewClients(t, d, owner.ID, 3)
	m, other := dbtest.NewLaunched(t, d, owner.ID, nil), dbtest.NewMailing(t, d, owner.ID, func(f *domain.MailingForm) { f.Name = "Other" })
	if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday, false); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, err := d.Postgres().Pool.Exec(t.Context(), "UPDATE batches SET accepted = 2"); err != nil {
		t.Fatal(err)
	}
	dbtest.Must[domain.Mailing](t)(d.Mailings().Disable(t.Context(), manager, other.ID, "spam", dbtest.Monday))
	row := dbtest.Must[db.MailingRow](t)(d.Mailings().Row(t.Context(), m.ID))
	dbtest.Same(t, "counts", []any{row.Planned, row.Accepted, row.Open(), row.OwnerEmail, row.Name, row.LastRunAt.UTC()},
		[]any{3, 2, 1, owner.Email, "News", dbtest.Monday})
	for name, tt := range map[string]struct {
		filter db.MailingFilter
		want   []int64
	}{
		"all":      {db.MailingFilter{}, []int64{other.ID, m.ID}},
		"disabled": {db.MailingFilter{Disabled: true}, []int64{other.ID}},
		"running":  {db.MailingFilter{Status: domain.Running}, []int64{m.ID}},
		"owner":    {db.MailingFilter{Query: "ANN@"}, []int64{other.ID, m.ID}},
		"own":      {db.MailingFilter{Query: "ann@", OwnerID: owner.ID}, []int64{}},
		"name":     {db.MailingFilter{Query: "othe"}, []int64{other.ID}},
	} {
		rows, total, err := d.Mailings().List(t.Context(), tt.filter)
		got := []int64{}
		for _, one := range rows {
			got = append(got, one.ID)
		}
		if err != nil || total != len(tt.want) || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v of %d, want %v, %v", name, got, total, tt.want, err)
		}
	}
}
