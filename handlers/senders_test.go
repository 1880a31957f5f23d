package handlers

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/domain"
	"skychimp/domain/emailauth"
	"skychimp/handlers/resolver"
	"skychimp/handlers/resolver/dnstest"
)

// sendersEnv is the site with a DNS server of its own.
func sendersEnv(t *testing.T) (*env, *dnstest.Server) {
	t.Helper()
	dns := dnstest.New(t)
	return envOn(t, dbtest.New(t), func(c *Config) { c.DNS = resolver.New(dns.Addr) }), dns
}

// sender is a new sender of the owner.
func (w *env) sender(t *testing.T, owner domain.User, email string) domain.Sender {
	t.Helper()
	s := domain.Sender{OwnerID: owner.ID}
	if err := s.Change(domain.SenderForm{Name: "Shop", Email: email}, owner, time.Now()); err != nil {
		t.Fatal(err)
	}
	vault, err := emailauth.NewVault([]byte(password))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.db.Senders().Create(t.Context(), &s, vault); err != nil {
		t.Fatal(err)
	}
	return s
}

// confirmation is the link that an email to the sender's mailbox would have.
func (w *env) confirmation(t *testing.T, id int64, secret string) string {
	t.Helper()
	bare := fmt.Sprintf("%032s", secret)
	hash := sha256.Sum256([]byte(bare))
	if err := w.db.Tokens().Create(t.Context(), hash[:], id, domain.TokenSender, time.Now()); err != nil {
		t.Fatal(err)
	}
	return "/senders/confirm/" + base64.RawURLEncoding.EncodeToString([]byte(bare))
}

// publishRecords has DNS hold what the sender's page asks for.
func (w *env) publishRecords(t *testing.T, dns *dnstest.Server, owner, id int64) domain.SenderDomain {
	t.Helper()
	s, err := w.db.Senders().Get(t.Context(), owner, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range s.Domain.Wanted() {
		half := len(one.Value) / 2
		dns.Set(t, one.Name, `TXT "`+one.Value[:half]+`" "`+one.Value[half:]+`"`)
	}
	return s.Domain
}

func TestSendersPlainForms(t *testing.T) {
	w, dns := sendersEnv(t)
	user, b := w.owner(t, "ann")
	b.get("/senders").is(t, 200, "<html", "No senders yet", `href="/senders/new"`)
	b.get("/senders/new").is(t, 200, "<html", `name="name"`, `name="email"`, `name="reply_to"`, `value="`+user.Name+`"`)
	path := b.post("/senders", "name", "Shop <b>", "email", "news@Shop.example", "reply_to", "help@shop.example").is(t, 303).Header.Get("Location")
	rows, err := w.db.Senders().List(t.Context(), user.ID)
	if err != nil || len(rows) != 1 || path != fmt.Sprint("/senders/", rows[0].ID) || rows[0].Email != "news@shop.example" {
		t.Fatalf("%v %s %+v", err, path, rows)
	}
	d := rows[0].Domain
	b.get(path).is(t, 200, "<html", "Shop &lt;b&gt;", "written to news@shop.example", "replies go to help@shop.example", "Mailbox not confirmed", "Domain not set up",
		d.RSASelector+"._domainkey.shop.example", d.Ed25519Selector+"._domainkey.shop.example", "_dmarc.shop.example", "v=DKIM1; k=rsa; p="+strings.ReplaceAll(d.RSAPublic, "+", "&#43;"),
		"v=DMARC1; p=none", `class="dns-missing"`, "Not found. Publish the record below.", path+"/check", path+"/confirm", "data-copy=")
	if dns.Asked(d.RSASelector+"._domainkey.shop.example") == 0 {
		t.Error("DNS was not asked at once")
	}

	dns.Set(t, d.RSASelector+"._domainkey.shop.example", `TXT "v=DKIM1; k=rsa; p=AAAA"`)
	b.post(path+"/check").leads(t, path)
	b.get(path).is(t, 200, "with a different key", "p=AAAA", "Not all records are there yet")
	w.publishRecords(t, dns, user.ID, rows[0].ID)
	b.post(path+"/check").leads(t, path)
	green := b.get(path).is(t, 200, `class="dns-ok"`, "shop.example is set up", "Mailbox not confirmed")
	if strings.Contains(green.body, "dns-missing") || strings.Contains(green.body, "Domain not set up") {
		t.Error("a green domain shows something missing")
	}

	// DNS that doesn't answer takes nothing back; a record that is gone does.
	dns.Fail("_dmarc.shop.example", true)
	b.post(path+"/check").leads(t, path)
	b.get(path).is(t, 200, "shop.example is set up")
	dns.Fail("_dmarc.shop.example", false)
	dns.Set(t, "_dmarc.shop.example")
	b.htmx().post(path+"/check").is(t, 200, `id="records"`, "Not found. Publish the record below.", "nothing")

	b.get(path+"/edit").is(t, 200, "help@shop.example", `name="_method" value="PUT"`)
	b.post(path, "_method", "PUT", "name", "Store", "email", "news@shop.example", "reply_to", "").leads(t, path)
	b.get("/senders").is(t, 200, fmt.Sprintf(`id="sender-%d"`, rows[0].ID), "Store", "0 mailings")
	b.get(path+"/delete").is(t, 200, "Delete the sender news@shop.example?")
	b.post(path, "_method", "DELETE").leads(t, "/senders")
	b.get(path).is(t, 404)
}

func (w *env) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := w.db.Postgres().Pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err, sql)
	}
}

