package observe

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Buckets of the histograms, in seconds: what answers a webhook or commits, and
// what waits for a vendor.
var (
	quick = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	slow  = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}
)

// Metrics are what one process did since it started. The zero pointer counts
// nothing. It is safe for concurrent use.
type Metrics struct {
	requests, events, bytes *prometheus.CounterVec
	answered                prometheus.Histogram
	rows                    *prometheus.CounterVec
	batch                   prometheus.Histogram
	broken                  prometheus.Counter
	people, waits, waited   *prometheus.CounterVec
	called                  *prometheus.HistogramVec
	commits                 *prometheus.HistogramVec
	notices                 *prometheus.CounterVec
}

// New makes the metrics of a process and adds them to a registry, beside the
// version of the program and the figures of the Go runtime.
func New(r *prometheus.Registry, version string) (*Metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "stagebridge_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Name: "stagebridge_" + name, Help: help, Buckets: buckets}
	}
	m := &Metrics{
		requests: counter("ingest_requests_total", "Requests of vendors by the status they were answered with.", "connection", "code"),
		events:   counter("ingest_events_total", "Raw events that were new and are kept.", "connection"),
		bytes:    counter("ingest_bytes_total", "Bytes of request bodies that were taken, unpacked.", "connection"),
		answered: prometheus.NewHistogram(histogram("ingest_seconds", "From a vendor's request to the answer, the commit included.", quick)),
		rows:     counter("process_events_total", "Raw events that were processed, by what became of them.", "connection", "status"),
		batch:    prometheus.NewHistogram(histogram("process_batch_seconds", "From a batch of raw events taken to its commit.", quick)),
		broken:   prometheus.NewCounter(prometheus.CounterOpts{Name: "stagebridge_process_failures_total", Help: "Batches that failed as a whole and were halved."}),
		people:   counter("push_people_total", "People told to a vendor, by how that ended.", "connection", "outcome", "reason"),
		waits:    counter("push_rate_waits_total", "Calls that waited for the vendor's rate limit.", "connection"),
		waited:   counter("push_rate_wait_seconds_total", "Time that calls waited for the vendor's rate limit.", "connection"),
		called: prometheus.NewHistogramVec(histogram("push_seconds", "One batch of people at a vendor, all its requests included.", slow),
			[]string{"connection"}),
		commits: prometheus.NewHistogramVec(histogram("database_commit_seconds", "Commits, and flushes of the write-ahead log on SQLite.", quick),
			[]string{"kind"}),
		notices: counter("notifications_total", "Notifications by how sending them ended.", "channel", "kind", "result"),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "stagebridge_build_info", Help: "Always 1; the version is a label.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	return m, Register(r, build, m.requests, m.events, m.bytes, m.answered, m.rows, m.batch, m.broken, m.people, m.waits, m.waited,
		m.called, m.commits, m.notices, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// Register adds collectors to a registry.
func Register(r *prometheus.Registry, all ...prometheus.Collector) error {
	var errs []error
	for _, c := range all {
		errs = append(errs, r.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("observe: register: %w", err)
	}
	return nil
}

// Request counts an answered request of a vendor. The connection is "" where
// there is none of that name, so that guessing names makes no series.
func (m *Metrics) Request(connection string, status, bytes int, took time.Duration) {
	if m == nil {
		return
	}
	m.requests.WithLabelValues(connection, strconv.Itoa(status)).Inc()
	m.answered.Observe(took.Seconds())
	if status < 300 {
		m.bytes.WithLabelValues(connection).Add(float64(bytes))
	}
}

// Kept counts new raw events of a request, or of a page that was fetched.
func (m *Metrics) Kept(connection string, fresh int) {
	if m != nil {
		m.events.WithLabelValues(connection).Add(float64(fresh))
	}
}

// Row names raw events of one connection that ended the same way.
type Row struct{ Connection, Status string }

// Processed counts a committed batch.
func (m *Metrics) Processed(rows map[Row]int, took time.Duration) {
	if m == nil {
		return
	}
	for r, n := range rows {
		m.rows.WithLabelValues(r.Connection, r.Status).Add(float64(n))
	}
	m.batch.Observe(took.Seconds())
}

// Halved counts a batch that failed.
func (m *Metrics) Halved() {
	if m != nil {
		m.broken.Inc()
	}
}

// Pushed counts one person's result at a vendor.
func (m *Metrics) Pushed(connection, outcome, reason string) {
	if m != nil {
		m.people.WithLabelValues(connection, outcome, reason).Inc()
	}
}

// Called counts a batch's time at a vendor.
func (m *Metrics) Called(connection string, took time.Duration) {
	if m != nil {
		m.called.WithLabelValues(connection).Observe(took.Seconds())
	}
}

// Waited counts the wait for a vendor's rate limit.
func (m *Metrics) Waited(connection string, took time.Duration) {
	if m == nil {
		return
	}
	m.waits.WithLabelValues(connection).Inc()
	m.waited.WithLabelValues(connection).Add(took.Seconds())
}

// Committed fits store.Options.Committed.
func (m *Metrics) Committed(kind string, took time.Duration) {
	if m != nil {
		m.commits.WithLabelValues(kind).Observe(took.Seconds())
	}
}

// Notified counts an attempt to send a notification.
func (m *Metrics) Notified(channel, kind, result string) {
	if m != nil {
		m.notices.WithLabelValues(channel, kind, result).Inc()
	}
}
