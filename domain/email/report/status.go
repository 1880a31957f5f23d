package report

import (
	"regexp"
	"slices"
	"strings"

	"skychimp/domain"
)

// status reads the fields of a delivery report (RFC 3464 section 2), of whole emails too: a group
// counts when it names its recipient.
func (p *parser) status(fields []byte) {
	for _, group := range groups(string(fields)) {
		if id := group["original-envelope-id"]; id != "" {
			p.addToken(rankStatus, id)
		}
		one := domain.ReportedRecipient{
			Original: address(group["original-recipient"]), Final: address(group["final-recipient"]),
			Action: action(group["action"], group["status"]),
		}
		if one.Original == "" && one.Final == "" || len(p.recipients) >= maxRecipients {
			continue
		}
		one.Answer = answer(group["status"], group["diagnostic-code"])
		p.recipients = append(p.recipients, one)
	}
}

// complaints are the types of feedback that are one; absent counts as abuse. A report about
// authentication, or that an email is no spam, is none.
var complaints = []string{"", "abuse", "fraud", "opt-out", "other"}

// feedback reads the fields of a complaint (RFC 5965 section 3).
func (p *parser) feedback(fields []byte) {
	for _, group := range groups(string(fields)) {
		p.add(rankStatus, group["original-mail-from"])
		p.complaint = p.complaint || slices.Contains(complaints, strings.ToLower(group["feedback-type"]))
	}
}

// groups are the fields between blank lines, names in lower case, of each name the first value.
func groups(text string) []map[string]string {
	var all []map[string]string
	group, last := map[string]string{}, ""
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n")+"\n\n", "\n") {
		name, value, isField := strings.Cut(line, ":")
		switch {
		case strings.TrimSpace(line) == "":
			if len(group) > 0 {
				all = append(all, group)
			}
			group, last = map[string]string{}, ""
		case (line[0] == ' ' || line[0] == '\t') && last != "":
			group[last] += " " + strings.TrimSpace(line)
		case isField:
			last = strings.ToLower(strings.TrimSpace(name))
			if _, seen := group[last]; seen {
				last = ""
			} else {
				group[last] = strings.TrimSpace(value)
			}
		default:
			last = ""
		}
	}
	return all
}

// address is what stands behind the type of `rfc822; <ivan@example.com>`.
func address(field string) string {
	if _, value, typed := strings.Cut(field, ";"); typed {
		field = value
	}
	field = strings.Trim(strings.TrimSpace(field), "<>")
	if strings.LastIndexByte(field, '@') < 1 || strings.ContainsAny(field, " \t") {
		return ""
	}
	return domain.NormalEmail(field)
}

// action is what happened, by its status where the field is missing or made up.
func action(action, status string) string {
	action, _, _ = strings.Cut(strings.ToLower(action), " ")
	switch action {
	case "failed", "delayed", "delivered", "relayed", "expanded":
		return action
	}
	switch {
	case strings.HasPrefix(status, "5."):
		return domain.ActionFailed
	case strings.HasPrefix(status, "4."):
		return domain.ActionDelayed
	}
	return action
}

var (
	enhancedCode  = regexp.MustCompile(`\b[245]\.\d{1,3}\.\d{1,3}\b`)
	diagnosisType = regexp.MustCompile(`^[\w-]*;\s*`)
	reply         = regexp.MustCompile(`\b([45]\d\d)(?:[ -]+|$)(.*)`)
)

// answer is what the recipient's server said: the diagnosis has its own words, the status may be what
// the reporting server made of them.
func answer(status, diagnosis string) domain.Answer {
	status = enhancedCode.FindString(status)
	diagnosis = diagnosisType.ReplaceAllString(diagnosis, "")
	code, words := 0, diagnosis
	if said := reply.FindStringSubmatch(diagnosis); said != nil {
		code, words = number(said[1]), strings.TrimLeft(said[2], "#")
	}
	a := domain.NewAnswer(domain.StageRcpt, code, words)
	if a.Enhanced() == "" {
		if inside := enhancedCode.FindString(words); inside != "" && (status == "" || strings.HasSuffix(status, ".0.0")) {
			status = inside
		}
		a = domain.NewAnswer(domain.StageRcpt, code, strings.TrimSpace(status+" "+words))
	}
	if a.Code == 0 {
		a.Code = 550
		if strings.HasPrefix(a.Enhanced(), "4.") {
			a.Code = 450
		}
	}
	return a
}

// number is that of three digits.
func number(digits string) (n int) {
	for _, d := range digits {
		n = 10*n + int(d-'0')
	}
	return n
}
