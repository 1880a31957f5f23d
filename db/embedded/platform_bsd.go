//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package embedded

import "syscall"

// signalOnDeath does nothing here: the next start stops what was left behind.
func signalOnDeath(*syscall.SysProcAttr, syscall.Signal) {}

// birthOf is not asked here: the inode has to do.
func birthOf(string) string { return "" }
