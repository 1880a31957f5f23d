package browsertest

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// importFlow brings a list with mistakes, and takes it back.
func importFlow(s *suite) {
	owner, _ := s.member("Ingrid Owner", "user", "en")
	owner.prepare("Ann Smith <ann@example.org>", "News")
	owner.open("/clients/import")
	owner.do(chromedp.SetUploadFiles(field("file"), []string{write(s.T,
		"E-mail;Name;City\nfay@example.org;Fay Green;Leeds\nnobody;No Address;York\nfay@example.org;Again;\nann@example.org;Ann Smith;Leeds\n")}))
	owner.follow(save)
	mistakes := func() {
		owner.reads("[aria-label='With errors'] td:nth-child(2)", "nobody")
		for _, reason := range []string{"full email address", "Same address as row 2"} {
			owner.reads("[aria-label='With errors'] td:last-child", reason)
		}
	}
	mistakes()
	owner.act("button[name=do][value=check]")
	mistakes()
	owner.auditAs("import-checked")
	owner.act("button[name=do][value=start]")
	owner.reads("#import .badge", "done")
	mistakes()
	list := owner.at()
	owner.open("/clients")
	owner.reads("#client-rows tr", "Fay Green")
	owner.open(list)
	owner.do(chromedp.Click(chromedp.CSS("#import summary")))
	owner.follow("form[action$='/undo'] button")
	owner.reads("#import .badge", "Undone")
	owner.open("/clients")
	if rows := owner.text("#client-rows"); strings.Contains(rows, "fay@") || !strings.Contains(rows, "ann@") {
		s.Errorf("the list after the undo: %s", rows)
	}
}