func TestSenderRefusals(t *testing.T) {
	w, _ := sendersEnv(t)
	user, b := w.owner(t, "ann")
	b.post("/senders", "name", "", "email", "nobody", "reply_to", "x").is(t, 422, `aria-invalid="true"`, "aria-describedby=", `value="nobody"`, "Enter a")
	b.htmx().post("/senders", "name", "Sberbank", "email", "shop@gmail.com").is(t, 422, "like a well-known company", "belongs to a mailbox provider")
	s := w.sender(t, user, "news@shop.example")
	b.post("/senders", "name", "shop", "email", "News@shop.example").is(t, 422, "You already have this sender.")
	m := w.mailing(t, user.ID)
	w.exec(t, `UPDATE mailings SET sender_id = $1 WHERE id = $2`, s.ID, m.ID)
	path := fmt.Sprint("/senders/", s.ID)
	b.post(path, "_method", "DELETE").is(t, 409, "uses this sender", "News")
	b.htmx().do("DELETE", path, nil).is(t, 409)

	_, other := w.owner(t, "bob")
	for _, one := range []string{path, path + "/edit", path + "/delete"} {
		other.get(one).is(t, 404)
	}
	other.post(path+"/check").is(t, 404)
	other.post(path+"/confirm").is(t, 404)
	other.post(path, "_method", "PUT", "name", "Mine", "email", "a@b.example").is(t, 404)
	other.post(path, "_method", "DELETE").is(t, 404)
}

