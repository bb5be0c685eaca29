package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// collectTimeout bounds what one scrape may ask of the database.
const collectTimeout = 5 * time.Second

// figures reads, at each scrape, the counters that the store keeps: they
// survive a restart and count for all replicas together, so each replica
// reports the same.
type figures struct {
	w                                                   *Web
	events, duplicates, rejected, pending, sync, people *prometheus.Desc
	up                                                  *prometheus.Desc
}

func newFigures(w *Web) *figures {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("stagebridge_"+name, help, labels, nil)
	}
	return &figures{
		w:          w,
		events:     desc("inbox_events", "Raw events by what became of them; a replay takes one back.", "connection", "status"),
		duplicates: desc("ingest_duplicates_total", "Raw events that were there already.", "connection"),
		rejected:   desc("ingest_rejected_total", "Requests that were not taken.", "connection", "reason"),
		pending:    desc("inbox_pending", "Raw events that wait to be processed.", "connection"),
		sync:       desc("sync_people", "People at a connection by the state of their delivery.", "connection", "state"),
		people:     desc("stage_people", "People by stage.", "stage"),
		up:         desc("database_up", "1 while the database answers."),
	}
}

// Describe implements prometheus.Collector.
func (f *figures) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{f.events, f.duplicates, f.rejected, f.pending, f.sync, f.people, f.up} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (f *figures) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	s, err := f.w.summarize(ctx)
	if err != nil {
		gauge(f.up, 0)
		return
	}
	gauge(f.up, 1)
	for id, x := range s.Inbox {
		for status, n := range map[string]int64{"done": x.Done, "ignored": x.Ignored, "quarantined": x.Quarantined, "failed": x.Failed} {
			gauge(f.events, n, id, status)
		}
		ch <- prometheus.MustNewConstMetric(f.duplicates, prometheus.CounterValue, float64(x.Duplicates), id)
		for reason, n := range x.Rejections {
			ch <- prometheus.MustNewConstMetric(f.rejected, prometheus.CounterValue, float64(n), id, reason)
		}
		gauge(f.pending, x.Pending, id)
	}
	for id, states := range s.Sync {
		for state, n := range states {
			gauge(f.sync, n, id, state)
		}
	}
	for stage, n := range s.Stages {
		gauge(f.people, n, stage)
	}
}

// collect makes the registry and what it collects.
func (w *Web) collect() error {
	if w.metrics == nil {
		w.metrics = prometheus.NewRegistry()
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "stagebridge_build_info", Help: "Always 1; the version is a label.", ConstLabels: prometheus.Labels{"version": w.version},
	})
	build.Set(1)
	for _, c := range []prometheus.Collector{
		build, newFigures(w), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := w.metrics.Register(c); err != nil {
			return fmt.Errorf("web: metrics: %w", err)
		}
	}
	return nil
}

// MetricsHandler serves the metrics without a token, for an address of their own.
func (w *Web) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(w.metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

func (w *Web) metricsPage(c echo.Context) error {
	if w.metricsToken.Empty() {
		return echo.ErrNotFound
	}
	token, _ := strings.CutPrefix(c.Request().Header.Get(echo.HeaderAuthorization), "Bearer ")
	if !w.metricsToken.Equal(token) {
		return unauthorized(c)
	}
	w.MetricsHandler().ServeHTTP(c.Response(), c.Request())
	return nil
}
