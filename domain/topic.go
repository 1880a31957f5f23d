package domain

import (
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of topics.
const (
	MaxTopics       = 20
	maxTopicName    = 60  // characters
	maxTopicDetails = 200 // characters
)

// Topic is what a client may leave without leaving everything.
type Topic struct {
	ID        int64 `bun:",pk,autoincrement"`
	OwnerID   int64
	Name      string
	Details   string    // what one gets, as recipients read it
	CreatedAt time.Time `bun:",nullzero,default:now()"`
}

// TopicForm is the form of a topic.
type TopicForm struct{ Name, Details string }

// Form is the form as the topic is stored.
func (t Topic) Form() TopicForm { return TopicForm{t.Name, t.Details} }

// Change applies the form; others are the owner's other topics.
func (t *Topic) Change(form TopicForm, others []Topic) error {
	var p ValidationErrors
	t.Name, t.Details = strings.Join(strings.Fields(form.Name), " "), strings.Join(strings.Fields(form.Details), " ")
	switch {
	case t.Name == "":
		p.Add("name", "topics.name_required")
	case utf8.RuneCountInString(t.Name) > maxTopicName || hasHidden(t.Name):
		p.Add("name", "topics.name_long", "Max", maxTopicName)
	case TopicNamed(others, t.Name) != nil:
		p.Add("name", "topics.name_taken")
	}
	if utf8.RuneCountInString(t.Details) > maxTopicDetails || hasHidden(t.Details) {
		p.Add("details", "topics.details_long", "Max", maxTopicDetails)
	}
	if t.ID == 0 && len(others) >= MaxTopics {
		p.Add("", "topics.too_many", "Max", MaxTopics)
	}
	return p.Err()
}

// TopicNamed is the topic of that name, in whatever case; nil: there is none.
func TopicNamed(topics []Topic, name string) *Topic {
	for i := range topics {
		if strings.EqualFold(topics[i].Name, strings.TrimSpace(name)) {
			return &topics[i]
		}
	}
	return nil
}
