package handlers

import (
	"log/slog"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/handlers/tracking"
	"skychimp/handlers/web"
)

// BenchmarkVisit is what one tracked link or picture costs from its headers to its answer, without the network.
func BenchmarkVisit(b *testing.B) {
	d := dbtest.New(b)
	run, _ := dbtest.NewRun(b, d, "ann", 1)
	dbtest.Exec(b, d, "INSERT INTO run_links (run_id, n, url) VALUES ($1, 1, 'https://shop.example/one')", run.ID)
	files, set := parsed()
	media := dbtest.Must[*db.Media](b)(db.OpenMedia("", b.TempDir()))
	defer media.Close()
	visits := tracking.NewRecorder(d, slog.New(slog.DiscardHandler))
	visits.Start()
	defer visits.Close()
	config := Config{Config: web.Config{BaseURL: &url.URL{Scheme: "http", Host: "mail.example"}, Addr: "127.0.0.1:80", Secret: []byte(password)}, Media: media, Visits: visits,
		Passwords: web.NewPasswords(cheap)}
	app, err := New(config, d, set, files, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	answer := app.Handler()
	for name, path := range map[string]string{"click": "/c/" + token(run.ID, 1) + "/1", "picture": "/o/" + token(run.ID, 1)} {
		b.Run(name, func(b *testing.B) {
			var request fasthttp.Request
			request.SetRequestURI(path)
			request.Header.SetHost("mail.example")
			request.Header.SetUserAgent(firefox)
			var c fasthttp.RequestCtx
			b.ReportAllocs()
			begun := cpu()
			for b.Loop() {
				c.Init(&request, nil, nil)
				answer(&c)
				if code := c.Response.StatusCode(); code >= 400 {
					b.Fatal(code)
				}
			}
			b.ReportMetric(float64(cpu()-begun)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpu is the time that this process has been given.
func cpu() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