// Two owners of one domain have keys of their own; senders of one owner share them.
func TestSenderKeysOfADomain(t *testing.T) {
	w, _ := sendersEnv(t)
	ann, _ := w.owner(t, "ann")
	bob, _ := w.owner(t, "bob")
	one, two, three := w.sender(t, ann, "news@shop.example"), w.sender(t, ann, "sales@shop.example"), w.sender(t, bob, "news@shop.example")
	if one.DomainID != two.DomainID || one.DomainID == three.DomainID {
		t.Errorf("domains %d, %d and %d", one.DomainID, two.DomainID, three.DomainID)
	}
	if err := w.db.Senders().Delete(t.Context(), ann.ID, one.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Senders().Domain(t.Context(), one.DomainID); err != nil {
		t.Errorf("keys that another sender needs: %v", err)
	}
	if err := w.db.Senders().Delete(t.Context(), ann.ID, two.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Senders().Domain(t.Context(), one.DomainID); domain.KindOf(err) != domain.NotFound {
		t.Errorf("keys of nobody: %v", err)
	}
}

func TestSenderIsConfirmedByLink(t *testing.T) {
	w, _ := sendersEnv(t)
	user, b := w.owner(t, "ann")
	own := w.sender(t, user, user.Email)
	if !own.Confirmed() {
		t.Error("the owner's own address has to be confirmed again")
	}
	s, twin := w.sender(t, user, "news@shop.example"), domain.Sender{OwnerID: user.ID}
	if err := twin.Change(domain.SenderForm{Name: "Twin", Email: s.Email}, user, time.Now()); err != nil {
		t.Fatal(err)
	}
	vault, _ := emailauth.NewVault([]byte(password))
	if err := w.db.Senders().Create(t.Context(), &twin, vault); err != nil {
		t.Fatal(err)
	}
	link, stranger := w.confirmation(t, s.ID, "one"), w.visitor(t)
	stranger.get(link).is(t, 200, "Confirm the mailbox", "news@shop.example", `method="post"`)
	b.get(fmt.Sprint("/senders/", s.ID)).is(t, 200, "Mailbox not confirmed") // a look confirms nothing
	stranger.post(link).is(t, 200, "The mailbox is confirmed")
	stranger.post(link).is(t, 410, "no longer works")
	for _, id := range []int64{s.ID, twin.ID} {
		b.get(fmt.Sprint("/senders/", id)).is(t, 200, "news@shop.example is confirmed.")
	}

	// A link to the address of before confirms no other.
	old := w.confirmation(t, s.ID, "two")
	path := fmt.Sprint("/senders/", s.ID)
	b.post(path, "_method", "PUT", "name", "Shop", "email", "boss@bank.example").leads(t, path)
	b.get(path).is(t, 200, "We&#39;ve written to boss@bank.example", "Mailbox not confirmed")
	stranger.post(old).is(t, 410)
}

// Nobody can have mailboxes flooded.
func TestSenderConfirmationsAreFew(t *testing.T) {
	w, _ := sendersEnv(t)
	user, b := w.owner(t, "ann")
	path := fmt.Sprint("/senders/", w.sender(t, user, "news@shop.example").ID, "/confirm")
	for range 3 {
		b.post(path).is(t, 303)
	}
	if a := b.post(path).is(t, 429); a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// A launch from a domain that is not set up is refused with what to publish; DNS is asked once more before it.
func TestLaunchFromASender(t *testing.T) {
	w, dns := sendersEnv(t)
	user, b := w.owner(t, "ann")
	other, _ := w.owner(t, "bob")
	w.client(t, user.ID, "c@example.com")
	s, foreign := w.sender(t, user, "news@shop.example"), w.sender(t, other, "news@shop.example")
	m := w.mailing(t, user.ID)
	path := pathOf(m)
	b.get(path+"/edit").is(t, 200, `name="sender_id"`, "Shop &lt;news@shop.example&gt;: mailbox not confirmed", "from this service&#39;s address")
	b.post(path, append(mailingFields(m.MessageID), "_method", "PUT", "sender_id", fmt.Sprint(foreign.ID))...).is(t, 422, `aria-invalid="true"`, "Choose one of your senders.")
	b.post(path, append(mailingFields(m.MessageID), "_method", "PUT", "sender_id", fmt.Sprint(s.ID))...).leads(t, path)
	b.get(path+"/edit").is(t, 200, fmt.Sprintf(`<option value="%d" selected>`, s.ID))
	b.get(path+"/review").is(t, 200, "mailbox isn&#39;t confirmed yet", "replies go to "+user.Email)

	w.visitor(t).post(w.confirmation(t, s.ID, "one")).is(t, 200)
	refused := b.post(path+"/launch").is(t, 409, "would fail DMARC", "_domainkey.shop.example")
	if strings.Contains(refused.body, "senders.unaligned") {
		t.Error("the key of a text reaches the page")
	}
	b.post(path+"/run").is(t, 409, "would fail DMARC")
	b.get(path+"/review").is(t, 200, "would fail DMARC", fmt.Sprintf(`href="/senders/%d"`, s.ID))
	d := w.publishRecords(t, dns, user.ID, s.ID)
	dns.Set(t, "_dmarc.shop.example")
	b.post(path+"/launch").is(t, 409, "no valid DMARC record", "_dmarc.shop.example", "v=DMARC1; p=none")
	w.publishRecords(t, dns, user.ID, s.ID)
	if a := b.get(path+"/review").is(t, 200); strings.Contains(a.body, "DMARC record") {
		t.Error("the review does not know of records that are there by now")
	}
	asked := dns.Asked("_dmarc.shop.example")
	b.post(path+"/launch").leads(t, path)
	if dns.Asked("_dmarc.shop.example") == asked {
		t.Error("DNS was not asked before the launch")
	}
	b.get(path).is(t, 200, "Shop &lt;news@shop.example&gt;")
	if d.ID == 0 {
		t.Error("no domain")
	}
	b.post(fmt.Sprint("/senders/", s.ID), "_method", "DELETE").is(t, 409, "uses this sender")
}
