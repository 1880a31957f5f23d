package db_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"skychimp/db"
	"skychimp/db/dbtest"
)

// A managed database may refuse to tell its cluster, and a later one may not: neither is a copy.
func TestLocateWithoutCluster(t *testing.T) {
	address := dbtest.URL(t)
	super, err := pgx.Connect(t.Context(), strings.Replace(address, "skychimp@", "skychimp_admin@", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer super.Close(t.Context())
	d, err := db.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, statement := range []string{"REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC", "GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC"} {
		if _, err := super.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		if hold, err := d.Installation().Locate(t.Context(), ""); err != nil || hold.On {
			t.Errorf("after %s: %+v, %v", statement, hold, err)
		}
	}
	var cluster string
	if err := d.Postgres().Pool.QueryRow(t.Context(), "SELECT cluster FROM installation").Scan(&cluster); err != nil || cluster == "" {
		t.Errorf("the cluster is %q, %v", cluster, err)
	}
	// Now that it is known, another one is a copy.
	if _, err := d.Postgres().Pool.Exec(t.Context(), "UPDATE installation SET cluster = '1'"); err != nil {
		t.Fatal(err)
	}
	if hold, err := d.Installation().Locate(t.Context(), ""); err != nil || !hold.On || !hold.Copied || hold.Since.IsZero() {
		t.Errorf("%+v, %v", hold, err)
	}
}

// Only the data of a dump, restored into tables that another program has used already.
func TestRestoredBesideAnother(t *testing.T) {
	d := dbtest.New(t)
	mine, theirs := []byte("the secret of this place, 32 char"), []byte("the secret of the backup, 32 char")
	if hold, err := d.Installation().Locate(t.Context(), "here"); err != nil || hold.On {
		t.Fatal(hold, err)
	}
	if err := d.Installation().CheckSecret(t.Context(), theirs, nil, false); err != nil {
		t.Fatal(err)
	}
	_, err := d.Postgres().Pool.Exec(t.Context(), `INSERT INTO installation SELECT '7', 5, 1, folder, secret FROM installation`)
	if err == nil {
		_, err = d.Postgres().Pool.Exec(t.Context(), `UPDATE installation SET secret = NULL WHERE relation <> 1`)
	}
	if err != nil {
		t.Fatal(err)
	}
	if hold, err := d.Installation().Hold(t.Context()); err != nil || !hold.On || !hold.Copied {
		t.Errorf("at once: %+v, %v", hold, err)
	}
	if hold, err := d.Installation().Locate(t.Context(), "here"); err != nil || !hold.Copied {
		t.Errorf("%+v, %v", hold, err)
	}
	if err := d.Installation().CheckSecret(t.Context(), mine, nil, false); !errors.Is(err, db.ErrOtherSecret) {
		t.Errorf("the links of the backup would be void: %v", err)
	}
	if err := d.Installation().HoldOff(t.Context(), "here"); err != nil {
		t.Fatal(err)
	}
	if hold, err := d.Installation().Locate(t.Context(), "here"); err != nil || hold.On {
		t.Errorf("%+v, %v", hold, err)
	}
	if err := d.Installation().CheckSecret(t.Context(), mine, theirs, false); err != nil {
		t.Errorf("with the secret of the backup: %v", err)
	}
	if hold, err := d.Installation().Locate(t.Context(), "elsewhere"); err != nil || !hold.Copied {
		t.Errorf("copied files: %+v, %v", hold, err)
	}
}
