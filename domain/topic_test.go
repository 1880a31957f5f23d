package domain

import (
	"errors"
	"strings"
	"testing"
)

func TestTopicChange(t *testing.T) {
	others := []Topic{{ID: 1, Name: "Новости"}}
	many := make([]Topic, MaxTopics)
	tests := []struct {
		name   string
		form   TopicForm
		others []Topic
		want   string // field and key, empty: it is taken
	}{
		{"as it should be", TopicForm{"  Big   news ", "Once a month."}, others, ""},
		{"no name", TopicForm{" ", ""}, others, "name topics.name_required"},
		{"long name", TopicForm{strings.Repeat("я", 61), ""}, others, "name topics.name_long"},
		{"hidden character", TopicForm{"a\u202eb", ""}, others, "name topics.name_long"},
		{"taken in another case", TopicForm{"НОВОСТИ", ""}, others, "name topics.name_taken"},
		{"long details", TopicForm{"a", strings.Repeat("я", 201)}, others, "details topics.details_long"},
		{"too many", TopicForm{"a", ""}, many, " topics.too_many"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var topic Topic
			err, got := topic.Change(tt.form, tt.others), ""
			if several, ok := errors.AsType[ValidationErrors](err); ok {
				got = several[0].Field + " " + several[0].Key
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.want == "" && topic.Name != "Big news" {
				t.Errorf("name %q", topic.Name)
			}
		})
	}
}
