package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"skychimp/handlers/jobs/engine"
)

// serveMetrics shows Prometheus what the engine does, on METRICS_ADDR. The returned func ends it.
func (p *program) serveMetrics(engine *engine.Engine) (stop func(), err error) {
	if p.config.MetricsAddr == "" {
		return func() {}, nil
	}
	listener, err := p.listen(string(p.config.MetricsAddr))
	if err != nil {
		return nil, fmt.Errorf("METRICS_ADDR=%q: %w", p.config.MetricsAddr, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry(engine), promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.log.Error("the metrics ended", "error", err)
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	}, nil
}

func registry(engine *engine.Engine) *prometheus.Registry {
	counts, r := engine.Counts(), prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	count := func(name, help string, labels prometheus.Labels, n *atomic.Int64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels},
			func() float64 { return float64(n.Load()) }))
	}
	const attempts, help = "skychimp_attempts_total", "Attempts that were recorded, by status."
	count(attempts, help, prometheus.Labels{"status": "accepted"}, &counts.Accepted)
	count(attempts, help, prometheus.Labels{"status": "deferred"}, &counts.Deferred)
	count(attempts, help, prometheus.Labels{"status": "failed"}, &counts.Failed)
	count(attempts, help, prometheus.Labels{"status": "unknown"}, &counts.Unknown)
	count("skychimp_commits_total", "Groups of results that were recorded.", nil, &counts.Commits)
	count("skychimp_count_mismatches_total", "Runs found at their close, or by the check every ten minutes, whose counts do not add up to what was planned; anything but 0 is a defect.", nil, &counts.Mismatches)
	count("skychimp_batches_taken_over_total", "Batches of deliveries taken over from processes that died.", nil, &counts.TakenOver)
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "skychimp_clock_ahead_seconds",
		Help: "How far this machine's clock is ahead of the database's; beyond 30 either way this process plans no run."},
		func() float64 { return engine.Clock().Ahead().Seconds() }))
	return r
}
