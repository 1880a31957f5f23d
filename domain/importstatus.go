package domain

import (
	"regexp"
	"slices"
	"strings"
)

// Words by which mailing programs say who gets no emails. Who never confirmed is none of ours.
var (
	statusWords = func() map[string]Suppression {
		known := map[string]Suppression{}
		for reason, words := range map[Suppression]string{
			"": `subscribed, active, confirmed, valid, ok, good, available, enabled, opted in, opt in, new, новый, новая, verified, deliverable, click, open,
				подписан, подписана, активен, активна, активный, активно, действующий, доступен, подтвержден, подтверждена, да получает`,
			Unsubscribed: `unsubscribed, unsub, opted out, opt out, opted_out, optout, suppressed, inactive, disabled, stopped, removed, non subscribed, nonsubscribed,
				not subscribed, transactional, never subscribed, no consent, отписан, отписана, отписался, отписалась, отписались, отписка, не подписан, не подписана,
				неактивен, неактивна, неактивный, отключен, отказ, отказался, отказалась, удален`,
			Bounced: `bounced, bounce, hard bounce, hard bounced, hardbounce, cleaned, invalid, undeliverable, undelivered, unreachable, unavailable, temp unreachable,
				mailbox full, does not exist, failed, возврат, недоступен, недоступна, недоступный, не существует, недействителен, недействительный, невалидный,
				ошибка доставки, не доставлено`,
			Complained: `complained, complaint, complaints, spam, spam complaint, spam rejected, spam folder, abuse, abuse complaint, junk, blocked, blocklisted, blacklisted, banned,
				жалоба, пожаловался, пожаловалась, спам, заблокирован, заблокирована, в черном списке, черный список`,
			unconfirmed: `pending, unconfirmed, not confirmed, invited, awaiting confirmation, activation requested, не подтвержден, не подтверждена, неподтвержден,
				неподтвержденный, ожидает подтверждения, ожидает, приглашен`,
		} {
			for word := range strings.SplitSeq(words, ",") {
				known[headerWords(word)] = reason
			}
		}
		return known
	}()
	statusTime = regexp.MustCompile(`^\d{1,4}[./-]\d{1,2}[./-]\d{1,4}([ T].*)?$`)
)

// unconfirmed says that somebody was asked and has not answered.
const unconfirmed Suppression = "unconfirmed"

// readStatus reads a cell of a column that says who gets no emails; known is false for what could mean anything. A
// point in time is when somebody left.
func readStatus(cell, column string) (reason Suppression, known bool) {
	cell = strings.TrimSpace(cell)
	if cell == "" {
		return "", true
	}
	if reason, known = statusWords[headerWords(cell)]; known {
		return reason, true
	}
	if yes, ok := yesNo[strings.ToLower(cell)]; ok {
		if yes == (column == columnStatus) {
			return Unsubscribed, true
		}
		return "", true
	}
	if statusTime.MatchString(cell) && column == columnStatus {
		return Unsubscribed, true
	}
	return "", false
}

// suppress stops the emails for a reason that says more than the one there is. It never lets them go on.
func (c *Client) suppress(reason Suppression) (changed bool) {
	order := []Suppression{"", Bounced, Unsubscribed, Complained}
	if slices.Index(order, reason) <= slices.Index(order, c.SuppressedReason) {
		return false
	}
	c.SuppressedReason = reason
	return true
}
