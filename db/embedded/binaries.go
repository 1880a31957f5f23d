package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

const (
	fetched    = embeddedpostgres.V18
	repository = "https://repo1.maven.org/maven2"
)

// installed are the places of systems that keep Postgres away from PATH.
var installed = []string{
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*",
	"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
}

var (
	digits        = regexp.MustCompile(`\d+`)
	serverVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)
)

// findBinaries completes the place with the programs to use: the first on PATH, else the newest
// installed, else fetched ones. Existing data asks for the major version that made it.
func findBinaries(ctx context.Context, at place) (place, error) {
	want := majorOfData(at.data)
	var err error
	cache := cacheFolder(at)
	cached := filepath.Join(cache, "bin")
	var found []string
	for _, at.bin = range append(candidates(), cached) {
		if at.major, err = majorOf(ctx, at); err != nil {
			continue // there is none, or the server's user may not run it
		}
		if want == "" || want == at.major {
			return at, nil
		}
		found = append(found, at.major)
	}
	if ctx.Err() != nil {
		return at, ctx.Err()
	}
	if len(found) == 0 {
		if err := fetch(ctx, cache, repository); err != nil {
			return at, fmt.Errorf("no PostgreSQL on PATH or in the usual places: install it (the package is postgresql on "+
				"Debian, Ubuntu and Alpine, postgresql-server on Fedora, postgresql@18 in Homebrew) or set DATABASE_URL; "+
				"fetching it failed too: %w", err)
		}
		at.bin = cached
		if at.major, err = majorOf(ctx, at); err != nil || want == "" || want == at.major {
			return at, err
		}
		found = []string{at.major}
	}
	return at, fmt.Errorf("the data was made by PostgreSQL %[1]s, but here is only PostgreSQL %[2]s: install PostgreSQL %[1]s, "+
		"or dump the data with it and load the dump into a new folder", want, strings.Join(found, " and "))
}

// candidates are the folders that have both programs.
func candidates() []string {
	var others []string
	for _, pattern := range installed {
		dirs, _ := filepath.Glob(pattern) // fails only on a wrong pattern
		others = append(others, dirs...)
	}
	number := func(dir string) int {
		n, _ := strconv.Atoi(digits.FindString(dir))
		return n
	}
	slices.SortStableFunc(others, func(a, b string) int { return cmp.Compare(number(b), number(a)) })
	all := append(filepath.SplitList(os.Getenv("PATH")), others...)
	return slices.DeleteFunc(all, func(dir string) bool {
		return !filepath.IsAbs(dir) || !exists(filepath.Join(dir, "initdb")) || !exists(filepath.Join(dir, "postgres"))
	})
}

// majorOf asks the postgres in at.bin, as the server's user.
func majorOf(ctx context.Context, at place) (string, error) {
	out, err := at.command(ctx, "/", "postgres", "--version").Output()
	if err != nil {
		return "", err
	}
	match := serverVersion.FindSubmatch(out)
	if match == nil {
		return "", fmt.Errorf("unknown version %q", out)
	}
	return string(match[1]), nil
}

// majorOfData is empty when there is no data.
func majorOfData(data string) string {
	text, _ := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	return strings.TrimSpace(string(text))
}

// cacheFolder is where fetched programs are kept, for all folders alike.
func cacheFolder(at place) string {
	name := "postgresql-" + string(fetched)
	if at.as != nil {
		return filepath.Join(rootsHome, name)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = at.home // a user without a home
	}
	return filepath.Join(dir, "skychimp", name)
}

// fetch puts the programs into dir. The library that fetches them starts a server as well; it gets
// a cluster that claims to be complete and isn't, so that it fails right after it has unpacked.
func fetch(ctx context.Context, dir, from string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "fetch-")
	if err != nil {
		return err
	}
	major, _, _ := strings.Cut(string(fetched), ".")
	data := filepath.Join(work, "data")
	if err := errors.Join(os.Mkdir(data, 0o700), os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte(major+"\n"), 0o600)); err != nil {
		return err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0") // the library insists on a free port
	if err != nil {
		return err
	}
	_ = free.Close()
	unpacked := filepath.Join(work, "postgresql")
	library := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().Version(fetched).
		Port(uint32(free.Addr().(*net.TCPAddr).Port)).BinaryRepositoryURL(from).
		CachePath(filepath.Join(work, "cache")).RuntimePath(filepath.Join(work, "run")).
		DataPath(data).BinariesPath(unpacked).Logger(io.Discard))
	ended := make(chan error, 1)
	go func() {
		err := library.Start()
		if err == nil || strings.HasPrefix(err.Error(), "could not start postgres") {
			err = errors.Join(os.Chmod(unpacked, 0o755), os.Rename(unpacked, dir))
		}
		ended <- errors.Join(err, os.RemoveAll(work))
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
