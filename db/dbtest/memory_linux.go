package dbtest

import "syscall"

// memory is a folder of files in memory with room for the clusters of a few test binaries; empty: there is none.
func memory() string {
	const dir, room, tmpfs = "/dev/shm", 2 << 30, 0x01021994
	var system syscall.Statfs_t
	if err := syscall.Statfs(dir, &system); err != nil || system.Type != tmpfs || system.Bavail*uint64(system.Bsize) < room {
		return ""
	}
	return dir
}
