package browsertest

import (
	"context"
	"fmt"
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
	owner.follow(".head a[href='/messages/new']")
	owner.follow("main a[href$='start=promotion']")
	owner.see("main a[href$='start=promotion'][aria-current]")
	if leads := ask(owner, chromedp.Value(field("b3.url"))); !strings.HasPrefix(leads, "https://") {
		s.Errorf("the example: %s", leads)
	}
	owner.fill("subject", "News for {{nickname}}")
	owner.compose("Hello {{name}}")
	owner.follow(save)
	owner.see("main [name=subject][aria-invalid=true]")
	owner.blocks()
	owner.fill("subject", "News for {{name}}")
	owner.follow(save)
	owner.reads("main", "News for {{name}}")
	owner.previews()
	owner.act("form.search [hx-post]")
	owner.toast()
	s.email(email, "News for ")

	owner.open("/messages")
	owner.follow(rowOf("message", "News for {{name}}") + " a[href$='/edit']")
	owner.fill("subject", "More news for {{name}}")
	owner.follow(save)
	owner.reads("main", "More news")
	owner.open("/messages")
	owner.remove(rowOf("message", "More news for {{name}}"))
}

// compose writes the first text of an email anew, as it looks or as Markdown.
func (v *visitor) compose(text string) {
	v.t.Helper()
	place := ".block-text textarea"
	if !v.plain {
		place = ".block-text .rich"
	}
	v.see(place)
	v.do(chromedp.Click(chromedp.CSS(place)), chromedp.Evaluate[chromedp.Void](`(() => {
		const place = document.activeElement;
		if (place.select) return place.select();
		getSelection().selectAllChildren(place);
	})()`))
	v.do(insert(text))
	v.until("the text is in the form", chromedp.Evaluate[bool](fmt.Sprintf(`document.querySelector(".block-text textarea").value === %q`, text)))
}

// blocks adds a divider, moves it, and removes it again; what was typed stays.
func (v *visitor) blocks() {
	v.t.Helper()
	order := func(want string) {
		v.t.Helper()
		v.until("the blocks are "+want, chromedp.Evaluate[bool](fmt.Sprintf(`[...document.querySelectorAll("[name$='.kind']")].map((one) => one.value).join() === %q`, want)))
	}
	v.click(".block-add summary")
	v.act(".block-add [value='add:0:divider']")
	const rest = ",heading,text,button,quote,columns,divider,text"
	order("divider,picture" + rest)
	v.act("[value='down:0']")
	order("picture,divider" + rest)
	v.auditAs("messages-composer")
	v.act("[value='remove:1']")
	order("picture" + rest)
	v.act("[value='markdown']")
	v.until("the Markdown is shown", chromedp.Evaluate[bool](`document.querySelector(".composer textarea").value.includes("Hello {{name}}")`))
	v.act("[value='blocks']")
	order("picture" + rest)
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
