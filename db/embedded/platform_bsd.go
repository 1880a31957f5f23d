//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package embedded

import "syscall"

// signalOnDeath does nothing here: the next start stops what was left behind.
func signalOnDeath(*syscall.SysProcAttr, syscall.Signal) {}
