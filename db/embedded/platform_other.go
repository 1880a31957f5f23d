//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package embedded

import (
	"errors"
	"os"
	"syscall"
)

func acquire(string) (*os.File, error) {
	return nil, errors.New("this system can't run it; set DATABASE_URL to a Postgres of your own")
}

func ownerOf(string) (account, bool) { return account{}, false }

func markOf(string) string { return "" }

func attributes(*account, syscall.Signal) *syscall.SysProcAttr { return nil }
