package postgres_test

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/dbtest/faultproxy"
)

// A process that got no time while it waited for an answer doesn't know whether the database is away.
func TestAliveOnABusyMachine(t *testing.T) {
	proxy := faultproxy.Postgres(t, dbtest.URL(t))
	database, err := db.Open(proxy.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Close)
	resume := proxy.Stall()
	defer resume()
	if err := database.Postgres().Alive(); err == nil {
		t.Error("a database that doesn't answer is not away")
	}
	for range 5 { // it may stop too early or too late
		if err = frozen(t, database.Postgres().Alive); err == nil {
			return
		}
	}
	t.Error(err)
}

// frozen is what do gives while this process stands still for a second.
func frozen(t *testing.T, do func() error) error {
	t.Helper()
	wake := exec.Command("sh", "-c", fmt.Sprintf("sleep 1; kill -CONT %d", os.Getpid()))
	if err := wake.Start(); err != nil {
		t.Fatal(err)
	}
	begun, answer := make(chan struct{}), make(chan error)
	go func() {
		close(begun)
		answer <- do()
	}()
	<-begun
	time.Sleep(50 * time.Millisecond)
	if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = wake.Wait() }()
	return <-answer
}
