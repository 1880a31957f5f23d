package smtp

import (
	"errors"
	"net"
	"testing"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// farConn is a connection to a server that seems to be far away: what is said there could
// be heard.
type farConn struct{ net.Conn }

func (farConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25} }

func TestPasswordStaysOffTheWire(t *testing.T) {
	for name, c := range map[string]struct {
		tls     smtptest.TLS
		trusted bool
		stage   domain.Stage // where it fails; empty: it signs in
	}{
		"no TLS":               {smtptest.NoTLS, false, domain.StageTLS},
		"a bad certificate":    {smtptest.BadTLS, false, domain.StageTLS},
		"one of somebody else": {smtptest.GoodTLS, false, domain.StageTLS},
		"garbage":              {smtptest.GarbageTLS, false, domain.StageTLS},
		"a good certificate":   {smtptest.GoodTLS, true, ""},
	} {
		s := smtptest.Start(t, smtptest.Script{TLS: c.tls, Users: map[string]string{"me": "pw"}, On: func(e smtptest.Event) smtptest.Action {
			if e.Stage == domain.StageAuth && c.stage != "" {
				t.Errorf("%s: the password is out", name)
			}
			return smtptest.Action{}
		}})
		to, err := ParseURL("smtp://me:pw@" + s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if c.trusted {
			to.RootCAs = s.Roots()
		}
		raw, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		conn := &Conn{wire: newWire(farConn{raw}), server: to}
		err = conn.begin(t.Context())
		conn.Abort()
		if f, ok := errors.AsType[*Failure](err); ok != (c.stage != "") || ok && (f.Stage != c.stage || f.Status() != domain.SenderBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
