package browsertest

import (
	"context"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// messagesFlow writes a message and looks at it as a client will.
func messagesFlow(s *suite) {
	owner, email := s.member("Mark Owner", "user", "en")
	owner.open("/clients/several")
	owner.fill("addresses", "Eve Adams <eve@example.com>")
	owner.follow(save)
	owner.open("/messages")
	owner.act(".head a[href='/messages/new']")
	owner.see("main form.form")
	owner.act("main a[href$='start=promotion']")
	owner.see("main a[href$='start=promotion'][aria-current]")
	owner.auditAs("messages-new-in-place")
	if body := ask(owner, chromedp.Value(field("body"))); !strings.Contains(body, "](https://") {
		s.Errorf("the example: %s", body)
	}
	owner.fill("subject", "News for {{nickname}}")
	owner.fill("body", "Hello **{{name}}**")
	owner.act(save)
	owner.see("main [name=subject][aria-invalid=true]")
	owner.keeps("body", "Hello **{{name}}**")
	owner.fill("subject", "News for {{name}}")
	owner.act(save)
	owner.reads("main", "News for {{name}}")
	owner.open("/messages")
	owner.follow("#message-rows td a[href^='/messages/']")
	owner.previews()
	owner.act("form.search [hx-post]")
	owner.toast()
	s.email(email, "News for ")

	owner.open("/messages")
	owner.act(rowOf("message", "News for {{name}}") + " a[href$='/edit']")
	owner.see("main form.form")
	owner.auditAs("messages-edit-in-place")
	owner.fill("subject", "More news for {{name}}")
	owner.act(save)
	owner.reads("main", "More news")
	owner.open("/messages")
	owner.remove(rowOf("message", "More news for {{name}}"))
}

// previews asks for the email as a client gets it, in the frame, and then looks at it alone.
func (v *visitor) previews() {
	v.t.Helper()
	message := v.at()
	eve := ask(v, chromedp.Value(chromedp.CSS("select[name=client] option:last-child")))
	preview := message + "/preview?client=" + eve + "&scheme="
	v.set("client", eve)
	v.do(chromedp.Click(chromedp.CSS("form.search [type=submit]:not([formaction])")))
	v.until("the frame shows the email", func(ctx context.Context, _ *chromedp.Target) (bool, error) {
		frames, err := chromedp.Targets(ctx) // what is in a sandbox is one of its own, but not in every browser
		if err != nil {
			return false, err
		}
		got, err := chromedp.Call(ctx, page.GetFrameTree, cdp.Empty{})
		if err != nil {
			return false, err
		}
		url := v.site + preview + "light"
		return slices.ContainsFunc(frames, func(one *target.Info) bool { return one.URL == url }) ||
			slices.ContainsFunc(got.FrameTree.ChildFrames, func(one *page.FrameTree) bool { return one.Frame.URL == url }), nil
	})
	v.do(chromedp.EmulateViewport(320, 640))
	for _, scheme := range []string{"light", "dark"} {
		v.look(preview + scheme)
		v.reads("body", "Hello Eve Adams")
		v.picture("email-" + scheme)
		if ask(v, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)) {
			v.t.Error("the email is wider than a small phone")
		}
	}
	v.do(chromedp.EmulateViewport(1280, 900))
	v.open(message)
}
