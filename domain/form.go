package domain

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Form is a public page of an owner through which people become clients.
type Form struct {
	ID          int64 `bun:",pk,autoincrement"`
	OwnerID     int64
	Token       string      // its public address, no secret
	Name        string      // the heading of the page
	Text        string      // Markdown below it
	Agreement   string      // what people agree to who send it
	AgreementID int64       // of its version
	Tick        bool        // the agreement has a box to tick
	Tags        []string    `bun:",array"`
	TopicIDs    []int64     `bun:"topic_ids,array"` // which the visitor may choose from
	Fields      []FormField `bun:"type:jsonb"`
	SenderID    int64       `bun:",nullzero"` // whom the confirmation is from; 0: the service
	Thanks      string      // shown after confirming
	NextURL     string      `bun:"next_url"` // where to go instead, an https address
	ClosedAt    time.Time   `bun:",nullzero"`
	CreatedAt   time.Time   `bun:",nullzero,default:now()"`
	UpdatedAt   time.Time   `bun:",nullzero,default:now()"`
}

// FormField is something that a form asks for: a field of the owner, or the full name (0).
type FormField struct {
	ID       int64 `json:"id"`
	Required bool  `json:"required,omitempty"`
}

// FormInput is what the owner types about a form. Fields and Required hold keys of fields, or FullName; Topics hold the
// numbers or names of topics.
type FormInput struct {
	Name, Text, Agreement, Tags, Thanks, NextURL string
	Topics, Fields, Required                     []string
	SenderID                                     int64
	Tick, Closed                                 bool
}

// FullName is the name of the full name among the keys of fields.
const FullName = "full_name"

// The limits of forms.
const (
	MaxForms     = 100
	maxFormName  = 100
	maxFormText  = 5000
	maxAgreement = 2000
	maxThanks    = 1000
	maxNextURL   = 500
)

// FormChoices are what an owner may have in a form.
type FormChoices struct {
	Fields []Field
	Topics []Topic
}

// Change applies what was typed.
func (f *Form) Change(in FormInput, own FormChoices, now time.Time) error {
	var p ValidationErrors
	f.Name, f.Text = strings.Join(strings.Fields(in.Name), " "), tidyText(in.Text)
	f.Agreement, f.Thanks = tidyText(in.Agreement), tidyText(in.Thanks)
	switch {
	case f.Name == "":
		p.Add("name", "forms.name_required")
	case utf8.RuneCountInString(f.Name) > maxFormName || hasHidden(f.Name):
		p.Add("name", "forms.name_long", "Max", maxFormName)
	}
	checkLines(&p, "text", f.Text, maxFormText)
	if f.Agreement == "" {
		p.Add("agreement", "forms.agreement_required")
	}
	checkLines(&p, "agreement", f.Agreement, maxAgreement)
	checkLines(&p, "thanks", f.Thanks, maxThanks)
	f.Tags = ParseTags(in.Tags)
	checkTags(&p, f.Tags)
	f.choose(in, own, &p)
	f.SenderID, f.Tick = in.SenderID, in.Tick
	if f.NextURL = strings.TrimSpace(in.NextURL); f.NextURL != "" && NextOrigin(f.NextURL) == "" {
		p.Add("next_url", "forms.next_url_form", "Max", maxNextURL)
	}
	switch {
	case !in.Closed:
		f.ClosedAt = time.Time{}
	case f.ClosedAt.IsZero():
		f.ClosedAt = now
	}
	f.UpdatedAt = now
	return p.Err()
}

// tidyText is a text with the line ends of Unix.
func tidyText(text string) string { return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) }

func checkLines(p *ValidationErrors, field, text string, most int) {
	if utf8.RuneCountInString(text) > most || hasHidden(strings.NewReplacer("\n", "", "\t", "").Replace(text)) {
		p.Add(field, "forms.text_long", "Max", most)
	}
}

// choose takes the fields and topics over, in the order in which the owner has them.
func (f *Form) choose(in FormInput, own FormChoices, p *ValidationErrors) {
	known := []string{FullName}
	f.Fields, f.TopicIDs = []FormField{}, []int64{}
	add := func(key string, id int64) {
		if required := slices.Contains(in.Required, key); required || slices.Contains(in.Fields, key) {
			f.Fields = append(f.Fields, FormField{id, required})
		}
	}
	add(FullName, 0)
	for _, one := range own.Fields {
		known = append(known, one.Key)
		add(one.Key, one.ID)
	}
	unknown := func(key string) bool { return !slices.Contains(known, key) }
	if slices.ContainsFunc(in.Fields, unknown) || slices.ContainsFunc(in.Required, unknown) {
		p.Add("fields", "forms.field_unknown")
	}
	for _, one := range own.Topics {
		if namesTopic(in.Topics, one) {
			f.TopicIDs = append(f.TopicIDs, one.ID)
		}
	}
	for _, typed := range in.Topics {
		if !slices.ContainsFunc(own.Topics, func(one Topic) bool { return namesTopic([]string{typed}, one) }) {
			p.Add("topics", "forms.topic_unknown")
			break
		}
	}
}

// NextOrigin is the origin of an address to which a visitor may be sent, "" where it is none: a browser has to be told
// where a form may lead.
func NextOrigin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Opaque != "" || len(address) > maxNextURL || hasHidden(address) ||
		strings.ContainsAny(address, " \\\"<>") || !isHost(u.Hostname()) || !isASCII(u.Host) {
		return ""
	}
	return "https://" + u.Host
}

// Closed tells whether nobody can sign up any more.
func (f Form) Closed() bool { return !f.ClosedAt.IsZero() }

// Asks tells whether the form asks for a field (0: the full name), and whether it has to be filled in.
func (f Form) Asks(id int64) (asked, required bool) {
	for _, one := range f.Fields {
		if one.ID == id {
			return true, one.Required
		}
	}
	return false, false
}

// AskedFields are the fields that the form asks for.
func (f Form) AskedFields(own []Field) (list []Field) {
	for _, one := range own {
		if asked, _ := f.Asks(one.ID); asked {
			list = append(list, one)
		}
	}
	return list
}

// OfferedTopics are the topics that the form offers.
func (f Form) OfferedTopics(own []Topic) (list []Topic) {
	for _, one := range own {
		if slices.Contains(f.TopicIDs, one.ID) {
			list = append(list, one)
		}
	}
	return list
}

// Agreed is what is kept of the form with a consent: another one makes a new version of the agreement.
func (f Form) Agreed() [3]string { return [3]string{f.Name, f.Text, f.Agreement} }
