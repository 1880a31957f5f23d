package domain

// LinkProblem says why a link has no answer; each has a locale key `messages.link_<word>`.
type LinkProblem string

// What can be wrong with a link.
const (
	LinkPrivate     LinkProblem = "private"
	LinkNoSuchSite  LinkProblem = "no_site"
	LinkCertificate LinkProblem = "certificate"
	LinkSlow        LinkProblem = "slow"
	LinkUnreachable LinkProblem = "unreachable"
)

// LinkAnswer is what came back from the address of a link.
type LinkAnswer struct {
	Address string
	Status  int         // of HTTP; 0: no answer
	Problem LinkProblem // why there is none
}

// Dead reports whether readers would find nothing there. Many shops answer programs with 401, 403, 405 or 429, and readers
// with their pages.
func (a LinkAnswer) Dead() bool {
	switch a.Status {
	case 401, 403, 405, 406, 429:
		return false
	}
	return a.Problem != "" || a.Status >= 300 // redirects that lead on and on
}
