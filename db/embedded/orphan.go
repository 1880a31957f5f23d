package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopOrphan stops a server that outlived its owner, and sees to it that what a killed one left
// doesn't hinder a start. Call it with the lock held.
func stopOrphan(ctx context.Context, data string, log *slog.Logger) error {
	lines := pidFile(data)
	if len(lines) == 0 {
		return nil
	}
	pid, err := strconv.Atoi(lines[0])
	if err != nil || pid <= 0 {
		return nil //nolint:nilerr // postgres says what it thinks of such a file
	}
	sig, asked := syscall.SIGINT, time.Time{}
	for {
		alive, left := remains(data, pid)
		switch {
		case alive && time.Since(asked) > 15*time.Second:
			log.Info("stopping the private Postgres that its owner left behind", "pid", pid, "signal", sig)
			err = signal(pid, sig)
			asked, sig = time.Now(), syscall.SIGQUIT
		case !alive && len(left) > 0:
			for _, pid := range left {
				err = errors.Join(err, signal(pid, syscall.SIGKILL))
			}
		case !alive:
			return freePid(data, pid)
		}
		if err == nil || errors.Is(err, os.ErrProcessDone) {
			err = pause(ctx, 10*time.Millisecond)
		}
		if err != nil {
			return fmt.Errorf("the server left behind, process %d, doesn't end: %w", pid, err)
		}
	}
}

// remains tells whether the process is a server of this folder, and which processes of a server
// there are besides: without it they still write to the data.
func remains(data string, pid int) (alive bool, left []int) {
	for number, line := range processes() {
		if strings.HasPrefix(line, "postgres: "+clusterName(data)+": ") {
			left = append(left, number)
		} else if number == pid {
			alive = strings.Contains(line, "postgres ") && strings.Contains(line, " "+data+" ")
		}
	}
	return alive, left
}

// freePid takes the number out of the pid file when a stranger has it by now, for postgres would
// refuse to start then. The rest stays: by it postgres knows whether something still writes.
func freePid(data string, pid int) error {
	err := signal(pid, 0)
	lines := pidFile(data)
	if len(lines) == 0 || err != nil && !errors.Is(err, os.ErrPermission) {
		return nil
	}
	lines[0] = strconv.Itoa(1<<31 - 1) // above the largest of any system
	return writePidFile(data, lines)
}

// signal fails when there is no such process or it is out of reach.
func signal(pid int, sig syscall.Signal) error {
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return process.Signal(sig)
}

// writePidFile replaces the lines of an existing pid file.
func writePidFile(data string, lines []string) error {
	file, err := os.OpenFile(filepath.Join(data, "postmaster.pid"), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(strings.Join(lines, "\n") + "\n")
	return errors.Join(err, file.Close())
}

// processes are the command lines of all processes, words separated and ended by a space.
func processes() map[int]string {
	all := map[int]string{}
	if !exists("/proc/self/cmdline") {
		listed, _ := exec.Command("ps", "-A", "-ww", "-o", "pid=,command=").Output()
		for line := range strings.Lines(string(listed)) {
			number, command, _ := strings.Cut(strings.TrimSpace(line), " ")
			if pid, err := strconv.Atoi(number); err == nil {
				all[pid] = command + " "
			}
		}
		return all
	}
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, _ := os.ReadFile(file) // it may have ended meanwhile
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		all[pid] = string(bytes.ReplaceAll(bytes.TrimRight(line, "\x00"), []byte{0}, []byte(" "))) + " "
	}
	return all
}
