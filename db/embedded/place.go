package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
)

const (
	rootsHome = "/var/lib/skychimp" // root's server lives here when it can't reach the folder
	port      = "5432"              // only a part of the socket's name

	socketName = "/.s.PGSQL." + port
)

var plain = regexp.MustCompile(`^[\w./-]+$`)

// place is where a cluster lives and as whom it runs.
type place struct {
	home string   // holds the lock and, while it is made, the cluster; ours
	data string   // the cluster; the server's
	as   *account // nil: as ourselves

	bin   string // the folder of initdb and postgres; empty until found
	major string // their major version
}

// account is a user of the system.
type account struct{ uid, gid uint32 }

// locate decides where dir's cluster lives and as whom it runs.
func locate(dir string) (place, error) {
	at, linked, err := placeIn(dir)
	if err != nil {
		return place{}, err
	}
	root := os.Geteuid() == 0
	owner, found := ownerOf(at.data)
	switch {
	case found:
		if err := mayRun(at.data, owner, root); err != nil {
			return place{}, err
		}
		if root {
			at.as = &owner
		}
	case root:
		if at, err = at.served(linked); err != nil {
			return place{}, err
		}
	}
	return at, os.MkdirAll(at.home, 0o755)
}

// served is where a new cluster of root's goes, as the user of the system who has it: somewhere else unless
// a link leads there or that user can reach it.
func (at place) served(linked bool) (place, error) {
	var err error
	if at.as, err = serviceAccount(); err != nil || linked || reachable(at.home, at.as) {
		return at, err
	}
	return at.elsewhere()
}

// placeIn is dir itself, made if it isn't there, or where the link in it leads.
func placeIn(dir string) (at place, linked bool, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return place{}, false, err
	}
	// The server's user passes through the folder, nobody else needs to list it.
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return place{}, false, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return place{}, false, err
	}
	at = place{home: dir, data: filepath.Join(dir, "data")}
	target, err := os.Readlink(at.data)
	if err != nil {
		return at, false, nil //nolint:nilerr // no link
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(dir, target)
	}
	return place{home: filepath.Dir(target), data: target}, true, nil
}

// mayRun refuses a cluster that belongs to root, or that only its owner or root could start.
func mayRun(data string, owner account, root bool) error {
	switch {
	case root && owner.uid == 0:
		return fmt.Errorf("%s belongs to root, as whom Postgres refuses to run: chown -R it to another user", data)
	case !root && int(owner.uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to the user with the id %d: start as that user or as root", data, owner.uid)
	}
	return nil
}

// elsewhere is a place that the server's user can reach, with a link to it where the cluster was to be.
func (at place) elsewhere() (place, error) {
	link := at.data
	at.home = filepath.Join(rootsHome, hash(at.home))
	at.data = filepath.Join(at.home, "data")
	if err := os.Symlink(at.data, link); err != nil && !errors.Is(err, os.ErrExist) {
		return place{}, err
	}
	return at, nil
}

// serviceAccount is the user that root's server runs as.
func serviceAccount() (*account, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		return &account{uint32(uid), uint32(gid)}, err
	}
	return nil, errors.New("Postgres refuses to run as root, and there is no user postgres or nobody")
}

// reachable tells whether the user can work below dir, by trying.
func reachable(dir string, as *account) bool {
	cmd := exec.Command("/bin/sh", "-c", ":")
	cmd.Dir = dir
	cmd.SysProcAttr = attributes(as, 0)
	return cmd.Run() == nil
}

// socketFolder is the cluster's own folder when its path fits, else a private one for temporary
// files. A unix socket's name has 104 bytes on some systems, with the final zero; and an address has
// no way to write a comma in a folder's name.
func socketFolder(at place) (string, error) {
	fits := func(dir string) bool { return len(dir+socketName) < 104 && plain.MatchString(dir) }
	if fits(at.data) {
		return at.data, nil
	}
	for _, base := range []string{os.TempDir(), "/tmp"} {
		dir := filepath.Join(base, clusterName(at.data))
		if !fits(dir) || at.as != nil && !reachable(base, at.as) {
			continue
		}
		if err := makeFolder(dir, at.as); err != nil && !errors.Is(err, os.ErrExist) {
			return "", err
		}
		// Everybody may write to base: somebody else may have been there first.
		info, err := os.Lstat(dir)
		if err != nil {
			return "", err
		}
		wanted := uint32(os.Geteuid())
		if at.as != nil {
			wanted = at.as.uid
		}
		if owner, _ := ownerOf(dir); info.Mode() != os.ModeDir|0o700 || owner.uid != wanted {
			return "", fmt.Errorf("%s is not a private folder of the server's user: remove it", dir)
		}
		return dir, nil
	}
	return "", errors.New("no folder with a path short and plain enough for a unix socket")
}

// makeFolder makes a folder that only its user may enter.
func makeFolder(dir string, as *account) error {
	if err := os.Mkdir(dir, 0o700); err != nil || as == nil {
		return err
	}
	return os.Chown(dir, int(as.uid), int(as.gid))
}

// hash is a short name for a path.
func hash(path string) string {
	sum := sha256.Sum256([]byte(path))
	return hex.EncodeToString(sum[:6])
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
