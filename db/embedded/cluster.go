package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// create makes the cluster with the role and the database, beside its place until it is complete.
// One that was interrupted starts anew.
func create(ctx context.Context, at place, opts Options) error {
	fresh := at.data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := makeFolder(fresh, at.as); err != nil {
		return err
	}
	locale := []string{"--locale", "C.UTF-8"} // the C locale would leave Cyrillic as it is in lower()
	if major, _ := strconv.Atoi(at.major); major >= 17 {
		locale = append(locale, "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8")
	}
	initdb := at.command(ctx, fresh, "initdb", append(locale, "--pgdata", fresh, "--encoding", "UTF8",
		"--username", superuser, "--auth-local", "peer", "--auth-host", "reject", "--no-sync")...)
	if err := run(initdb); err != nil {
		return err
	}
	const ours = "CREATE ROLE skychimp LOGIN\nCREATE DATABASE skychimp OWNER skychimp\n"
	if err := singleUser(ctx, at, fresh, "postgres", ours, "-c", "fsync=off"); err != nil {
		return err
	}
	if opts.NoFsync {
		return os.Rename(fresh, at.data)
	}
	if err := run(at.command(ctx, fresh, "initdb", "--sync-only", "--pgdata", fresh)); err != nil {
		return err
	}
	if err := os.Rename(fresh, at.data); err != nil {
		return err
	}
	home, err := os.Open(at.home)
	if err != nil {
		return err
	}
	return errors.Join(home.Sync(), home.Close())
}

// arguments of the server: all settings stand here, so that a newer program brings newer ones.
func arguments(at place, sockets string, opts Options) []string {
	settings := map[string]string{
		"listen_addresses":        "",
		"unix_socket_directories": sockets,
		"unix_socket_permissions": "0700",
		"port":                    port,
		"hba_file":                filepath.Join(at.home, hbaName),
		"ident_file":              filepath.Join(at.home, identName),
		"cluster_name":            clusterName(at.data), // part of the processes' titles
		"max_connections":         "200",

		// A small machine that also runs the program, with an SSD.
		"shared_buffers":   "256MB",
		"work_mem":         "8MB",
		"random_page_cost": "1.1",
		"jit":              "off", // compiling costs our short queries more than it gives

		// Sending writes all the time: large, rare checkpoints keep it even.
		"wal_buffers":        "16MB",
		"wal_compression":    "on",
		"max_wal_size":       "2GB",
		"checkpoint_timeout": "15min",

		"timezone":    "UTC",
		"lc_messages": "C", // the log is read by its English levels
		// Failed statements are the program's to report, not the server's.
		"log_min_messages": "log",
		"log_checkpoints":  "off",
		"log_destination":  "stderr",
		"log_line_prefix":  "",
	}
	if opts.NoFsync {
		maps.Copy(settings, map[string]string{"fsync": "off", "full_page_writes": "off"})
	}
	maps.Copy(settings, opts.Settings)
	args := []string{"-D", at.data}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

func clusterName(data string) string { return "skychimp-" + hash(data) }

// command prepares a program of Postgres as the server's user. Its environment has none of the
// program's secrets and none of the variables that bend Postgres.
func (at place) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(at.bin, name), args...)
	cmd.Dir = dir
	cmd.Env = []string{"LC_ALL=C"}
	for _, name := range []string{"PATH", "TMPDIR", "LD_LIBRARY_PATH", "LOCPATH", "LOCALE_ARCHIVE"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.SysProcAttr = attributes(at.as, syscall.SIGKILL)
	cmd.WaitDelay = time.Second // processes that a killed program leaves hold its output open
	return cmd
}

// run runs a short program; the error tells what it said.
func run(cmd *exec.Cmd) error {
	// The kernel ends the child when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}
