package handlers

import (
	"skychimp/handlers/web"
)

// route is a web.Route that a table may write without the names of its fields.
type route web.Route

// routes is every address and who may use it.
func routes(n nouns) (list []web.Route) {
	for _, one := range table(n) {
		list = append(list, web.Route(one))
	}
	return list
}

// uploads are the addresses that take files, with those below them.
func uploads() []string {
	return []string{"/clients/import", "/messages/pictures", "/messages/compose", "/start/compose", "/brand", "/admin/posts"}
}

func table(n nouns) []route {
	return []route{
		{"GET", "/", web.Everyone, n.home.Show},
		{"GET", "/blog", web.Everyone, n.blog.List},
		{"GET", "/blog/feed.xml", web.Everyone, n.blog.Feed},
		{"GET", "/blog/:slug", web.Everyone, n.blog.Show},
		{"GET", "/media/:name", web.Everyone, n.blog.Picture},
		{"GET", "/sitemap.xml", web.Everyone, n.blog.Sitemap},
		{"GET", "/robots.txt", web.Everyone, n.home.Robots},
		{"GET", "/healthz", web.Everyone, n.home.Healthz},
		{"GET", "/readyz", web.Everyone, n.home.Readyz},
		{"GET", "/static/:hash/*", web.Everyone, n.home.Static},
		{"POST", "/language", web.Everyone, n.home.ChangeLanguage},
		{"GET", "/help", web.Everyone, n.home.Help},
		{"GET", "/help/:language/:name", web.Everyone, n.home.HelpPicture},

		{"GET", "/register", web.Visitor, n.account.RegisterForm},
		{"POST", "/register", web.Everyone, web.Limited(n.account.Register)},
		{"GET", "/register/sent", web.Everyone, n.account.RegisterSent},
		{"GET", "/verify/:token", web.Everyone, n.account.VerifyForm},
		{"POST", "/verify/resend", web.Everyone, web.Limited(n.account.Resend)},
		{"POST", "/verify/:token", web.Everyone, web.Limited(n.account.Verify)},
		{"GET", "/login", web.Visitor, n.account.LoginForm},
		{"POST", "/login", web.Everyone, web.Limited(n.account.Login)},
		{"POST", "/logout", web.Everyone, n.account.Logout},
		{"GET", "/password/forgot", web.Everyone, n.account.ForgotForm},
		{"POST", "/password/forgot", web.Everyone, web.Limited(n.account.Forgot)},
		{"GET", "/password/sent", web.Everyone, n.account.ForgotSent},
		{"GET", "/password/reset/:token", web.Everyone, n.account.ResetForm},
		{"POST", "/password/reset/:token", web.Everyone, web.Limited(n.account.Reset)},

		{"GET", "/account", web.SignedIn, n.account.Show},
		{"POST", "/account", web.SignedIn, n.account.Change},
		{"DELETE", "/account", web.SignedIn, n.account.Delete},
		{"POST", "/account/password", web.SignedIn, n.account.ChangePassword},
		{"GET", "/account/email", web.SignedIn, n.account.EmailForm},
		{"POST", "/account/email", web.SignedIn, n.account.ChangeEmail},
		{"GET", "/account/email/:token", web.Everyone, n.account.EmailLink},
		{"POST", "/account/email/:token", web.Everyone, web.Limited(n.account.ConfirmEmail)},
		{"POST", "/account/sessions/end", web.SignedIn, n.account.EndOtherSessions},
		{"GET", "/account/export.json", web.SignedIn, n.account.Export},

		{"GET", "/start", web.Owner, n.onboarding.Show},
		{"POST", "/start", web.Owner, web.Costly(n.onboarding.Launch)},
		{"POST", "/start/clients", web.Owner, web.Costly(n.onboarding.AddClients)},
		{"POST", "/start/plan", web.Owner, n.onboarding.Plan},
		{"POST", "/start/compose", web.Owner, web.Costly(n.onboarding.Compose)},
		{"GET", "/start/preview", web.Owner, web.Costly(n.onboarding.Preview)},
		{"POST", "/start/preview", web.Owner, web.Costly(n.onboarding.Preview)},
		{"GET", "/calendar", web.Owner, n.mailings.Calendar},

		{"GET", "/clients", web.Owner, web.Costly(n.clients.List)},
		{"POST", "/clients", web.Owner, n.clients.Create},
		{"GET", "/clients/new", web.Owner, n.clients.New},
		{"GET", "/clients/several", web.Owner, n.imports.BulkAddForm},
		{"POST", "/clients/several", web.Owner, web.Costly(n.imports.BulkAdd)},
		{"GET", "/clients/find", web.Owner, n.clients.Find},
		{"GET", "/clients/export.csv", web.Owner, n.clients.Export},
		{"GET", "/clients/fields", web.Owner, n.fields.List},
		{"POST", "/clients/fields", web.Owner, n.fields.Create},
		{"GET", "/clients/fields/:id/edit", web.Owner, n.fields.Edit},
		{"PUT", "/clients/fields/:id", web.Owner, n.fields.Update},
		{"DELETE", "/clients/fields/:id", web.Owner, web.Costly(n.fields.Delete)},
		{"GET", "/clients/fields/:id/delete", web.Owner, n.fields.AskDelete},
		{"GET", "/clients/import", web.Owner, n.imports.List},
		{"POST", "/clients/import", web.Owner, n.imports.Upload},
		{"GET", "/clients/import/:id", web.Owner, web.Costly(n.imports.Show)},
		{"POST", "/clients/import/:id", web.Owner, web.Costly(n.imports.Map)},
		{"POST", "/clients/import/:id/undo", web.Owner, n.imports.Undo},
		{"GET", "/clients/:id", web.Owner, n.clients.Show},
		{"PUT", "/clients/:id", web.Owner, n.clients.Update},
		{"DELETE", "/clients/:id", web.Owner, n.clients.Delete},
		{"GET", "/clients/:id/edit", web.Owner, n.clients.Edit},
		{"GET", "/clients/:id/delete", web.Owner, n.clients.AskDelete},
		{"POST", "/clients/:id/retry", web.Owner, n.clients.Retry},

		{"GET", "/messages", web.Owner, n.messages.List},
		{"POST", "/messages", web.Owner, web.Costly(n.messages.Create)},
		{"GET", "/messages/new", web.Owner, n.messages.New},
		{"POST", "/messages/compose", web.Owner, web.Costly(n.messages.Compose)},
		{"PUT", "/messages/compose", web.Owner, web.Costly(n.messages.Compose)}, // the buttons in the form of a saved message
		{"POST", "/messages/draft", web.Owner, n.messages.KeepDraft},
		{"PUT", "/messages/draft", web.Owner, n.messages.KeepDraft},
		{"POST", "/messages/advice", web.Owner, web.Costly(n.messages.Advise)},
		{"PUT", "/messages/advice", web.Owner, web.Costly(n.messages.Advise)},
		{"POST", "/messages/pictures", web.Owner, web.Costly(n.messages.AddPicture)},
		{"POST", "/messages/preview", web.Owner, web.Costly(n.messages.PreviewDraft)},
		{"PUT", "/messages/preview", web.Owner, web.Costly(n.messages.PreviewDraft)},
		{"GET", "/messages/:id", web.OwnerOrOverseer, n.messages.Show},
		{"PUT", "/messages/:id", web.Owner, web.Costly(n.messages.Update)},
		{"DELETE", "/messages/:id", web.Owner, n.messages.Delete},
		{"GET", "/messages/:id/edit", web.Owner, n.messages.Edit},
		{"GET", "/messages/:id/delete", web.Owner, n.messages.AskDelete},
		{"GET", "/messages/:id/preview", web.OwnerOrOverseer, web.Costly(n.messages.Preview)},
		{"POST", "/messages/:id/copy", web.Owner, n.messages.Copy},
		{"POST", "/messages/:id/test", web.Owner, web.Costly(n.messages.Test)},

		{"GET", "/brand", web.Owner, n.brands.Edit},
		{"POST", "/brand", web.Owner, web.Costly(n.brands.Update)},
		{"POST", "/brand/preview", web.Owner, web.Costly(n.brands.Preview)},
		{"GET", "/brand/:name", web.Everyone, n.brands.Style},

		{"GET", "/segments", web.Owner, n.segments.List},
		{"POST", "/segments", web.Owner, web.Costly(n.segments.Create)},
		{"GET", "/segments/new", web.Owner, n.segments.New},
		{"POST", "/segments/count", web.Owner, web.Costly(n.segments.Work)},
		{"PUT", "/segments/count", web.Owner, web.Costly(n.segments.Work)}, // the buttons in the form of a saved segment
		{"GET", "/segments/:id", web.Owner, web.Costly(n.segments.Show)},
		{"PUT", "/segments/:id", web.Owner, web.Costly(n.segments.Update)},
		{"DELETE", "/segments/:id", web.Owner, n.segments.Delete},
		{"GET", "/segments/:id/delete", web.Owner, n.segments.AskDelete},

		{"GET", "/senders", web.Owner, n.senders.List},
		{"POST", "/senders", web.Owner, web.Costly(n.senders.Create)},
		{"GET", "/senders/new", web.Owner, n.senders.New},
		{"GET", "/senders/confirm/:token", web.Everyone, n.senders.Link},
		{"POST", "/senders/confirm/:token", web.Everyone, web.Limited(n.senders.Confirm)},
		{"GET", "/senders/:id", web.Owner, n.senders.Show},
		{"PUT", "/senders/:id", web.Owner, web.Costly(n.senders.Update)},
		{"DELETE", "/senders/:id", web.Owner, n.senders.Delete},
		{"GET", "/senders/:id/edit", web.Owner, n.senders.Edit},
		{"GET", "/senders/:id/delete", web.Owner, n.senders.AskDelete},
		{"POST", "/senders/:id/check", web.Owner, web.Costly(n.senders.Check)},
		{"POST", "/senders/:id/confirm", web.Owner, n.senders.Ask},

		{"GET", "/topics", web.Owner, n.topics.List},
		{"POST", "/topics", web.Owner, n.topics.Create},
		{"GET", "/topics/:id/edit", web.Owner, n.topics.Edit},
		{"PUT", "/topics/:id", web.Owner, n.topics.Update},
		{"DELETE", "/topics/:id", web.Owner, n.topics.Delete},
		{"GET", "/topics/:id/delete", web.Owner, n.topics.AskDelete},

		{"GET", "/mailings", web.Owner, n.mailings.List},
		{"POST", "/mailings", web.Owner, n.mailings.Create},
		{"GET", "/mailings/new", web.Owner, n.mailings.New},
		{"POST", "/mailings/clients", web.Owner, web.Costly(n.mailings.ShowPicker)},
		{"POST", "/mailings/reach", web.Owner, web.Costly(n.mailings.ShowRecipients)},
		{"GET", "/mailings/:id", web.OwnerOrOverseer, n.mailings.Show},
		{"PUT", "/mailings/:id", web.Owner, n.mailings.Update},
		{"DELETE", "/mailings/:id", web.Owner, n.mailings.Delete},
		{"GET", "/mailings/:id/edit", web.Owner, n.mailings.Edit},
		{"GET", "/mailings/:id/delete", web.Owner, n.mailings.AskDelete},
		{"GET", "/mailings/:id/progress", web.OwnerOrOverseer, n.mailings.Progress},
		{"GET", "/mailings/:id/pace", web.OwnerOrOverseer, n.mailings.ShowThroughput},
		{"GET", "/mailings/:id/review", web.Owner, web.Costly(n.launches.Review)},
		{"POST", "/mailings/:id/launch", web.Owner, n.launches.Launch},
		{"GET", "/mailings/:id/recall", web.Owner, n.launches.ShowRecall},
		{"POST", "/mailings/:id/recall", web.Owner, n.launches.TakeBack},
		{"POST", "/mailings/:id/pause", web.Owner, n.launches.Pause},
		{"POST", "/mailings/:id/resume", web.Owner, n.launches.Resume},
		{"GET", "/mailings/:id/stop", web.Owner, n.launches.AskStop},
		{"POST", "/mailings/:id/stop", web.Owner, n.launches.Stop},
		{"POST", "/mailings/:id/run", web.Owner, n.launches.Run},
		{"POST", "/mailings/:id/copy", web.Owner, n.launches.Copy},
		{"GET", "/runs/:id", web.OwnerOrOverseer, web.Costly(n.runs.Show)},
		{"GET", "/runs/:id/email", web.OwnerOrOverseer, web.Costly(n.runs.Email)},
		{"GET", "/runs/:id/cancel", web.Owner, n.runs.AskCancel},
		{"POST", "/runs/:id/cancel", web.Owner, n.runs.Cancel},
		{"POST", "/runs/:id/again", web.Owner, web.Costly(n.runs.Again)},
		{"GET", "/runs/:id/bounces", web.OwnerOrOverseer, web.Costly(n.runs.ShowBounces)},
		{"POST", "/runs/:id/unsuppress", web.Owner, n.runs.Unsuppress},
		{"GET", "/attempts", web.OwnerOrOverseer, web.Costly(n.runs.Attempts)},

		{"GET", "/inbox", web.Loopback, n.inbox.List},
		{"GET", "/inbox/:id", web.Loopback, n.inbox.Show},
		{"GET", "/inbox/:id/html", web.Loopback, n.inbox.HTML},

		{"GET", "/manager/mailings", web.Overseer, n.staff.Mailings},
		{"GET", "/manager/mailings/:id/disable", web.Overseer, n.staff.AskDisable},
		{"POST", "/manager/mailings/:id/disable", web.Overseer, n.staff.DisableMailing},
		{"POST", "/manager/mailings/:id/enable", web.Overseer, n.staff.EnableMailing},
		{"GET", "/manager/users", web.Overseer, n.staff.Users},
		{"GET", "/manager/users/:id/block", web.Overseer, n.staff.AskBlock},
		{"POST", "/manager/users/:id/block", web.Overseer, n.staff.BlockUser},
		{"POST", "/manager/users/:id/unblock", web.Overseer, n.staff.UnblockUser},
		{"POST", "/manager/users/:id/release", web.Overseer, n.staff.ReleaseUser},
		{"GET", "/manager/users/:id/lift", web.Overseer, n.staff.AskLift},
		{"POST", "/manager/users/:id/lift", web.Overseer, n.staff.LiftLimit},
		{"POST", "/manager/users/:id/limit", web.Overseer, n.staff.BringLimitBack},
		{"GET", "/manager/users/:id/approve", web.Overseer, n.staff.AskApprove},
		{"POST", "/manager/users/:id/approve", web.Overseer, n.staff.ApproveName},
		{"POST", "/manager/users/:id/hold", web.Overseer, n.staff.HoldName},

		{"GET", "/view/:token", web.Everyone, web.Limited(n.recipients.View)},
		{"GET", "/unsubscribe/:token", web.Everyone, n.recipients.UnsubscribeForm},
		{"POST", "/unsubscribe/:token", web.Everyone, n.recipients.Unsubscribe},

		{"GET", "/admin/posts", web.Publisher, n.blog.Manage},
		{"POST", "/admin/posts", web.Publisher, web.Costly(n.blog.Create)},
		{"GET", "/admin/posts/new", web.Publisher, n.blog.New},
		{"POST", "/admin/posts/preview", web.Publisher, web.Costly(n.blog.Preview)},
		{"PUT", "/admin/posts/preview", web.Publisher, web.Costly(n.blog.Preview)}, // the button in the form of a saved post
		{"GET", "/admin/posts/:id", web.Publisher, n.blog.ShowDraft},
		{"PUT", "/admin/posts/:id", web.Publisher, web.Costly(n.blog.Update)},
		{"DELETE", "/admin/posts/:id", web.Publisher, n.blog.Delete},
		{"GET", "/admin/posts/:id/preview", web.Publisher, n.blog.ShowDraft},
		{"GET", "/admin/posts/:id/edit", web.Publisher, n.blog.Edit},
		{"GET", "/admin/posts/:id/delete", web.Publisher, n.blog.AskDelete},

		{"GET", "/admin/users", web.Admin, n.staff.Roles},
		{"POST", "/admin/users/:id/role", web.Admin, n.staff.GiveRole},
		{"GET", "/admin/audit", web.Admin, n.staff.Audit},
		{"GET", "/admin/check", web.Admin, web.Costly(n.checks.Show)},
		{"GET", "/admin/jobs", web.Admin, n.staff.Jobs},
		{"GET", "/admin/jobs/*", web.Admin, n.staff.Jobs},
		{"POST", "/admin/jobs/*", web.Admin, n.staff.Jobs},
		{"PUT", "/admin/jobs/*", web.Admin, n.staff.Jobs},
		{"PATCH", "/admin/jobs/*", web.Admin, n.staff.Jobs},
	}
}

// nav is the main menu; who sees an entry follows from its route.
func nav() []web.NavItem {
	return []web.NavItem{
		{Path: "/start", Key: "onboarding.home"},
		{Path: "/mailings", Key: "mailings.title", Also: []string{"/runs", "/calendar"}},
		{Path: "/messages", Key: "messages.title", Also: []string{"/brand"}},
		{Path: "/clients", Key: "clients.title", Also: []string{"/topics", "/segments"}},
		{Path: "/senders", Key: "senders.title"},
		{Path: "/attempts", Key: "runs.attempts_title"},
		{Path: "/manager/mailings", Key: "staff.mailings"},
		{Path: "/manager/users", Key: "staff.users"},
		{Path: "/admin/posts", Key: "blog.manage"},
		{Path: "/admin/users", Key: "staff.roles"},
		{Path: "/admin/audit", Key: "staff.audit"},
		{Path: "/admin/jobs", Key: "staff.jobs"},
		{Path: "/admin/check", Key: "checks.title"},
		{Path: "/blog", Key: "blog.title"},
		{Path: "/inbox", Key: "inbox.title"},
	}
}
