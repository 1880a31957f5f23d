package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// superuser of the cluster. The program itself signs in as skychimp, which is none.
const superuser = "skychimp_admin"

// The files that say who may sign in. They stand beside the data, which may belong to a less trusted user.
const (
	hbaName   = "skychimp_hba.conf"
	identName = "skychimp_ident.conf"
)

// admit writes who may sign in: root and the user of this process, as one of our two roles. The server asks the
// kernel who is at the other end of the socket, so its own user, who may be the system's postgres, is nobody here.
func admit(at place) error {
	uids := []int{0}
	if uid := os.Geteuid(); uid != 0 {
		uids = append(uids, uid)
	}
	method := "peer map=skychimp"
	var idents strings.Builder
	for _, uid := range uids {
		who, err := user.LookupId(strconv.Itoa(uid))
		if err != nil {
			if uid != 0 {
				method = "trust" // a user without a name, as in a container: the socket's folder has to do
			}
			continue
		}
		for _, role := range []string{"skychimp", superuser} {
			fmt.Fprintf(&idents, "skychimp %s %s\n", strconv.Quote(who.Username), role)
		}
	}
	hba := fmt.Sprintf("local all skychimp,%s %s\n", superuser, method)
	return errors.Join(replace(filepath.Join(at.home, identName), idents.String()), replace(filepath.Join(at.home, hbaName), hba))
}

// replace writes a file anew, whatever stood at its place.
func replace(path, text string) error {
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// ownSuperuser gives the superuser of a cluster from before his own name: he was called postgres, like the user
// of the system, and everybody who reached the socket was let in.
func ownSuperuser(ctx context.Context, at place) error {
	if exists(filepath.Join(at.home, hbaName)) {
		return nil
	}
	// Nobody renames the role that he has signed in with.
	const rename = `DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'postgres' AND oid = 10) THEN ` +
		`CREATE ROLE skychimp_rename SUPERUSER; SET SESSION AUTHORIZATION skychimp_rename; ` +
		`ALTER ROLE postgres RENAME TO ` + superuser + `; SET SESSION AUTHORIZATION ` + superuser + `; DROP ROLE skychimp_rename; END IF; END $$` + "\n"
	for begun := time.Now(); ; {
		err := singleUser(ctx, at, at.data, "postgres", rename)
		// A killed server leaves processes that need a moment to notice.
		leftovers := err != nil && strings.Contains(err.Error(), "shared memory block")
		if !leftovers || time.Since(begun) > 30*time.Second || pause(ctx, 100*time.Millisecond) != nil {
			return err
		}
	}
}

// singleUser runs statements, one a line, while there is no server.
func singleUser(ctx context.Context, at place, data, database, statements string, options ...string) error {
	args := []string{"--single", "-D", data, "-c", "exit_on_error=on", "-c", "log_checkpoints=off"}
	single := at.command(ctx, data, "postgres", append(append(args, options...), database)...)
	single.Stdin = bytes.NewReader([]byte(statements))
	return run(single)
}
