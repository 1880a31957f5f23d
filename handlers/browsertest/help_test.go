package browsertest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"skychimp/handlers/programtest"
)

// sample is what the people in the pictures of a guide have written.
type sample struct {
	lang, shop, domain, tag, clients, list, mailing, reason, title, body string
}

var samples = []sample{
	{
		lang: "en", shop: "Ivy Lane Bakery", domain: "ivy.example", tag: "regular",
		clients: "Ann Smith <ann@ivy.example>\nBob Stone <bob@ivy.example>\nCarol Ash <carol@ivy.example>\nDora Day <dora@ivy.example>\nEdgar Hill <edgar@ivy.example>",
		list:    "E-mail;Name;City\nfay@ivy.example;Fay Green;Leeds\ngus@ivy.example;Gus Brown;York\nhannah at ivy;Hannah;York\nann@ivy.example;Ann Smith;Leeds\n",
		mailing: "December offer", reason: "Several readers complained.", title: "How we bake our bread", body: "It all begins with *good flour* and a long night.",
	},
	{
		lang: "ru", shop: "Пекарня на Садовой", domain: "sadovaya.example", tag: "постоянные",
		clients: "Анна Иванова <anna@sadovaya.example>\nБорис Котов <boris@sadovaya.example>\nВера Лебедева <vera@sadovaya.example>\nГлеб Орлов <gleb@sadovaya.example>\nДарья Белова <darya@sadovaya.example>",
		list:    "E-mail;Имя;Город\nelena@sadovaya.example;Елена Новикова;Тверь\nzoya@sadovaya.example;Зоя Громова;Москва\nigor собака sadovaya;Игорь;Тверь\nanna@sadovaya.example;Анна Иванова;Москва\n",
		mailing: "Декабрьская акция", reason: "Несколько получателей пожаловались.", title: "Как мы печём хлеб", body: "Всё начинается с *хорошей муки* и долгой ночи.",
	},
}

// TestGuides takes the ways that the guides describe; for their pictures in each language. The
// program has its own inbox, and the browser the language of the words.
func TestGuides(t *testing.T) {
	s := programtest.Serve(t, "serve")
	languages := samples
	if os.Getenv("SCREENSHOTS") == "" {
		languages = samples[1:]
	}
	for _, words := range languages {
		t.Run(words.lang, func(t *testing.T) {
			v := visit(t, s.URL, words.lang)
			v.axe = "" // other flows look at these pages
			v.do(chromedp.EmulateViewport(1000, 720))
			v.helpOfOwner(s, words)
			v.helpOfOthers(s, words)
		})
	}
}

func (v *visitor) helpOfOwner(s *programtest.Program, words sample) {
	v.t.Helper()
	v.become(s, words, words.shop, "user")
	v.open("/clients/several")
	v.fill("addresses", words.clients)
	v.fill("tags", words.tag)
	v.follow("main form [type=submit]")
	v.open("/clients")
	v.figure(words, "clients")

	v.open("/clients/import")
	v.do(chromedp.SetUploadFiles(field("file"), []string{write(v.t, words.list)}))
	v.follow("main form [type=submit]")
	v.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#check-title").scrollIntoView({block: "end"}); scrollBy(0, 240)`))
	v.figure(words, "import")

	v.open("/messages/new?start=promotion")
	v.fill("subject", words.mailing) // an example that nobody touched is not sent
	v.figure(words, "message")
	v.follow("main form [type=submit]")
	v.figure(words, "email")
	v.follow(".head a[href^='/mailings/new']")
	v.fill("name", words.mailing)
	v.set("periodicity", "weekly")
	v.figure(words, "mailing-new")
	v.set("start_at", "2026-01-05T09:00")
	v.follow(save)
	v.open("/mailings")
	v.follow("#mailing-rows td a[href^='/mailings/']")
	v.follow("#acts a[href$='/review']")
	v.follow("form[action$='/launch'] button")
	v.reads("#progress .count-accepted", "5")
	v.gone("#progress[hx-get]")
	v.open(v.at())
	v.figure(words, "mailing")
	v.open("/attempts")
	v.figure(words, "attempts")
	v.open("/inbox?q=" + words.domain)
	v.figure(words, "inbox")
}

func (v *visitor) helpOfOthers(s *programtest.Program, words sample) {
	v.t.Helper()
	v.become(s, words, "Mary "+words.lang, "manager")
	v.open("/manager/mailings?q=" + words.mailing)
	v.click("button.switch")
	v.see("[popover] [name=reason]")
	v.fill("reason", words.reason)
	v.figure(words, "disable")
	v.become(s, words, "Walter "+words.lang, "content")
	v.open("/admin/posts/new")
	v.fill("title", words.title)
	v.click(".CodeMirror")
	v.do(chromedp.KeyEvent(words.body))
	v.figure(words, "post")
	v.open("/help")
	v.see(".guide img")
}

// become signs in as somebody new, who reads the language of the words.
func (v *visitor) become(s *programtest.Program, words sample, name, role string) {
	v.t.Helper()
	v.do(chromedp.Navigate(s.URL + "/login"))
	if at := v.at(); at != "/login" {
		v.follow("form[action='/logout'] button")
	}
	v.signIn(s.NewUser(v.t, role+" of help "+words.lang, role))
	v.open("/account")
	v.fill("name", name)
	v.set("language", words.lang)
	v.follow("main form [type=submit]")
}

// figure is a picture of what stands in the window.
func (v *visitor) figure(words sample, name string) {
	v.t.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	v.settle()
	v.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll(".toast").forEach(e => e.remove())`))
	image := ask(v, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(folder, "help-"+words.lang+"-"+name+".png"), image, 0o644); err != nil {
		v.t.Fatal(err)
	}
}

// write makes a file for an upload.
func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
