package faulttest

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
	env := newEnv(t, smtptest.Script{})
	var sent sync.Map
	env.behindProxy().Watch(func(s faultproxy.Statement, _ faultproxy.Moment) faultproxy.Action {
		sent.Store(s.Name(), true)
		return faultproxy.Pass
	})
	owner := env.owner(10_300)
	env.due(time.Now(), env.mailing(owner)) // more than the first part of a plan
	env.series(owner, 1, true)
	env.tested(env.owner(50))
	env.start()
	env.until("the run is closed", env.closed)
	for _, name := range statement.All() {
		if _, found := sent.Load(name); !found {
			t.Errorf("the program sent no statement named %s", name)
		}
	}
}
