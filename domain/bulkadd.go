package domain

import (
	"errors"
	"slices"
	"strings"
)

// ClientsMax is how many addresses can be pasted at once; longer lists are imported.
const ClientsMax = 500

// BulkLine is a pasted line that was not added, counted from 1.
type BulkLine struct {
	Line   int
	Text   string
	Errors ValidationErrors
}

// ParseClients reads pasted clients, one or several in a line: as mail programs write them,
// `Ann <ann@x.org>, bob@y.org`, or as a table has them, `ann@x.org; Ann; a comment`.
// Repetitions are dropped. All get the tags. A line with an error is kept whole in
// bad; err is an error of the text as a whole.
func ParseClients(text, tags string) (clients []Client, bad []BulkLine, err error) {
	var p ValidationErrors
	list := ParseTags(tags)
	checkTags(&p, list)
	number, seen := 0, map[string]bool{}
	for line := range strings.Lines(text) {
		number++
		read, problems := readLine(line)
		if len(problems) > 0 {
			bad = append(bad, BulkLine{number, strings.TrimSpace(line), problems})
			continue
		}
		for _, c := range read {
			if key := strings.ToLower(c.Email); !seen[key] {
				seen[key] = true
				c.Tags = list
				clients = append(clients, c)
			}
		}
	}
	switch {
	case len(clients)+len(bad) == 0:
		p.Add("addresses", "clients.email_required")
	case len(clients)+len(bad) > ClientsMax:
		p.Add("addresses", "clients.bulk_many", "Max", ClientsMax)
	}
	return clients, bad, p.Err()
}

// readLine gives the clients of one line, or the first error.
func readLine(line string) (clients []Client, problems ValidationErrors) {
	parts := splitLine(line)
	forms := make([]ClientForm, len(parts))
	for i, part := range parts {
		forms[i] = readMailbox(part)
	}
	if len(parts) > 1 && countAddresses(parts) == 1 {
		forms = []ClientForm{readColumns(parts)}
	}
	for _, form := range forms {
		var c Client
		if err := c.Change(form); err != nil {
			problems, _ = errors.AsType[ValidationErrors](err)
			return nil, problems
		}
		clients = append(clients, c)
	}
	return clients, nil
}

func countAddresses(parts []string) (n int) {
	for _, part := range parts {
		if strings.Contains(part, "@") {
			n++
		}
	}
	return n
}

// readMailbox reads `Ann <ann@x.org>` or an address alone.
func readMailbox(part string) ClientForm {
	name, email, found := strings.Cut(part, "<")
	if !found {
		name, email = "", part
	}
	return ClientForm{Email: strings.TrimSuffix(strings.TrimSpace(email), ">"), FullName: unquoted(name)}
}

// readColumns reads a line with one address in it: the first other part is the name, unless
// the address comes with a name; the rest is the comment.
func readColumns(parts []string) ClientForm {
	at := slices.IndexFunc(parts, func(part string) bool { return strings.Contains(part, "@") })
	form, rest := readMailbox(parts[at]), slices.Delete(parts, at, at+1)
	if form.FullName == "" {
		form.FullName, rest = unquoted(rest[0]), rest[1:]
	}
	for i, part := range rest {
		rest[i] = unquoted(part)
	}
	form.Comment = strings.Join(rest, ", ")
	return form
}

func unquoted(text string) string { return strings.Trim(text, " \t\"'") }

// splitLine cuts at separators outside of quotes and angle brackets.
func splitLine(line string) (parts []string) {
	quoted, angled := false, false
	for _, part := range strings.FieldsFunc(line, func(r rune) bool {
		switch r {
		case '"':
			quoted = !quoted
		case '<', '>':
			angled = r == '<' && !quoted
		}
		return (r == ',' || r == ';' || r == '\t') && !quoted && !angled
	}) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}
