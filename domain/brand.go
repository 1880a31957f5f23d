package domain

import (
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Brand is how the emails and public pages of an owner look. The zero Brand is the look of the service.
type Brand struct {
	OwnerID   int64     `bun:",pk" json:"-"`
	Name      string    // stands above emails where there is no logo; empty: the sender's name
	Logo      string    // a file of /media/, its size in its name; empty: none
	Color     string    // of buttons, links and the upper edge, like #1a5fc4; empty: the service's
	Ground    string    // around the sheet of an email and of a page; empty: the service's
	Font      string    // one of BrandFonts; empty: the reader's own
	Address   string    // where the owner is by post, may have lines
	Reason    string    // why the reader gets emails; empty: the service's words
	Links     []string  `bun:",array"` // addresses of the owner elsewhere
	Revision  int       `json:"-"`
	UpdatedAt time.Time `bun:",nullzero,default:now()" json:"-"`
}

// The look of the service, and the limits of a brand.
const (
	DefaultColor   = "#1a5fc4"
	DefaultGround  = "#eef1f5"
	maxBrandName   = 80
	maxBrandText   = 300
	maxBrandLinks  = 8
	maxBrandLink   = 300
	minContrast    = 4.5 // contrast of a text (WCAG 2.2, 1.4.3)
	sheet, night   = "#ffffff", "#1d232c"
	light, dark    = "#ffffff", "#1d2430"
	colourStep     = 0.04
	maxColourSteps = 25
)

// BrandFont is a font that mail programs have.
type BrandFont struct{ Key, Name, Stack string }

// BrandFonts are those that a brand can have. Their stacks hold no quotes, because they stand in attributes.
func BrandFonts() []BrandFont {
	return []BrandFont{
		{"", "", "Segoe UI,Roboto,Helvetica,Arial,sans-serif"},
		{"arial", "Arial", "Arial,Helvetica,sans-serif"},
		{"verdana", "Verdana", "Verdana,Geneva,sans-serif"},
		{"tahoma", "Tahoma", "Tahoma,Verdana,Geneva,sans-serif"},
		{"trebuchet", "Trebuchet MS", "Trebuchet MS,Tahoma,Arial,sans-serif"},
		{"georgia", "Georgia", "Georgia,Times New Roman,serif"},
		{"times", "Times New Roman", "Times New Roman,Times,serif"},
		{"courier", "Courier New", "Courier New,Courier,monospace"},
	}
}

// FontStack is the value of font-family.
func (b Brand) FontStack() string {
	fonts := BrandFonts()
	return fonts[max(0, slices.IndexFunc(fonts, func(f BrandFont) bool { return f.Key == b.Font }))].Stack
}

// Wordless is the brand without what its owner wrote: for emails that strangers can have sent to anybody.
func (b Brand) Wordless() Brand {
	return Brand{OwnerID: b.OwnerID, Logo: b.Logo, Color: b.Color, Ground: b.Ground, Font: b.Font}
}

// BrandForm is the form of a brand; Links have a line each.
type BrandForm struct {
	Name, Color, Ground, Font, Address, Reason, Links string
	Logo                                              *string // nil keeps it
}

var colour = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// Change applies the form.
func (b *Brand) Change(form BrandForm, now time.Time) error {
	var p ValidationErrors
	b.Name, b.Address, b.Reason = strings.Join(strings.Fields(form.Name), " "), tidyLines(form.Address), strings.Join(strings.Fields(form.Reason), " ")
	b.Color, b.Ground = brandColour(&p, "color", form.Color, DefaultColor), brandColour(&p, "ground", form.Ground, DefaultGround)
	b.Font = form.Font
	if !slices.ContainsFunc(BrandFonts(), func(f BrandFont) bool { return f.Key == form.Font }) {
		p.Add("font", "brands.font_unknown")
	}
	tooLong := func(field, text string, limit int) {
		if utf8.RuneCountInString(text) > limit || hasControl(strings.ReplaceAll(text, "\n", " ")) || !utf8.ValidString(text) {
			p.Add(field, "brands.too_long", "Max", limit)
		}
	}
	tooLong("name", b.Name, maxBrandName)
	tooLong("address", b.Address, maxBrandText)
	tooLong("reason", b.Reason, maxBrandText)
	b.Links = brandLinks(&p, form.Links)
	if form.Logo != nil {
		b.Logo = *form.Logo
	}
	b.Revision++
	b.UpdatedAt = now
	return p.Err()
}

// brandColour is a colour as it is kept: "" for that of the service.
func brandColour(p *ValidationErrors, field, typed, standard string) string {
	typed = strings.ToLower(strings.TrimSpace(typed))
	if len(typed) == 6 && !strings.HasPrefix(typed, "#") {
		typed = "#" + typed
	}
	if typed != "" && !colour.MatchString(typed) {
		p.Add(field, "brands.color_form")
	}
	if typed == standard {
		return ""
	}
	return typed
}

// tidyLines are the lines of a text that hold something.
func tidyLines(text string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r", "\n"), "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func brandLinks(p *ValidationErrors, text string) []string {
	links := []string{}
	for line := range strings.SplitSeq(tidyLines(text), "\n") {
		if line == "" {
			continue
		}
		address, ok := webAddress(line)
		if !ok {
			p.Add("links", "brands.link_dead", "Address", string([]rune(line)[:min(60, utf8.RuneCountInString(line))]))
			return strings.Split(tidyLines(text), "\n")
		}
		links = append(links, address)
	}
	if len(links) > maxBrandLinks {
		p.Add("links", "brands.links_many", "Max", maxBrandLinks)
	}
	return links
}

// webAddress is the address of a page as somebody types it.
func webAddress(typed string) (address string, ok bool) {
	if !strings.Contains(typed, "://") {
		typed = "https://" + typed
	}
	u, err := url.Parse(typed)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || len(typed) > maxBrandLink || !strings.Contains(u.Host, ".") {
		return "", false
	}
	host, ok := WireHost(u.Hostname())
	if u.Port() != "" {
		host += ":" + u.Port()
	}
	u.Host = host
	return u.String(), ok
}

// Link is a place of the owner elsewhere, with its name.
type Link struct{ Name, URL string }

// networks are names of places by their host.
var networks = map[string]string{"vk.com": "VK", "vk.ru": "VK", "t.me": "Telegram", "telegram.me": "Telegram", "instagram.com": "Instagram",
	"facebook.com": "Facebook", "fb.com": "Facebook", "youtube.com": "YouTube", "youtu.be": "YouTube", "rutube.ru": "Rutube", "wa.me": "WhatsApp",
	"ok.ru": "OK", "dzen.ru": "Dzen", "x.com": "X", "twitter.com": "X", "linkedin.com": "LinkedIn", "tiktok.com": "TikTok", "pinterest.com": "Pinterest",
	"threads.net": "Threads", "bsky.app": "Bluesky", "max.ru": "MAX"}

// Elsewhere are the brand's links with their names.
func (b Brand) Elsewhere() (links []Link) {
	for _, address := range b.Links {
		name := address
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			name = strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
		}
		if known, ok := networks[strings.TrimPrefix(name, "m.")]; ok {
			name = known
		}
		links = append(links, Link{name, address})
	}
	return links
}

// Main is the colour of buttons.
func (b Brand) Main() string { return orColour(b.Color, DefaultColor) }

// Around is the colour around the sheet.
func (b Brand) Around() string { return orColour(b.Ground, DefaultGround) }

func orColour(one, standard string) string {
	if colour.MatchString(one) {
		return one
	}
	return standard
}

// OnMain is the colour of the text of a button: the one of light and dark that can be read better.
func (b Brand) OnMain() string { return on(b.Main()) }

// OnAround is the colour of texts around the sheet.
func (b Brand) OnAround() string { return on(b.Around()) }

func on(ground string) string {
	if Contrast(light, ground) >= Contrast(dark, ground) {
		return light
	}
	return dark
}

// Ink is the main colour made so dark or light that words in it can be read on a sheet.
func (b Brand) Ink() string { return legible(b.Main(), sheet) }

// InkAround is the same for words around the sheet.
func (b Brand) InkAround() string { return legible(b.Main(), b.Around()) }

// NightInk is the same for programs with a dark scheme.
func (b Brand) NightInk() string { return legible(b.Main(), night) }

// legible is the colour, moved to the lighter or darker end until it has enough contrast.
func legible(one, ground string) string {
	end := on(ground)
	for step := 0.0; step <= maxColourSteps; step++ {
		if mixed := mix(one, end, step*colourStep); Contrast(mixed, ground) >= minContrast {
			return mixed
		}
	}
	return end
}

// mix is a colour with a share of another one.
func mix(one, other string, share float64) string {
	a, b := channels(one), channels(other)
	for i := range a {
		a[i] += (b[i] - a[i]) * share
	}
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(a[0])), int(math.Round(a[1])), int(math.Round(a[2])))
}

