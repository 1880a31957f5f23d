package domain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseClients(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // name, address and comment
		bad        []string // line and mistake
		errs       string
	}{
		{"one", "ann@x.org", []string{"|ann@x.org|"}, nil, ""},
		{"as mail programs write", `Ann <ann@x.org>, "Smith, Bob" <bob@Y.org>; eve@z.org`,
			[]string{"Ann|ann@x.org|", "Smith, Bob|bob@y.org|", "|eve@z.org|"}, nil, ""},
		{"a line each", "Иван Петров <ivan@x.org>\r\n\r\n  bob@y.org  \n<eve@z.org>;",
			[]string{"Иван Петров|ivan@x.org|", "|bob@y.org|", "|eve@z.org|"}, nil, ""},
		{"columns", "ann@x.org; Ann Lee; met in Riga; twice\nbob@y.org,Bob\nEve;eve@z.org\nkim@x.org\tKim\tshop",
			[]string{"Ann Lee|ann@x.org|met in Riga, twice", "Bob|bob@y.org|", "Eve|eve@z.org|", "Kim|kim@x.org|shop"}, nil, ""},
		{"a mailbox and a comment", `Ann <ann@x.org>; "likes tea; green"`, []string{"Ann|ann@x.org|likes tea; green"}, nil, ""},
		{"repetitions", "ann@x.org, Ann <ANN@x.org>", []string{"|ann@x.org|"}, nil, ""},
		{"nothing", " , ;\n", nil, nil, "addresses: clients.email_required"},
		{"wrong ones beside right ones", "ann@x.org\nbob\neve@, kim@x.org\nlee@x.org", []string{"|ann@x.org|", "|lee@x.org|"},
			[]string{"2 bob email: clients.email_invalid", "3 eve@, kim@x.org email: clients.email_invalid"}, ""},
		{"a name too long", "ann@x.org; " + strings.Repeat("x", 201), nil,
			[]string{"1 ann@x.org; " + strings.Repeat("x", 201) + " full_name: clients.full_name_long"}, ""},
		{"an open quote ends with the line", "\"Ann <ann@x.org>\nbob@y.org", []string{"Ann|ann@x.org|", "|bob@y.org|"}, nil, ""},
	}
	for _, tt := range tests {
		clients, bad, err := ParseClients(tt.text, "Vip, vip, news")
		if text(err) != tt.errs {
			t.Errorf("%s: %q, want %q", tt.name, text(err), tt.errs)
		}
		var got, left []string
		for _, c := range clients {
			got = append(got, c.FullName+"|"+c.Email+"|"+c.Comment)
			if !slices.Equal(c.Tags, []string{"Vip", "news"}) {
				t.Errorf("%s: tags %q", tt.name, c.Tags)
			}
		}
		for _, line := range bad {
			left = append(left, fmt.Sprint(line.Line, " ", line.Text, " ", line.Errors))
		}
		if tt.errs == "" && !slices.Equal(got, tt.want) || !slices.Equal(left, tt.bad) {
			t.Errorf("%s: %q, bad %q, want %q, %q", tt.name, got, left, tt.want, tt.bad)
		}
	}
	if _, _, err := ParseClients("ann@x.org", strings.Repeat("x", 51)); text(err) != "tags: clients.tag_long" {
		t.Errorf("a wrong tag: %v", err)
	}
}
