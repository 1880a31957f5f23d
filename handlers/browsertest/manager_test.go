package browsertest

import (
	"github.com/chromedp/chromedp"

	"skychimp/handlers/programtest"
)

// managerFlow stops a mailing and an owner with a reason, and lifts both again; an admin gives
// a role and reads who did it.
func managerFlow(s *suite) {
	owner, email := s.member("Oscar Owner", "user", "en")
	owner.prepare("Zoe <"+s.address("zoe")+">", "Daily news")
	owner.open("/mailings/new")
	owner.fill("name", "Daily")
	owner.choose("message_id", "Daily news")
	owner.set("start_at", "2031-01-31T09:00")
	owner.set("periodicity", "daily")
	owner.follow(save)
	owner.open("/mailings?q=Daily")
	owner.follow("#mailing-rows td a[href^='/mailings/']")
	mailing := owner.at()

	manager, _ := s.member("Maria Manager", "manager", "ru")
	manager.open("/manager/mailings")
	manager.stop("/manager/mailings?q="+email, "Complaints of readers")
	owner.open(mailing)
	owner.reads("main", "Complaints of readers")
	manager.lift("/manager/mailings?q=" + email)
	manager.open(mailing)
	owner.open(mailing)
	owner.gone("main .notice.bad")

	manager.open("/manager/users")
	manager.stop("/manager/users?q="+email, "Bought addresses")
	owner.open("/clients")
	owner.fill("email", email)
	owner.fill("password", programtest.Password)
	owner.follow(save)
	owner.reads("main", "Bought addresses")
	manager.lift("/manager/users?q=" + email)
	owner.signIn(email)
	owner.open("/clients") // asks for nothing by itself when it is no longer the owner's
	s.giveRole(email)
	owner.open("/admin/posts")
}

// stop switches the only thing in a list off, which asks for a reason.
func (v *visitor) stop(list, reason string) {
	v.t.Helper()
	v.open(list)
	v.do(chromedp.Click(chromedp.CSS("button.switch")))
	v.see("[popover] [name=reason]")
	v.auditAs("manager-disable")
	v.act("[popover] [type=submit]")
	v.see("main [name=reason][aria-invalid=true]")
	v.fill("reason", reason)
	v.act("main form:has([name=reason]) [type=submit]")
	v.reads("tr:has([aria-pressed=true])", reason)
}

// lift switches it on again.
func (v *visitor) lift(list string) {
	v.t.Helper()
	v.open(list)
	v.act("button.switch[aria-pressed=true]")
	v.gone("button.switch[aria-pressed=true]")
	v.see("button.switch[aria-pressed=false]")
}

// giveRole makes somebody a content manager.
func (s *suite) giveRole(email string) {
	s.Helper()
	admin, _ := s.member("Ada Admin", "admin", "en")
	admin.open("/admin/users?q=" + email)
	admin.do(chromedp.SetValue(chromedp.CSS("form.role select"), "content"))
	admin.act("form.role [type=submit]")
	admin.see(".toast")
	admin.open("/help")
	admin.follow(".guide a[href='/help?guide=operator']")
	admin.open("/admin/audit")
	admin.reads("main tr", "Bought addresses")
	admin.look("/admin/jobs")
}
