package engine

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jhillyerd/enmime/v2"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// What a list says of each client stands in the email that the mail server gets: values of fields, a fallback where
// there is none, and the side of a condition that is true.
func TestFieldsFromListToEmail(t *testing.T) {
	w := newFixture(t, smtptest.Script{KeepRaw: true})
	for _, form := range []domain.FieldForm{{Label: "Город", Key: "city", Type: "text"}, {Label: "Покупки", Key: "spent", Type: "number"}, {Label: "В клубе", Key: "member", Type: "yes_no"}} {
		if _, err := w.db.Fields().Create(w.Context(), 1000, form); err != nil {
			t.Fatal(err)
		}
	}
	list := domain.Import{OwnerID: 1000, FileName: "list.csv", Status: domain.ImportChecked}
	const text = "Почта;ФИО;Город;Покупки;В клубе;Статус\n" +
		"maria@example.org;Иванова Мария Петровна;Пермь;1 234,5;да;активен\n" +
		"nobody@example.org;;;;нет;активен\n" +
		"gone@example.org;Олег;Уфа;;;отписан\n"
	if err := w.db.Imports().Create(w.Context(), &list, domain.SplitCSV(strings.NewReader(text), ';')); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Imports().Start(w.Context(), 1000, list.ID, list.Mapping); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Imports().Run(w.Context(), list.ID); err != nil {
		t.Fatal(err)
	}
	message := domain.Message{OwnerID: 1000, Language: "ru", Subject: "{{first_name|Друг}}, новости",
		Body: "{{name}}, здравствуйте!\n\n{{#if city}}Ждём вас: {{city}}, покупок на {{spent|0}}.{{else}}Откуда вы?{{/if}}\n\n{{#if member}}Вы в клубе.{{else}}Вступайте в клуб.{{/if}}"}
	if err := w.db.Messages().Create(w.Context(), &message); err != nil {
		t.Fatal(err)
	}
	m := w.mailing(domain.MailingForm{Audience: "all"})
	w.exec(`UPDATE mailings SET message_id = $1`, message.ID)
	w.start(2)
	w.wantCounts(w.closed(w.run(m).ID), domain.Counts{Planned: 3, Accepted: 2, Suppressed: 1})
	want := map[string][]string{
		"maria@example.org":  {"Мария, новости", "Иванова Мария Петровна, здравствуйте!", "Ждём вас: Пермь, покупок на 1234,5.", "Вы в клубе."},
		"nobody@example.org": {"Друг, новости", "Здравствуйте!", "Откуда вы?", "Вступайте в клуб."},
	}
	for _, one := range w.server.Emails() {
		e, err := enmime.ReadEnvelope(bytes.NewReader(one.Raw))
		if err != nil {
			t.Fatal(err)
		}
		to, err := e.AddressList("To")
		if err != nil || len(to) != 1 {
			t.Fatalf("to %v, %v", to, err)
		}
		for _, text := range want[to[0].Address] {
			if e.GetHeader("Subject") != text && (!strings.Contains(e.Text, text) || !strings.Contains(e.HTML, text)) {
				t.Errorf("%s: no %q in %q: %s", to[0].Address, text, e.GetHeader("Subject"), e.Text)
			}
		}
		delete(want, to[0].Address)
	}
	if len(want) != 0 {
		t.Errorf("nothing came to %v", want)
	}
}
