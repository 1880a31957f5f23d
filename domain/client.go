package domain

import (
	"errors"
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
	FirstName        string // as corrected by the owner; with LastName empty too: as GuessName says
	LastName         string
	Comment          string
	Tags             []string    `bun:",array"`
	Fields           FieldValues `bun:"type:jsonb,nullzero,default:'{}'"`
	SuppressedAt     time.Time   `bun:",nullzero"`
	SuppressedReason Suppression
	ImportID         int64     `bun:",nullzero"`
	Source           string    `bun:",nullzero"` // SourceForm; empty: typed, or imported
	CreatedAt        time.Time `bun:",nullzero,default:now()"`
}

// SourceForm is the source of a client who signed up.
const SourceForm = "form"

// Suppression says why a client gets no emails.
type Suppression string

// The reasons of a suppression.
const (
	Unsubscribed Suppression = "unsubscribed"
	Bounced      Suppression = "bounced"    // the address is dead, or takes nothing again and again
	Complained   Suppression = "complained" // the client called an email spam
	Stopped      Suppression = "stopped"    // by the owner
)

// Suppressed reports whether the client gets no emails.
func (c Client) Suppressed() bool { return !c.SuppressedAt.IsZero() }

// ClientForm is the form of a client; Tags are separated by commas.
type ClientForm struct {
	Email, FullName, Comment, Tags string
}

// ClientDetails are the parts of a client's form that stand behind the first ones.
type ClientDetails struct {
	Named               bool // the form has the two names; both empty: as the full name says
	FirstName, LastName string
	Fields              map[string]string // texts by the names of fields; those that are missing stay as they are
}

// Names are the first and the last name: corrected, or taken from the full one.
func (c Client) Names() (first, last string) {
	if c.FirstName != "" || c.LastName != "" {
		return c.FirstName, c.LastName
	}
	return GuessName(c.FullName)
}

// Apply applies the form and its details; fields are the owner's.
func (c *Client) Apply(form ClientForm, details ClientDetails, fields []Field) error {
	var p ValidationErrors
	before := *c
	for _, err := range []error{c.Change(form), c.ChangeFields(fields, details.Fields)} {
		broken, _ := errors.AsType[ValidationErrors](err)
		p = append(p, broken...)
	}
	if details.Named {
		c.changeNames(before, details, &p)
	}
	return p.Err()
}

// changeNames keeps what the owner says of the full name's parts. What was guessed for the name of before follows
// the new one.
func (c *Client) changeNames(before Client, d ClientDetails, p *ValidationErrors) {
	first, last := strings.Join(strings.Fields(d.FirstName), " "), strings.Join(strings.Fields(d.LastName), " ")
	wasFirst, wasLast := GuessName(before.FullName)
	guessFirst, guessLast := GuessName(c.FullName)
	if first == wasFirst && last == wasLast || first == guessFirst && last == guessLast {
		first, last = "", ""
	}
	c.FirstName, c.LastName = first, last
	if utf8.RuneCountInString(first) > 100 || hasControl(first) {
		p.Add("first_name", "clients.part_long", "Max", 100)
	}
	if utf8.RuneCountInString(last) > 100 || hasControl(last) {
		p.Add("last_name", "clients.part_long", "Max", 100)
	}
}

// withoutLines leaves out what a comment may have of control characters.
var withoutLines = strings.NewReplacer("\n", "", "\t", "")

// Change applies the form. A changed address lifts a bounce, never an unsubscription.
func (c *Client) Change(form ClientForm) error {
	var p ValidationErrors
	email := NormalEmail(form.Email)
	if !strings.EqualFold(email, c.Email) && c.SuppressedReason == Bounced {
		c.SuppressedAt, c.SuppressedReason = time.Time{}, ""
	}
	if name := strings.TrimSpace(form.FullName); name != c.FullName {
		c.FullName, c.FirstName, c.LastName = name, "", "" // they were those of another name
	}
	c.Email = email
	c.Comment = strings.TrimSpace(strings.ReplaceAll(form.Comment, "\r\n", "\n"))
	checkEmail(&p, "email", c.Email)
	if utf8.RuneCountInString(c.FullName) > 200 {
		p.Add("full_name", "clients.full_name_long", "Max", 200)
	} else if hasControl(c.FullName) {
		p.Add("full_name", "clients.full_name_control")
	}
	if utf8.RuneCountInString(c.Comment) > 5000 {
		p.Add("comment", "clients.comment_long", "Max", 5000)
	} else if hasControl(withoutLines.Replace(c.Comment)) {
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
		if !FitsTag(tag) {
			p.Add("tags", "clients.tag_long", "Max", 50)
			return
		}
	}
	// The index of the list holds the tags; Postgres refuses an entry of 2,700 bytes.
	if len(strings.Join(tags, "")) > 2300 {
		p.Add("tags", "clients.tags_long")
	}
}

// FitsTag reports whether a tag is short enough, and of characters that can be seen.
func FitsTag(tag string) bool { return utf8.RuneCountInString(tag) <= 50 && !hasControl(tag) }

// Retry lifts a bounce, never an unsubscription.
func (c *Client) Retry() error {
	if c.SuppressedReason != Bounced {
		return Errorf(Conflict, "", "clients.not_bounced")
	}
	c.SuppressedAt, c.SuppressedReason = time.Time{}, ""
	return nil
}

// The columns that a list of clients may have, beside the address and those of fields.
const (
	ColumnComment   = "comment"
	ColumnTags      = "tags"
	ColumnAdded     = "added_at"
	ColumnLastEmail = "last_accepted_at"
)

// ClientColumns are those that stand among the chosen ones, in the order of the list; the first two where nothing was chosen.
func ClientColumns(chosen []string) (columns []string) {
	if chosen == nil {
		return []string{ColumnComment, ColumnTags}
	}
	columns = []string{}
	for _, one := range []string{ColumnComment, ColumnTags, ColumnAdded, ColumnLastEmail} {
		if slices.Contains(chosen, one) {
			columns = append(columns, one)
		}
	}
	return columns
}
