package main

import (
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	history "skychimp/db/demo"
	"skychimp/domain"
	"skychimp/handlers/blog"
	"skychimp/handlers/web"
)

// demoJSON is the sample data: what the demo's people have written.
//
//go:embed demo.json
var demoJSON []byte

// demo is the shape of demo.json. Times are relative to the start: days from today.
type demo struct {
	Users    []struct{ Email, Name, Role, Language, Timezone string }
	Names    []string // of clients; an address is made of each
	Tags     []string // given to clients in turn
	Topics   []domain.TopicForm
	Messages []domain.MessageForm
	Mailings []struct {
		Name, Audience, Tags, Periodicity, Time string
		Message, Day                            int
		Launch                                  bool
	}
	History []struct { // mailings of the months before
		Name, Periodicity    string
		Message, Every, Hour int
	}
	Series struct {
		Name            string
		Messages, Waits []int
	}
	Form struct{ Name, Text, Agreement string }
}

type demoCommand struct{}

// Run fills the database with samples and serves.
func (demoCommand) Run(p *program) error {
	return p.serveAfter(func(database *database) error {
		var d demo
		if err := json.Unmarshal(demoJSON, &d); err != nil {
			return fmt.Errorf("demo.json: %w", err)
		}
		first, owner, err := d.people(p, database)
		if err != nil || !first {
			return err
		}
		if err := d.mail(p, database, owner); err != nil {
			return err
		}
		return d.blog(p, database)
	})
}

// people creates the accounts and prints their passwords; a later start only gives them new
// passwords. owner is the account with the clients.
func (d demo) people(p *program, database *database) (first bool, owner domain.User, err error) {
	passwords := web.NewPasswords(web.HashMemory)
	for _, sample := range d.Users {
		password := strings.ToLower(rand.Text()[:12])
		hash, err := passwords.Hash(p.ctx, web.Turn{}, password)
		if err != nil {
			return false, owner, err
		}
		user, err := database.Users().ByEmail(p.ctx, sample.Email)
		switch {
		case domain.KindOf(err) == domain.NotFound:
			first = true
			user = domain.User{Email: sample.Email, Name: sample.Name, Role: domain.Role(sample.Role), PasswordHash: hash,
				Language: sample.Language, Timezone: sample.Timezone, VerifiedAt: time.Now()}
			err = database.Users().Create(p.ctx, &user)
		case err == nil:
			_, err = database.Users().Update(p.ctx, user.ID, func(u *domain.User) error { u.PasswordHash = hash; return nil })
		}
		if err != nil {
			return false, owner, err
		}
		if user.Role == domain.RoleUser {
			owner = user
		}
		fmt.Fprintf(p.out, "%-8s %-22s password %s\n", user.Role, user.Email, password)
	}
	return first, owner, nil
}

// mail creates the owner's clients, messages and mailings, and launches some.
func (d demo) mail(p *program, database *database, owner domain.User) error {
	for i, name := range d.Names {
		client := domain.Client{OwnerID: owner.ID}
		address := strings.ToLower(strings.ReplaceAll(name, " ", ".")) + strconv.Itoa(i) + "@example." + []string{"com", "org", "com", "net"}[i%4]
		if err := client.Change(domain.ClientForm{Email: address, FullName: name, Tags: d.Tags[i%len(d.Tags)]}); err != nil {
			return err
		}
		if err := database.Clients().Create(p.ctx, &client); err != nil {
			return err
		}
	}
	messages := make([]domain.Message, len(d.Messages))
	for i, form := range d.Messages {
		messages[i].OwnerID = owner.ID
		messages[i].Change(form, time.Now())
		if err := database.Messages().Create(p.ctx, &messages[i]); err != nil {
			return err
		}
	}
	if err := d.before(p, database, owner, messages); err != nil {
		return err
	}
	for _, sample := range d.Mailings {
		m := domain.Mailing{OwnerID: owner.ID}
		now := time.Now()
		err := m.Change(domain.MailingForm{
			Name: sample.Name, MessageID: messages[sample.Message].ID, Audience: sample.Audience, Tags: sample.Tags,
			StartAt:  now.In(owner.Location()).AddDate(0, 0, sample.Day).Format("2006-01-02T") + sample.Time,
			Timezone: owner.Timezone, Periodicity: sample.Periodicity,
		}, now)
		if err != nil {
			return err
		}
		if err := database.Mailings().Create(p.ctx, &m); err != nil {
			return err
		}
		if !sample.Launch {
			continue
		}
		if _, err := database.Mailings().Update(p.ctx, owner.ID, m.ID, func(m *domain.Mailing) error { return m.Launch(now) }); err != nil {
			return err
		}
	}
	return nil
}

// before gives the owner a form and the history of some months.
func (d demo) before(p *program, database *database, owner domain.User, messages []domain.Message) error {
	now := time.Now()
	form := domain.Form{OwnerID: owner.ID, Name: d.Form.Name, Text: d.Form.Text, Agreement: d.Form.Agreement, Tags: []string{}, TopicIDs: []int64{}, Fields: []domain.FormField{}}
	for _, topic := range d.Topics {
		made, err := database.Topics().Create(p.ctx, owner.ID, topic)
		if err != nil {
			return err
		}
		form.TopicIDs = append(form.TopicIDs, made.ID)
	}
	if err := database.Forms().Create(p.ctx, &form); err != nil {
		return err
	}
	var mailings []history.Mailing
	for _, one := range d.History {
		mailings = append(mailings, history.Mailing{Name: one.Name, MessageID: messages[one.Message].ID, Periodicity: one.Periodicity, Every: one.Every, Hour: one.Hour})
	}
	welcome := history.Series{Name: d.Series.Name, Waits: d.Series.Waits}
	for _, message := range d.Series.Messages {
		welcome.MessageIDs = append(welcome.MessageIDs, messages[message].ID)
	}
	return history.History(p.ctx, database.DB, owner.ID, mailings, welcome, now)
}

// blog publishes the sample articles, by the content manager.
func (d demo) blog(p *program, database *database) error {
	author := domain.User{}
	for _, sample := range d.Users {
		if domain.Role(sample.Role) == domain.RoleContent {
			var err error
			if author, err = database.Users().ByEmail(p.ctx, sample.Email); err != nil {
				return err
			}
		}
	}
	media, err := p.openMedia()
	if err != nil {
		return err
	}
	defer media.Close()
	return blog.DemoPosts(p.ctx, database.DB, media, author.ID, time.Now())
}
