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

// Suppression says why a client gets no emails.
type Suppression string

// The reasons of a suppression.
const (
	Unsubscribed Suppression = "unsubscribed"
	Bounced      Suppression = "bounced"    // the address is dead, or takes nothing again and again
	Complained   Suppression = "complained" // the client called an email spam
)

// Suppressed reports whether the client gets no emails.
func (c Client) Suppressed() bool { return !c.SuppressedAt.IsZero() }

// ClientForm is the form of a client; Tags are separated by commas.
type ClientForm struct {
	Email, FullName, Comment, Tags string
}

// Change applies the form. A changed address lifts a bounce, never an unsubscription.
func (c *Client) Change(form ClientForm) error {
	var p ValidationErrors
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

// ParseTags splits at commas, trims, and drops empty and repeated tags (ignoring case).
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

func checkTags(p *ValidationErrors, tags []string) {
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

// Retry lifts a bounce, never an unsubscription.
func (c *Client) Retry() error {
	if c.SuppressedReason != Bounced {
		return Errorf(Conflict, "", "clients.not_bounced")
	}
	c.SuppressedAt, c.SuppressedReason = time.Time{}, ""
	return nil
}
