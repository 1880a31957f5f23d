package db_test

import (
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/dbtest/faultproxy"
)

// TestReady: one asks for all who probe, and no answer outlives the database for long.
func TestReady(t *testing.T) {
	proxy := faultproxy.Postgres(t, dbtest.URL(t))
	d, err := db.Open(proxy.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	if _, err := d.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	asked := queries(d, func() {
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				if still, err := d.Ready(t.Context()); still || err != nil {
					t.Error(still, err)
				}
			})
		}
		all.Wait()
	})
	if most := int64(time.Since(begun)/(200*time.Millisecond)) + 1; asked > most {
		t.Errorf("1000 probes in %v asked %d times, want %d at most", time.Since(begun), asked, most)
	}
	proxy.Refuse(true)
	proxy.Cut()
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if _, err := d.Ready(t.Context()); err != nil {
			break
		}
		if time.Since(begun) > 10*time.Second {
			t.Fatal("ready without a database")
		}
	}
}
