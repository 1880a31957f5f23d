package main_test

import (
	"sync"
	"testing"
	"time"

	"skychimp/db/dbtest/faultproxy"
	"skychimp/db/statement"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// Faults are armed on the names of statements: one that the program never sends would disarm them.
func TestFaultNamesAreSent(t *testing.T) {
	t.Parallel()
	f := newFault(t, smtptest.Script{})
	var sent sync.Map
	f.behindProxy().Watch(func(s faultproxy.Statement, _ faultproxy.Moment) faultproxy.Action {
		sent.Store(s.Name(), true)
		return faultproxy.Pass
	})
	f.due(time.Now(), f.fill(10_300)) // more than the first part of a plan
	f.start()
	f.until("the run is closed", f.closed)
	for _, name := range statement.All() {
		if _, found := sent.Load(name); !found {
			t.Errorf("the program sent no statement named %s", name)
		}
	}
}
