package engine

import (
	"net/mail"
	"slices"

	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/domain/email"
)

// letterhead is whom the emails of a run are from, and who signs them.
type letterhead struct {
	from, replyTo mail.Address
	signer        *email.Signer
}

// letterhead of a run: that of the installation, or of the owner's domain where that was green at its planning.
func (f *fetcher) letterhead(run outbox.SendingRun) (letterhead, error) {
	head := letterhead{from: mail.Address{Name: run.From.Name, Address: f.settings.From.Address},
		replyTo: mail.Address{Name: run.From.Name, Address: run.From.ReplyTo}, signer: f.settings.Signer}
	if run.From.DomainID == 0 {
		return head, nil
	}
	head.from.Address = run.From.Email
	var err error
	head.signer, err = f.settings.SignerOf(run.SenderDomain)
	return head, err
}

// SignerOf signs with the keys of a domain: with RSA, and with ed25519 where its record is there, because a key that
// nobody finds makes a signature that fails.
func (s *Settings) SignerOf(d domain.SenderDomain) (*email.Signer, error) {
	keys, _, err := s.Vault.Open(d.RSASelector, d.RSAKey)
	if err != nil {
		return nil, err
	}
	selectors := d.RSASelector
	if slices.ContainsFunc(d.Records, func(r domain.DNSRecord) bool { return r.Kind == domain.RecordEd25519 && r.Good() }) {
		second, _, err := s.Vault.Open(d.Ed25519Selector, d.Ed25519Key)
		if err != nil {
			return nil, err
		}
		keys, selectors = append(keys, second...), selectors+","+d.Ed25519Selector
	}
	return email.NewSigner(keys, selectors, d.Domain)
}
