package main_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// managerFlow stops a mailing and an owner with a reason, and lifts both again; an admin gives
// a role and reads who did it.
func managerFlow(t *testing.T, s *server) {
	owner := visit(t, s.url, "en")
	address := s.newUser(t, "Oscar Owner", "user")
	owner.signIn(address)
	owner.prepare("Zoe <zoe@example.net>", "Daily news")
	owner.open("/mailings/new")
	owner.fill("name", "Daily")
	owner.choose("message_id", "Daily news")
	owner.set("start_at", "2031-01-31T09:00")
	owner.set("periodicity", "daily")
	owner.follow(save)
	owner.open("/mailings?q=Daily")
	owner.follow("#mailing-rows td a[href^='/mailings/']")
	mailing := owner.at()

	manager := visit(t, s.url, "ru")
	manager.signIn(s.newUser(t, "Maria Manager", "manager"))
	manager.open("/manager/mailings")
	manager.open("/manager/mailings?q=" + address)
	manager.click("button.switch")
	manager.see("[popover] [name=reason]")
	manager.auditAs("manager-disable")
	manager.fill("reason", "Complaints of readers")
	manager.click("[popover] [type=submit]")
	manager.see("button.switch[aria-pressed=true]")
	owner.open(mailing)
	owner.reads("main", "Complaints of readers")
	manager.click("button.switch")
	manager.see("button.switch[aria-pressed=false]")
	manager.open(mailing)

	manager.open("/manager/users")
	manager.open("/manager/users?q=" + address)
	manager.click("button.switch")
	manager.see("[popover] [name=reason]")
	manager.fill("reason", "Bought addresses")
	manager.click("[popover] [type=submit]")
	manager.see("button.switch[aria-pressed=true]")
	owner.open("/clients")
	owner.fill("email", address)
	owner.fill("password", password)
	owner.follow("main form [type=submit]")
	owner.reads("main", "Bought addresses")
	manager.click("button.switch")
	manager.see("button.switch[aria-pressed=false]")
	owner.signIn(address)

	admin := visit(t, s.url, "en")
	admin.signIn(s.newUser(t, "Ada Admin", "admin"))
	admin.open("/admin/users?q=" + address)
	admin.do(chromedp.SetValue(chromedp.CSS("form.role select"), "content"))
	admin.click("form.role [type=submit]")
	admin.see(".toast")
	admin.open("/help")
	admin.follow(".guide a[href='/help?guide=operator']")
	admin.open("/admin/audit")
	admin.reads("main tr", "Bought addresses")
	owner.open("/admin/posts")
	admin.look("/admin/jobs")
}
