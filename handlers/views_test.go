package handlers

import (
	"strings"
	"testing"

	"github.com/jba/templatecheck"

	"skychimp/domain"
	"skychimp/static"
	"skychimp/templates"
)

// views are all pages and blocks with what they show. A page's title shows the same.
func views() map[string]any {
	return map[string]any{
		"account/page":            accountView{},
		"account/leave":           accountView{},
		"account/password":        accountView{},
		"account/profile":         accountView{},
		"account/sessions":        accountView{},
		"adminposts/article":      articleView{},
		"adminposts/delete":       adminPostView{},
		"adminposts/edit":         postForm{},
		"adminposts/image":        postForm{},
		"adminposts/list":         adminPostsView{},
		"adminposts/preview":      adminPostView{},
		"adminposts/results":      adminPostsView{},
		"adminposts/row":          postRow{},
		"adminposts/show":         adminPostView{},
		"adminposts/state":        domain.Draft,
		"adminposts/tools":        struct{}{},
		"errors/page":             errorView{},
		"frame":                   frameView{},
		"help/page":               helpView{},
		"home/invitation":         struct{}{},
		"home/page":               homeView{},
		"home/sample":             struct{}{},
		"login/form":              loginView{},
		"password/forgot":         forgotView{},
		"password/reset":          resetView{},
		"password/sent":           sentView{},
		"posts/article":           articleView{},
		"posts/card":              postCard{},
		"posts/list":              postsView{},
		"posts/meta":              postCard{},
		"posts/picture":           postCard{},
		"posts/text":              articleView{},
		"register/again":          resendForm{},
		"register/confirm":        confirmView{},
		"register/dead":           deadLinkView{},
		"register/form":           registerView{},
		"register/inbox":          sentView{},
		"register/resend":         resendForm{},
		"register/sent":           sentView{},
		"ui/area":                 templates.Field{},
		"ui/check":                templates.Field{},
		"ui/field":                templates.Field{},
		"ui/field.attributes":     templates.Field{},
		"ui/field.notes":          templates.Field{},
		"ui/form-problem":         templates.Problems{},
		"ui/method":               "",
		"ui/pager":                pagerView{},
		"ui/select":               templates.Select{},
		"ui/time":                 Moment{},
		"clients/created":         createdClient{},
		"clients/delete":          clientRow{},
		"clients/edit":            clientForm{},
		"clients/edit-row":        clientForm{},
		"clients/fields":          clientForm{},
		"clients/form":            clientForm{},
		"clients/list":            clientsView{},
		"clients/nothing":         clientsView{},
		"clients/new":             clientForm{},
		"clients/results":         clientsView{},
		"clients/row":             clientRow{},
		"clients/several":         pastedView{},
		"clients/pasted":          pastedView{},
		"clients/show":            clientView{},
		"clients/state":           clientRow{},
		"clients/tags":            []string{},
		"imports/bad":             []badRow{},
		"imports/check":           importCheck{},
		"imports/list":            importsView{},
		"imports/progress":        importView{},
		"imports/result":          importView{},
		"imports/show":            importView{},
		"imports/status":          importRow{},
		"messages/created":        createdMessage{},
		"messages/delete":         deleteMessageView{},
		"messages/edit":           messageForm{},
		"messages/edit-row":       messageForm{},
		"messages/fields":         messageForm{},
		"messages/form":           messageForm{},
		"messages/list":           messagesView{},
		"messages/nothing":        messagesView{},
		"messages/new":            messageForm{},
		"messages/results":        messagesView{},
		"messages/row":            messageRow{},
		"messages/show":           messageView{},
		"messages/starts":         messageForm{},
		"mailings/acts":           mailingView{},
		"mailings/created":        createdMailing{},
		"mailings/delete":         mailingRow{},
		"mailings/edit":           mailingForm{},
		"mailings/edit-row":       mailingForm{},
		"mailings/ended":          mailingView{},
		"mailings/fields":         mailingForm{},
		"mailings/form":           mailingForm{},
		"mailings/list":           mailingsView{},
		"mailings/new":            mailingForm{},
		"mailings/pick":           mailingPick{},
		"mailings/pace":           mailingPace{},
		"mailings/progress":       mailingProgress{},
		"mailings/reach":          mailingReach{},
		"mailings/question":       reviewView{},
		"mailings/results":        mailingsView{},
		"mailings/review":         reviewView{},
		"mailings/row":            mailingRow{},
		"mailings/runs":           mailingView{},
		"mailings/show":           mailingView{},
		"mailings/status":         mailingRow{},
		"mailings/stop":           stopView{},
		"calendar/day":            calendarDay{},
		"calendar/page":           calendarView{},
		"clients/chart":           clientChart{},
		"runs/chart":              runChart{},
		"runs/pace":               paceChart{},
		"runs/counts":             runCounts{},
		"runs/outcome":            domain.Outcome(""),
		"runs/show":               runView{},
		"runs/state":              runRow{},
		"runs/status":             domain.RunStatus(""),
		"attempts/list":           attemptsView{},
		"attempts/results":        attemptsView{},
		"attempts/status":         domain.Verdict(""),
		"inbox/list":              inboxView{},
		"inbox/results":           inboxView{},
		"inbox/show":              inboxLetterView{},
		"admin/audit":             auditView{},
		"admin/audit-results":     auditView{},
		"admin/user":              adminUser{},
		"admin/user-results":      adminUsersView{},
		"admin/users":             adminUsersView{},
		"manager/mailing":         managerMailing{},
		"manager/mailing-results": managerMailingsView{},
		"manager/mailings":        managerMailingsView{},
		"manager/toggle":          toggle{},
		"manager/user":            managerUser{},
		"manager/user-results":    managerUsersView{},
		"manager/users":           managerUsersView{},
		"manager/why":             toggle{},
		"manager/why-fields":      toggle{},
		"manager/why-form":        toggle{},
		"manager/why-heading":     toggle{},
		"start/act":               startAct{},
		"start/clients":           pastedView{},
		"start/home":              startHomeView{},
		"start/letter":            startLetterView{},
		"start/now":               startHomeView{},
		"start/steps":             domain.StepClients,
		"start/subject":           "",
		"unsubscribe/page":        unsubscribeView{},
	}
}

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	files, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	set, err := templates.New(files)
	if err != nil {
		t.Fatal(err)
	}
	known := views()
	for _, one := range set.Template("en", "frame").Templates() {
		if one.Tree == nil || strings.TrimSpace(one.Tree.Root.String()) == "" {
			continue // a file of blocks
		}
		view, ok := known[strings.TrimSuffix(strings.TrimSuffix(one.Name(), ".title"), ".head")]
		if !ok {
			t.Errorf("%s is missing in views", one.Name())
			continue
		}
		if err := templatecheck.CheckHTMLStrict(one, view); err != nil {
			t.Errorf("%s: %v", one.Name(), err)
		}
	}
	for name := range known {
		if set.Template("en", name) == nil {
			t.Errorf("%s stands in views, but is no template", name)
		}
	}
}
