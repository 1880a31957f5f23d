package browsertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"skychimp/handlers/programtest"
)

// The bounds of a first visit. What the paint may take is more on a machine that needs long for a page
// of a few words: ten times as long as that.
const (
	firstVisitBytes = 100_000
	firstVisitPaint = 2 * time.Second
)

// transfer is one file as the browser got it.
type transfer struct {
	url, kind string
	header    map[string]string // names in lower case
	bytes     float64           // as they came, headers included
	ended     bool
}

// TestFirstVisit opens the home page, with the posts of the demo, in a browser that has been
// nowhere: what comes is small, compressed, kept for ever where it never changes, and all ours.
func TestFirstVisit(t *testing.T) {
	s := programtest.Serve(t, "demo")
	v := visit(t, s.URL, "en")
	arrived := v.transfers()
	v.look("/")
	paint := v.largestPaint()
	total := 0.0
	for _, one := range arrived() {
		total += one.bytes
		t.Logf("%6.0f bytes: %s", one.bytes, strings.TrimPrefix(one.url, s.URL))
		if !strings.HasPrefix(one.url, s.URL+"/") {
			t.Errorf("%s is not ours", one.url)
		}
		text := slices.ContainsFunc([]string{"text/", "javascript", "svg"}, func(kind string) bool { return strings.Contains(one.kind, kind) })
		if text && one.header["content-encoding"] == "" {
			t.Errorf("%s, %s, is not compressed", one.url, one.kind)
		}
		if strings.HasPrefix(one.url, s.URL+"/static/") && !strings.Contains(one.header["cache-control"], "immutable") {
			t.Errorf("%s is asked for again: Cache-Control %q", one.url, one.header["cache-control"])
		}
	}
	t.Logf("%.0f bytes in all, the largest part painted after %v", total, paint)
	if total == 0 || total > firstVisitBytes {
		t.Errorf("a first visit brings %.0f bytes, more than %d", total, firstVisitBytes)
	}
	again := v.transfers()
	v.look("/blog")
	for _, one := range again() {
		if strings.HasPrefix(one.url, s.URL+"/static/") && one.bytes > 0 {
			t.Errorf("the second page brings %s again", one.url)
		}
	}
	v.do(chromedp.Navigate("data:text/html,<p>A few words"))
	if words := v.largestPaint(); paint <= 0 || paint > firstVisitPaint+10*words {
		t.Errorf("the largest part is painted after %v, a few words after %v", paint, words)
	}
}

// transfers notes all that is asked for from now on; the result gives what came, when the page has
// loaded.
func (v *visitor) transfers() func() []transfer {
	v.t.Helper()
	var mu sync.Mutex
	ids, came := []network.RequestID{}, map[network.RequestID]*transfer{}
	news := make(chan struct{}, 1) // has a token when something happened since it was last looked
	ctx, stop := context.WithCancel(v.ctx)
	v.check(chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(event.Request.URL, "data:") {
				ids, came[event.RequestID] = append(ids, event.RequestID), &transfer{url: event.Request.URL}
			}
		case *network.EventResponseReceived:
			if one := came[event.RequestID]; one != nil {
				one.kind, one.header = event.Response.MimeType, map[string]string{}
				for name, value := range event.Response.Headers {
					one.header[strings.ToLower(name)] = fmt.Sprint(value)
				}
			}
		case *network.EventLoadingFinished:
			if one := came[event.RequestID]; one != nil {
				one.bytes, one.ended = event.EncodedDataLength, true
			}
		case *network.EventLoadingFailed:
			if one := came[event.RequestID]; one != nil {
				one.ended = true
			}
		}
		select {
		case news <- struct{}{}:
		default:
		}
	}))
	return func() (list []transfer) {
		v.t.Helper()
		v.until("the network is quiet", chromedp.Evaluate[bool](`document.readyState === "complete"`))
		for open := true; open; { // the icon of the tab is asked for when the page has loaded
			mu.Lock()
			open = slices.ContainsFunc(ids, func(id network.RequestID) bool { return !came[id].ended })
			mu.Unlock()
			if open {
				select {
				case <-news:
				case <-time.After(programtest.Timeout):
					v.t.Fatal("a file never came to its end")
				}
			}
		}
		stop()
		mu.Lock()
		defer mu.Unlock()
		for _, id := range ids {
			list = append(list, *came[id])
		}
		return list
	}
}

// largestPaint is the time from the beginning of the visit until the largest part of the page was
// painted; until then no script or style of another site has held the page up.
func (v *visitor) largestPaint() time.Duration {
	v.t.Helper()
	v.until("nothing foreign blocks the page", chromedp.Evaluate[bool](`performance.getEntriesByType("resource")
		.every(one => one.renderBlockingStatus !== "blocking" || one.name.startsWith(location.origin + "/"))`))
	ms := ask(v, chromedp.Evaluate[float64](`new Promise(paint => new PerformanceObserver(list =>
		paint(list.getEntries().at(-1).startTime)).observe({type: "largest-contentful-paint", buffered: true}))`, chromedp.EvalAwaitPromise))
	return time.Duration(ms * float64(time.Millisecond))
}
