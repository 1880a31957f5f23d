package domain

import (
	"errors"
	"iter"
	"slices"
	"strings"
)

// ClientsMax is how many pasted addresses are added at once; longer lists go the way of a file.
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
	if len(clients)+len(bad) == 0 {
		p.Add("addresses", "clients.email_required")
	}
	return clients, bad, p.Err()
}

// PastedLines are pasted clients as the lines of a list: address, name, comment.
func PastedLines(text string) iter.Seq2[ImportLine, error] {
	return func(yield func(ImportLine, error) bool) {
		number := 0
		for line := range strings.Lines(text) {
			number++
			if strings.TrimSpace(line) == "" {
				continue
			}
			read, wrong := readLine(line)
			if len(wrong) > 0 || len(read) == 0 {
				read = []Client{{Email: strings.TrimSpace(line)}}
			}
			for _, c := range read {
				if !yield(ImportLine{Line: number, Cells: []string{c.Email, c.FullName, c.Comment}}, nil) {
					return
				}
			}
		}
	}
}

// PastedMapping says what they mean.
func PastedMapping(tags string) ImportMapping {
	return ImportMapping{Columns: []string{"email", "full_name", "comment"}, Tags: tags}
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

// mailboxes are the addresses in a cell, each with the name beside it: as a list of them, with mailto:, in angle or
// round brackets. What has no address is one all the same, for its text to be told.
func mailboxes(cell string) (found []ClientForm) {
	if !strings.ContainsAny(cell, " \t\n,;:<>()\"'") { // nearly all
		if cell == "" {
			return nil
		}
		return []ClientForm{{Email: cell}}
	}
	cell = strings.NewReplacer(" ::: ", ",", "\n", ",", "\r", "").Replace(cell)
	for _, part := range splitLine(cell) {
		if strings.Count(part, "@") > 1 && !strings.Contains(part, "<") {
			for word := range strings.FieldsSeq(part) {
				if word = strings.Trim(word, "()[]"); strings.Contains(word, "@") {
					found = append(found, readMailbox(word))
				}
			}
			continue
		}
		if name, email, in := strings.Cut(part, "("); in && strings.Contains(email, "@") && strings.HasSuffix(email, ")") { // as Outlook has it
			part = name + "<" + strings.TrimSuffix(email, ")") + ">"
		}
		found = append(found, readMailbox(part))
	}
	for i := range found {
		found[i].Email = unquoted(found[i].Email)
		if bare, is := cutPrefixFold(found[i].Email, "mailto:"); is {
			found[i].Email, _, _ = strings.Cut(bare, "?")
		}
	}
	return found
}

func cutPrefixFold(text, prefix string) (rest string, is bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return text, false
	}
	return text[len(prefix):], true
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
