//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// acquire opens the lock's file and locks it until it is closed; nil without an error means that
// somebody else holds it. The folder may belong to a less trusted user than root, so links are
// refused.
func acquire(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return file, nil
}

// ownerOf tells whose the file is.
func ownerOf(path string) (account, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return account{}, false
	}
	stat := info.Sys().(*syscall.Stat_t)
	return account{stat.Uid, stat.Gid}, true
}

// markOf tells a cluster from a copy of its files. Postgres writes this file in place as long as the cluster lives.
func markOf(data string) string {
	path := filepath.Join(data, "global", "pg_control")
	if birth := birthOf(path); birth != "" {
		return birth
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("inode %d", info.Sys().(*syscall.Stat_t).Ino)
}

// attributes of a child that runs as the user (nil: as ourselves), out of reach of the terminal's
// signals, and that gets the signal death when the thread that started it ends.
func attributes(as *account, death syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if as != nil {
		attr.Credential = &syscall.Credential{Uid: as.uid, Gid: as.gid}
	}
	signalOnDeath(attr, death)
	return attr
}
