package embedded

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

func signalOnDeath(attr *syscall.SysProcAttr, death syscall.Signal) { attr.Pdeathsig = death }

// birthOf is when the file was made. No program that copies files can copy that.
func birthOf(path string) string {
	var found unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BTIME, &found); err != nil || found.Mask&unix.STATX_BTIME == 0 {
		return ""
	}
	return fmt.Sprintf("born %d.%09d", found.Btime.Sec, found.Btime.Nsec)
}
