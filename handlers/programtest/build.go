package programtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// build makes the program once for all tests of a package, and gives its file. Packages are tested at
// the same time: the first one builds it, the others find that nothing has changed.
var build = sync.OnceValues(func() (file string, err error) {
	module, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(filepath.Dir(strings.TrimSpace(string(module))), "bin")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	lock, err := os.Create(filepath.Join(folder, "under-test.lock"))
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	file = filepath.Join(folder, "skychimp-under-test")
	command := exec.Command("go", "build", "-o", file, "skychimp")
	command.Stderr = os.Stderr
	return file, command.Run()
})
