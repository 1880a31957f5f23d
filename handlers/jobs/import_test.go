package jobs

import (
	"errors"
	"strings"
	"testing"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// startedImport is a list that waits for its worker.
func startedImport(t *testing.T, d *db.DB, text string) domain.Import {
	t.Helper()
	user := domain.User{Email: "ann@owners.example", Name: "Ann", Role: domain.RoleUser}
	if err := d.Users().Create(t.Context(), &user); err != nil {
		t.Fatal(err)
	}
	list := domain.Import{OwnerID: user.ID, FileName: "list.csv", Status: domain.ImportChecked}
	if err := d.Imports().Create(t.Context(), &list, domain.SplitCSV(strings.NewReader(text), ',')); err != nil {
		t.Fatal(err)
	}
	if err := d.Imports().Start(t.Context(), user.ID, list.ID, domain.ImportMapping{Columns: []string{"email"}}); err != nil {
		t.Fatal(err)
	}
	return list
}

func importJob(id int64, attempt int) *river.Job[domain.ImportJob] {
	return &river.Job[domain.ImportJob]{JobRow: &rivertype.JobRow{Attempt: attempt}, Args: domain.ImportJob{ImportID: id}}
}

func TestImportWorker(t *testing.T) {
	d := dbtest.New(t)
	list := startedImport(t, d, "a@example.com\nnobody\nb@example.com\n")
	w := &ImportWorker{DB: d}
	for range 2 {
		if err := w.Work(t.Context(), importJob(list.ID, 1)); err != nil {
			t.Fatal(err)
		}
		got, err := d.Imports().Get(t.Context(), list.OwnerID, list.ID)
		if err != nil || got.Status != domain.ImportDone || got.Created != 2 || got.Bad != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	if err := w.Work(t.Context(), importJob(list.ID+1000, 1)); err != nil {
		t.Errorf("a list whose owner is gone: %v", err)
	}
}

func TestImportWorkerGivesUp(t *testing.T) {
	d := dbtest.New(t)
	list := startedImport(t, d, "a@example.com\n")
	if _, err := d.Postgres().Pool.Exec(t.Context(), `UPDATE import_parts SET content = 'torn'`); err != nil {
		t.Fatal(err)
	}
	w := &ImportWorker{DB: d}
	for attempt := 1; attempt <= importTries; attempt++ {
		err := w.Work(t.Context(), importJob(list.ID, attempt))
		var cancelled *rivertype.JobCancelError
		if err == nil || errors.As(err, &cancelled) != (attempt == importTries) {
			t.Errorf("try %d: %v", attempt, err)
		}
		want := domain.ImportQueued
		if attempt == importTries {
			want = domain.ImportFailed
		}
		if got, err := d.Imports().Get(t.Context(), list.OwnerID, list.ID); err != nil || got.Status != want {
			t.Errorf("try %d: %s, %v", attempt, got.Status, err)
		}
	}
}
