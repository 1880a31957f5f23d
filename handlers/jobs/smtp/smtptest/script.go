// Package smtptest is a mail server that behaves as its script says: an instrument for
// tests and measurements. It logs every email and never passes one on.
package smtptest

import (
	"time"

	"skychimp/domain"
)

// TLS is what a server does about STARTTLS (or smtps, see Script.Implicit).
type TLS int

// The kinds of TLS.
const (
	NoTLS      TLS = iota // not offered
	GoodTLS               // a certificate that Server.Roots trusts
	BadTLS                // an expired one for another name, which nobody trusts
	GarbageTLS            // says 220 and then speaks no TLS
)

// Stages that only a server knows. StageBody is the middle of an email, before its end of data: no answer
// is due, so only Delay, Hang and Drop act there.
const (
	StageBody  domain.Stage = "body"
	StageReset domain.Stage = "reset"
	StageQuit  domain.Stage = "quit"
)

// Script says how a server behaves. The zero Script takes every email.
type Script struct {
	Addr string // where to listen; empty: a free port of 127.0.0.1

	DSN bool // offered

	NoEHLO, NoPipelining, NoSMTPUTF8, No8BitMIME bool

	Size        int // offered as SIZE, and more is refused; 0: no limit
	TLS         TLS
	Implicit    bool              // TLS from the first byte
	Users       map[string]string // passwords; AUTH is offered when there are any
	Mechanisms  string            // for AUTH; empty: PLAIN LOGIN CRAM-MD5
	OldAuth     bool              // offered as AUTH=, as before RFC 2554
	RequireAuth bool              // 530 to MAIL before AUTH

	EmailsPerConn int           // then 421; 0: no limit
	Latency       time.Duration // waited before each write, as a far server's round trip

	// On is asked before every answer; it is called by all connections at once.
	On func(Event) Action
	// Before and After run exactly before and after the 250 to an email is written.
	Before, After func(Email)

	KeepRaw bool   // keep the emails' bytes
	Count   bool   // only count emails: for long measurements
	Log     string // a file that gets a line for every end of data and every answer to one
}

// Event is an answer that is due.
type Event struct {
	Conn  int // number of the connection, from 1
	Nth   int // number of the email on this connection, from 1; 0 before the first MAIL
	Email int // number of the email on the server, from 1
	Stage domain.Stage
	From  string
	To    string
}

// Action is what happens instead of the normal answer. The zero Action is the normal one.
// Drop at StageData closes before the email, at StageBody in its middle, at StageEndOfData after it has
// come whole.
type Action struct {
	Delay     time.Duration
	Hang      bool   // until Server.Release
	Drop      bool   // close the connection without an answer
	Answer    string // "550 5.1.1 no such user"; lines parted by \n; 421 closes, too
	DropAfter bool   // close the connection after the answer
}

// Answer is a script that answers one stage of every email in one way: a refusal for all.
func Answer(stage domain.Stage, answer string) func(Event) Action {
	return At(stage, Action{Answer: answer})
}

// At is a script that acts at one stage of every email.
func At(stage domain.Stage, action Action) func(Event) Action {
	return func(e Event) Action {
		if e.Stage == stage {
			return action
		}
		return Action{}
	}
}

// For is a script that acts at one stage for one recipient.
func For(to string, stage domain.Stage, action Action) func(Event) Action {
	return func(e Event) Action {
		if e.Stage == stage && e.To == to {
			return action
		}
		return Action{}
	}
}

// Nth is a script that acts at one stage of every n-th email of the server.
func Nth(n int, stage domain.Stage, action Action) func(Event) Action {
	return func(e Event) Action {
		if e.Stage == stage && e.Email > 0 && e.Email%n == 0 {
			return action
		}
		return Action{}
	}
}

// First is the first of several scripts that has something to say.
func First(scripts ...func(Event) Action) func(Event) Action {
	return func(e Event) Action {
		for _, script := range scripts {
			if action := script(e); action != (Action{}) {
				return action
			}
		}
		return Action{}
	}
}
