package domain

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Quota is how many events of a key may happen in a window, which begins with the first of them.
type Quota struct {
	Key    string
	Max    int
	Window time.Duration
}

// Minutes are what a refusal says about how long to wait.
func Minutes(wait time.Duration) int64 { return int64(wait/time.Minute) + 1 }

// What strangers may make us write. Of a registration one email an hour goes to a mailbox; who asks for
// more gets the same answer and no email. Networks are those of Request.Network.
const (
	registrationsOfMailbox, resetsOfMailbox   = 1, 5
	emailsOfNetwork, emailsOfInstallation     = 30, 1000
	guessesOfNetwork, guessesOfAddress        = 10, 100
	testsOfOwner, changesOfUser               = 30, 5
	confirmationsOfOwner                      = 20
	confirmationsOfMailbox                    = 3
	signupsOfNetwork, pastedOfNetwork         = 30, 10
	signupsOfForm, signupsOfInstallation      = 1000, 10_000
	guessWindow, emailWindow, mailboxInterval = 15 * time.Minute, time.Hour, time.Hour
)

// Registering bounds what a network, and all of them, may ask for when they register or ask again.
func Registering(network string) []Quota {
	return []Quota{{"register network " + network, emailsOfNetwork, emailWindow}, {"register", emailsOfInstallation, emailWindow}}
}

// Forgetting does the same for links to a new password. It is apart from Registering, so that strangers
// who register can't keep people with an account from coming back.
func Forgetting(network string) []Quota {
	return []Quota{{"forgot network " + network, emailsOfNetwork, emailWindow}, {"forgot", emailsOfInstallation, emailWindow}}
}

// Invitation bounds what is written to a mailbox that has no account.
func Invitation(email string) Quota {
	return Quota{"invite " + Mailbox(email), registrationsOfMailbox, mailboxInterval}
}

// Resetting bounds the links to a new password that are written to a mailbox.
func Resetting(email string) Quota {
	return Quota{"reset " + Mailbox(email), resetsOfMailbox, emailWindow}
}

// Guessing bounds the wrong passwords of strangers for an address: few of a network, and more of all
// networks together.
func Guessing(email, network string) []Quota {
	key := "login " + Mailbox(email)
	return []Quota{{key + " " + network, guessesOfNetwork, guessWindow}, {key, guessesOfAddress, emailWindow}}
}

// GuessingKnown bounds the wrong passwords in a browser that has been signed in before. It is apart from
// Guessing: strangers can't lock people out of where they are at home.
func GuessingKnown(device string) Quota {
	return Quota{"device " + device, guessesOfNetwork, guessWindow}
}

// GuessingSignedIn bounds the wrong current passwords of who is signed in.
func GuessingSignedIn(user int64) Quota {
	return Quota{"current " + strconv.FormatInt(user, 10), guessesOfNetwork, guessWindow}
}

// Testing bounds the emails that an owner has sent to the own address.
func Testing(owner int64) Quota {
	return Quota{"test " + strconv.FormatInt(owner, 10), testsOfOwner, emailWindow}
}

// Moving bounds how often a user asks for another address.
func Moving(user int64) Quota {
	return Quota{"move " + strconv.FormatInt(user, 10), changesOfUser, emailWindow}
}

// ConfirmingSender bounds the emails that ask a mailbox to confirm a sender: of an owner, and to the mailbox.
func ConfirmingSender(owner int64, email string) []Quota {
	return []Quota{{"sender " + strconv.FormatInt(owner, 10), confirmationsOfOwner, emailWindow},
		{"sender mailbox " + Mailbox(email), confirmationsOfMailbox, emailWindow}}
}

// SigningUp bounds what a network, a form and all of them may ask for. A form that stands in another site has no time
// trap, so that a network may send fewer.
func SigningUp(network string, form int64, pasted bool) []Quota {
	number := strconv.FormatInt(form, 10)
	quotas := []Quota{{"signup network " + network, signupsOfNetwork, emailWindow}, {"signup form " + number, signupsOfForm, emailWindow},
		{"signup", signupsOfInstallation, emailWindow}}
	if pasted {
		quotas = append([]Quota{{"signup pasted " + network + " " + number, pastedOfNetwork, emailWindow}}, quotas...)
	}
	return quotas
}

// Asking bounds the confirmations to a mailbox, of all forms together.
func Asking(email string) Quota { return Quota{"ask " + Mailbox(email), 1, AskInterval} }

// Mailbox is the same for all spellings of an address that lead to one mailbox: case, +tag, the domain
// in Unicode or as xn--, and what two large providers take for the same. It is for counting, not for
// writing to.
func Mailbox(email string) string {
	at := strings.LastIndexByte(email, '@')
	local, host := norm.NFKC.String(strings.ToLower(email[:max(at, 0)])), strings.ToLower(email[at+1:])
	if ascii, err := hosts.ToASCII(host); err == nil {
		host = ascii
	}
	host = strings.TrimSuffix(host, ".")
	if base, _, tagged := strings.Cut(local, "+"); tagged && base != "" {
		local = base
	}
	switch host {
	case "gmail.com", "googlemail.com":
		local, host = strings.ReplaceAll(local, ".", ""), "gmail.com"
	case "yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua":
		local, host = strings.ReplaceAll(local, "-", "."), "yandex.ru"
	}
	return local + "@" + host
}
