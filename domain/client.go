package domain

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Client is a person who receives mail. It belongs to one user, its owner.
type Client struct {
	ID               int64 `bun:",pk,autoincrement"`
	OwnerID          int64
	Email            string
	FullName         string
	Comment          string
	Tags             []string  `bun:",array"`
	SuppressedAt     time.Time `bun:",nullzero"`
	SuppressedReason Suppression
	ImportID         int64     `bun:",nullzero"`
	CreatedAt        time.Time `bun:",nullzero,default:now()"`
}

// Suppression says why a client gets no letters.
type Suppression string

// The reasons of a suppression.
const (
	Unsubscribed Suppression = "unsubscribed"
	Bounced      Suppression = "bounced"
)

// Suppressed tells whether the client gets no letters.
func (c Client) Suppressed() bool { return !c.SuppressedAt.IsZero() }

// ClientForm is what the owner types; Tags are separated by commas.
type ClientForm struct {
	Email, FullName, Comment, Tags string
}

// Change takes the form over. A changed address lifts a bounce, never an unsubscription.
func (c *Client) Change(form ClientForm) error {
	var p Problems
	email := NormalEmail(form.Email)
	if !strings.EqualFold(email, c.Email) && c.SuppressedReason == Bounced {
		c.SuppressedAt, c.SuppressedReason = time.Time{}, ""
	}
	c.Email, c.FullName = email, strings.TrimSpace(form.FullName)
	c.Comment = strings.TrimSpace(strings.ReplaceAll(form.Comment, "\r\n", "\n"))
	checkEmail(&p, "email", c.Email)
	if utf8.RuneCountInString(c.FullName) > 200 {
		p.Add("full_name", "clients.full_name_long", "Max", 200)
	} else if hasControl(c.FullName) {
		p.Add("full_name", "clients.full_name_control")
	}
	if utf8.RuneCountInString(c.Comment) > 5000 {
		p.Add("comment", "clients.comment_long", "Max", 5000)
	} else if hasControl(strings.NewReplacer("\n", "", "\t", "").Replace(c.Comment)) {
		p.Add("comment", "clients.comment_control")
	}
	c.Tags = ParseTags(form.Tags)
	checkTags(&p, c.Tags)
	return p.Err()
}

// ParseTags splits at commas, trims, drops repetitions (case does not count) and empty ones.
func ParseTags(text string) []string {
	tags := []string{}
	for tag := range strings.SplitSeq(text, ",") {
		tag = strings.Join(strings.Fields(tag), " ")
		same := func(other string) bool { return strings.EqualFold(other, tag) }
		if tag != "" && !slices.ContainsFunc(tags, same) {
			tags = append(tags, tag)
		}
	}
	return tags
}

func checkTags(p *Problems, tags []string) {
	if len(tags) > 20 {
		p.Add("tags", "clients.tags_many", "Max", 20)
	}
	for _, tag := range tags {
		if utf8.RuneCountInString(tag) > 50 || hasControl(tag) {
			p.Add("tags", "clients.tag_long", "Max", 50)
			return
		}
	}
	// The index of the list holds the tags; Postgres refuses an entry of 2,700 bytes.
	if len(strings.Join(tags, "")) > 2300 {
		p.Add("tags", "clients.tags_long")
	}
}

// Retry lifts a bounce; what a person decided stays.
func (c *Client) Retry() error {
	if c.SuppressedReason != Bounced {
		return Refuse(Conflict, "", "clients.not_bounced")
	}
	c.SuppressedAt, c.SuppressedReason = time.Time{}, ""
	return nil
}

// ClientsMax is how many addresses can be pasted at once; longer lists are imported.
const ClientsMax = 500

// ParseClients reads pasted addresses, as mail programs write them: `Ann <ann@x.org>,
// bob@y.org`, separated by commas, semicolons or line ends. Repetitions are left out. All of
// them get the tags.
func ParseClients(text, tags string) ([]Client, error) {
	clients, bad, seen := []Client{}, []string{}, map[string]bool{}
	for _, part := range splitAddresses(text) {
		name, email, found := strings.Cut(part, "<")
		if !found {
			name, email = "", part
		}
		var c Client
		email = strings.TrimSuffix(strings.TrimSpace(email), ">")
		if c.Change(ClientForm{Email: email, FullName: strings.Trim(name, " \t\"'")}) != nil {
			bad = append(bad, part)
		} else if key := strings.ToLower(c.Email); !seen[key] {
			seen[key] = true
			clients = append(clients, c)
		}
	}
	var p Problems
	switch {
	case len(bad) > 0:
		p.Add("addresses", "clients.addresses_bad", "Values", strings.Join(bad[:min(len(bad), 5)], " · "))
	case len(clients) == 0:
		p.Add("addresses", "clients.email_required")
	case len(clients) > ClientsMax:
		p.Add("addresses", "clients.addresses_many", "Max", ClientsMax)
	}
	list := ParseTags(tags)
	checkTags(&p, list)
	for i := range clients {
		clients[i].Tags = list
	}
	return clients, p.Err()
}

// splitAddresses cuts at separators outside of quotes and angle brackets; a line end always
// cuts.
func splitAddresses(text string) []string {
	var parts []string
	for line := range strings.Lines(text) {
		quoted, angled := false, false
		for _, part := range strings.FieldsFunc(line, func(r rune) bool {
			switch r {
			case '"':
				quoted = !quoted
			case '<', '>':
				angled = r == '<' && !quoted
			}
			return (r == ',' || r == ';') && !quoted && !angled
		}) {
			if part = strings.TrimSpace(part); part != "" {
				parts = append(parts, part)
			}
		}
	}
	return parts
}
