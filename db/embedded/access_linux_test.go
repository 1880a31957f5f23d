package embedded

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

// as asks the server as another role, and as another user of the system when one is named.
func as(t testing.TB, p *Postgres, role string, who *account, query string) (string, error) {
	t.Helper()
	config, err := pgx.ParseConfig(strings.Replace(p.URL(), "skychimp@", role+"@", 1))
	if err != nil {
		t.Fatal(err)
	}
	config.DialFunc = func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		dialed := make(chan struct{})
		go func() {
			defer close(dialed)
			if who != nil { // a thread of its own, which ends with the goroutine
				runtime.LockOSThread()
				if _, _, failed := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(who.uid), uintptr(who.uid), uintptr(who.uid)); failed != 0 {
					err = failed
					return
				}
			}
			conn, err = new(net.Dialer).DialContext(ctx, network, address)
		}()
		<-dialed
		return conn, err
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		return "", err
	}
	defer conn.Close(t.Context())
	results, err := conn.PgConn().Exec(t.Context(), query).ReadAll()
	if err != nil || len(results) == 0 || len(results[0].Rows) == 0 {
		return "", err
	}
	return string(results[0].Rows[0][0]), nil
}

const superusers = "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolsuper"

// wantAdmitted checks that there is no superuser called postgres, and that whoever runs as the system's postgres
// is nobody.
func wantAdmitted(t testing.TB, p *Postgres) {
	t.Helper()
	if got, err := as(t, p, superuser, nil, superusers); err != nil || got != superuser {
		t.Errorf("superusers are %q, %v", got, err)
	}
	if _, err := as(t, p, "postgres", nil, "SELECT 1"); err == nil {
		t.Error("postgres is let in")
	}
	if os.Geteuid() != 0 {
		return
	}
	service, err := serviceAccount()
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{superuser, "skychimp", "postgres"} {
		_, err := as(t, p, role, service, "SELECT 1")
		if said := fmt.Sprint(err); !strings.Contains(said, "authentication failed") && !strings.Contains(said, "no pg_hba.conf entry") {
			t.Errorf("the server's user as %s: %v", role, err)
		}
	}
}

// A cluster from before gets its own superuser at the next start, with all that it holds; also when an earlier
// start was interrupted, or the server was killed before it.
func TestSuperuser(t *testing.T) {
	dir := folder(t)
	p := start(t, dir)
	keep(t, p)
	wantAdmitted(t, p)
	for name, end := range map[string]func(){
		"stopped": func() { stop(t, p) },
		"killed": func() {
			kill(t, serverPid(t, dir))
			wantDone(t, p)
		},
		"interrupted": func() {
			stop(t, p)
			if err := ownSuperuser(t.Context(), found(t, dir)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Log(name)
		if _, err := as(t, p, superuser, nil, "CREATE ROLE other SUPERUSER; SET SESSION AUTHORIZATION other; ALTER ROLE "+superuser+
			" RENAME TO postgres; RESET SESSION AUTHORIZATION; DROP ROLE other"); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{hbaName, identName} {
			if err := os.Remove(filepath.Join(dir, file)); err != nil {
				t.Fatal(err)
			}
		}
		end()
		p = start(t, dir)
		wantKept(t, p)
		wantAdmitted(t, p)
	}
	stop(t, p)
	wantAdmitted(t, start(t, dir))
}