// channels are red, green and blue of a colour, 0 to 255.
func channels(one string) (rgb [3]float64) {
	for i := range rgb {
		n, _ := strconv.ParseUint(one[1+2*i:3+2*i], 16, 8) // a colour has digits there
		rgb[i] = float64(n)
	}
	return rgb
}

// Contrast of two colours (WCAG 2.2), 1 to 21.
func Contrast(one, other string) float64 {
	a, b := luminance(one), luminance(other)
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

func luminance(one string) float64 {
	rgb := channels(one)
	for i, c := range rgb {
		if c /= 255; c <= 0.04045 {
			rgb[i] = c / 12.92
		} else {
			rgb[i] = math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*rgb[0] + 0.7152*rgb[1] + 0.0722*rgb[2]
}

// Plain reports whether colours and font are those of the service.
func (b Brand) Plain() bool { return b.Color == "" && b.Ground == "" && b.Font == "" }

// StyleName names the colours and the font in the address of a style sheet, like 1a5fc4-eef1f5-georgia.
func (b Brand) StyleName() string {
	return strings.TrimSuffix(b.Main()[1:]+"-"+b.Around()[1:]+"-"+b.Font, "-")
}

var styleName = regexp.MustCompile(`^([0-9a-f]{6})-([0-9a-f]{6})(?:-([a-z]+))?$`)

// BrandOfStyle is the brand with the colours and the font of a name; ok is false for none.
func BrandOfStyle(name string) (b Brand, ok bool) {
	parts := styleName.FindStringSubmatch(name)
	if parts == nil {
		return b, false
	}
	b = Brand{Color: "#" + parts[1], Ground: "#" + parts[2], Font: parts[3]}
	return b, slices.ContainsFunc(BrandFonts(), func(f BrandFont) bool { return f.Key == b.Font })
}

// pageText and pageSoft are the colours of words on pages, whose dark scheme has a ground of its own.
const pageText, pageSoft = "#1b2430", "#556274"

// PageGround is the colour around cards of a page, light enough for all words there.
func (b Brand) PageGround() string {
	for step := 0.0; step <= maxColourSteps; step++ {
		if mixed := mix(b.Around(), light, step*colourStep); Contrast(pageSoft, mixed) >= minContrast && Contrast(pageText, mixed) >= minContrast {
			return mixed
		}
	}
	return light
}

// Style are the rules by which public pages show the colours and the font.
func (b Brand) Style() string {
	main := "--pico-primary-background:" + b.Main() + ";--pico-primary-hover-background:" + b.Main() + ";--pico-primary-border:" + b.Main() +
		";--pico-primary-hover-border:" + b.Main() + ";--pico-primary-inverse:" + b.OnMain() + ";--on-accent:" + b.OnMain()
	ink := func(colour string) string {
		return "--accent:" + colour + ";--accent-strong:" + colour + ";--pico-primary:" + colour + ";--pico-primary-hover:" + colour
	}
	return "main{" + main + ";" + ink(b.Ink()) + ";font-family:" + b.FontStack() + "}\n" +
		"@media(prefers-color-scheme:light){body{background:" + b.PageGround() + "}}\n" +
		"@media(prefers-color-scheme:dark){main{" + ink(b.NightInk()) + "}}\n"
}
