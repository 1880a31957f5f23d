package handlers

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"skychimp/domain"
)

// ask is one thing that somebody at work asks for: a whole page, or a part that changes in place.
type ask struct {
	path    string
	form    []string // sent, when there is one
	whole   bool
	manager bool
}

func (a ask) String() string {
	kind := "part"
	if a.whole {
		kind = "page"
	}
	return kind + " " + map[bool]string{true: "manager "}[a.manager] + a.path + " " + strings.Join(a.form, " ")
}

// asksOfPages are all pages and parts that the clients and attempts of the fixture could slow down.
func asksOfPages() (list []ask) {
	for _, path := range []string{
		"/", "/blog", "/account", "/start", "/calendar", "/clients", "/clients?page=2000", "/clients?tag=vip", "/clients/77", "/messages",
		"/messages/1", "/mailings", "/mailings/new", "/mailings/1", "/mailings/3", "/mailings/1/edit", "/runs/1", "/runs/20",
		"/runs/20?page=1000", "/runs/1?outcome=failed", "/attempts", "/attempts?page=1000",
	} {
		list = append(list, ask{path: path, whole: true})
	}
	for _, path := range []string{
		"/clients?q=a", "/clients?q=иван", "/clients?q=client77", "/clients?q=qj", "/clients?q=smith&tag=vip", "/messages?q=news", "/mailings?q=12",
		"/mailings/1/progress", "/mailings/1/pace", "/attempts?status=failed", "/attempts?mailing=1&page=20",
	} {
		list = append(list, ask{path: path})
	}
	for _, path := range []string{"/manager/mailings", "/manager/users", "/mailings/1"} {
		list = append(list, ask{path: path, whole: true, manager: true})
	}
	return append(list, ask{path: "/mailings/reach", form: []string{"audience", "tags", "tags", "vip"}},
		ask{path: "/start/plan", form: []string{"when", "now", "periodicity", "once", "timezone", "UTC"}},
		ask{path: "/mailings/clients", form: []string{"client_q", "smith"}})
}

// slowestPage is what 99 of 100 asks for a page or a part stay below, while 50 people work.
const slowestPage = 100 * time.Millisecond

// BenchmarkPages is 50 people at work. Each thinks for up to two seconds, a second on average, and
// asks for the next thing, so about 50 asks come in a second at random moments; each thing is asked
// for ASKS times, 1,000 unless the environment says otherwise. The owner of the 100,000 clients sits
// at all of their screens; managers have some more. It prints the median, the slowest percent and
// the slowest of each, in milliseconds, and fails when the slowest percent takes slowestPage.
//
// Afterwards the same people ask without thinking. That measures what the machine can do, not how
// long anybody waits: of 50 that always wait, each waits for 50 answers.
func BenchmarkPages(b *testing.B) {
	w := newEnv(b)
	w.public(b)
	user := w.user(b, "ann", domain.RoleUser)
	manager := w.user(b, "max", domain.RoleManager)
	for _, sql := range pagesFixture {
		if _, err := w.db.Postgres().Pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(sql, err)
		}
	}
	times, err := strconv.Atoi(cmp.Or(os.Getenv("ASKS"), "1000"))
	if err != nil {
		b.Fatal(err)
	}
	asks, people := asksOfPages(), make([]worker, 50)
	for i := range people {
		people[i] = worker{w.as(b, user), w.as(b, manager)}
	}
	for b.Loop() {
		work(b, people, asks, 3, 0) // so that connections and caches are there
		took, _ := work(b, people, asks, times, 2*time.Second)
		slow := []string{}
		for n, all := range took {
			p99 := all[len(all)*99/100]
			fmt.Printf("PAGE %-60v n=%d p50=%5.1f p99=%5.1f max=%5.1f ms\n", asks[n], len(all), ms(all[len(all)/2]), ms(p99), ms(all[len(all)-1]))
			if p99 >= slowestPage {
				slow = append(slow, asks[n].String())
			}
		}
		if len(slow) > 0 {
			b.Errorf("the slowest percent takes %v or longer: %q", slowestPage, slow)
		}
		took, span := work(b, people, asks, max(1, times/10), 0)
		all := slices.Sorted(slices.Values(slices.Concat(took...)))
		fmt.Printf("PAGE without thinking: %.0f a second, p50=%.0f p99=%.0f ms\n", float64(len(all))/span.Seconds(), ms(all[len(all)/2]), ms(all[len(all)*99/100]))
	}
}

// worker is one of the people, signed in as owner and as manager.
type worker struct{ owner, manager *browser }

// work deals out each ask a number of times, in random order, and tells how long each took.
func work(b *testing.B, people []worker, asks []ask, times int, think time.Duration) (took [][]time.Duration, span time.Duration) {
	deck := rand.Perm(len(asks) * times)
	took = make([][]time.Duration, len(asks))
	var mu sync.Mutex
	var dealt atomic.Int64
	var busy sync.WaitGroup
	begun := time.Now()
	for _, person := range people {
		busy.Go(func() {
			for next := dealt.Add(1); next <= int64(len(deck)); next = dealt.Add(1) {
				time.Sleep(time.Duration(rand.Float64() * float64(think)))
				n := deck[next-1] % len(asks)
				one := person.do(b, asks[n])
				mu.Lock()
				took[n] = append(took[n], one)
				mu.Unlock()
			}
		})
	}
	busy.Wait()
	for _, all := range took {
		slices.Sort(all)
	}
	return took, time.Since(begun)
}

func (p worker) do(b *testing.B, a ask) time.Duration {
	asker, method := p.owner, "GET"
	if a.manager {
		asker = p.manager
	}
	if !a.whole {
		asker = asker.htmx()
	}
	if a.form != nil {
		method = "POST"
	}
	begun := time.Now()
	asker.do(method, a.path, a.form).is(b, 200)
	return time.Since(begun)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
