package jobs

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// watchDescs are the metrics of a Watch.
type watchDescs struct {
	events, duplicates, rejected, pending, oldest, people *prometheus.Desc
	lag, waiting, failed, enrichLag                       *prometheus.Desc
	timers, clockLag, changed, changedLag, works          *prometheus.Desc
	trouble, looked, up, redisUp, redisPing, queue        *prometheus.Desc
	breaker, open, waits, waited, wal                     *prometheus.Desc
}

func newWatchDescs() *watchDescs {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("stagebridge_"+name, help, labels, nil)
	}
	return &watchDescs{
		events:     desc("inbox_events", "Raw events by what became of them; a replay takes one back.", "connection", "status"),
		duplicates: desc("ingest_duplicates_total", "Raw events that were there already.", "connection"),
		rejected:   desc("ingest_rejected_total", "Requests that were not taken.", "connection", "reason"),
		pending:    desc("inbox_pending", "Raw events that wait, among the first 10,000 in line.", "connection"),
		oldest:     desc("inbox_oldest_seconds", "How long the raw event that waits longest has waited."),
		people:     desc("stage_people", "People by stage.", "stage"),
		lag:        desc("push_lag_seconds", "How long the first person in line at a connection is due.", "connection"),
		waiting:    desc("push_waiting_people", "People who wait for a connection, up to 10,000.", "connection"),
		failed:     desc("push_failed_people", "People whose delivery failed for good, up to 10,000.", "connection"),
		enrichLag:  desc("enrich_lag_seconds", "How long the first raw event that waits for its record is due.", "connection"),
		timers:     desc("timers_due", "People whose conditions are due to be looked at by time, up to 10,000."),
		clockLag:   desc("clock_lag_seconds", "How long the earliest timer is due."),
		changed:    desc("summaries_waiting_people", "People who changed since the summaries of the reports."),
		changedLag: desc("summaries_lag_seconds", "How long the first of them has waited."),
		works:      desc("work_pieces", "Long work that is live.", "kind", "state"),
		trouble:    desc("pipeline_trouble", "What does not go on, as /readyz says; 0 is good.", "kind"),
		looked:     desc("watch_age_seconds", "How old the figures out of the database are."),
		up:         desc("database_up", "1 while the database answers."),
		redisUp:    desc("redis_up", "1 while Redis answers."),
		redisPing:  desc("redis_ping_seconds", "How long Redis took to answer last."),
		queue:      desc("queue_tasks", "Tasks in the queues in Redis.", "queue", "state"),
		breaker:    desc("breaker_state", "Of this process towards a vendor: 0 closed, 1 half-open, 2 open.", "connection", "lane"),
		open:       desc("database_connections", "Connections to the database.", "state"),
		waits:      desc("database_waits_total", "How often a free connection to the database was waited for."),
		waited:     desc("database_wait_seconds_total", "How long that took in all."),
		wal:        desc("database_wal_bytes", "Size of SQLite's write-ahead log; 0 on PostgreSQL."),
	}
}

// Collector gives what a Watch saw last as metrics: a scrape asks nobody.
func (w *Watch) Collector() prometheus.Collector { return &watchCollector{w, newWatchDescs()} }

type watchCollector struct {
	w *Watch
	d *watchDescs
}

// Describe implements prometheus.Collector.
func (c *watchCollector) Describe(ch chan<- *prometheus.Desc) {
	d := c.d
	for _, x := range []*prometheus.Desc{d.events, d.duplicates, d.rejected, d.pending, d.oldest, d.people, d.lag, d.waiting, d.failed, d.enrichLag,
		d.timers, d.clockLag, d.changed, d.changedLag, d.works, d.trouble, d.looked, d.up, d.redisUp, d.redisPing, d.queue, d.breaker, d.open, d.waits, d.waited, d.wal} {
		ch <- x
	}
}

// gauges writes metrics of constant values.
type gauges chan<- prometheus.Metric

func (g gauges) set(d *prometheus.Desc, v float64, labels ...string) {
	g <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (g gauges) count(d *prometheus.Desc, v float64, labels ...string) {
	g <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

func flag(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// Collect implements prometheus.Collector.
func (c *watchCollector) Collect(ch chan<- prometheus.Metric) {
	w, d, g := c.w, c.d, gauges(ch)
	stats := w.o.Store.Stats()
	g.set(d.open, float64(stats.InUse), "in_use")
	g.set(d.open, float64(stats.Open-stats.InUse), "idle")
	g.count(d.waits, float64(stats.Waits))
	g.count(d.waited, stats.Waited.Seconds())
	g.set(d.wal, float64(stats.LogBytes))
	for name, state := range w.o.Breakers.All() {
		lane, connection, found := strings.Cut(name, ":")
		if !found {
			lane, connection = "push", name
		}
		g.set(d.breaker, map[string]float64{"closed": 0, "half-open": 1, "open": 2}[state], connection, lane)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.o.Ping != nil {
		g.set(d.redisUp, flag(w.pingErr == nil))
		g.set(d.redisPing, w.ping.Seconds())
	}
	for _, q := range w.queues {
		for state, n := range q.States {
			g.set(d.queue, float64(n), q.Queue, state)
		}
	}
	g.set(d.up, flag(w.err == nil && w.last != nil))
	for _, kind := range troubleKinds() {
		n := 0
		for _, t := range w.troubles {
			if t.Kind == kind {
				n++
			}
		}
		g.set(d.trouble, float64(n), kind)
	}
	if w.last != nil {
		g.set(d.looked, w.o.Now().Sub(w.at).Seconds())
		c.seen(g, w.last)
	}
}

func (c *watchCollector) seen(g gauges, s *store.Watched) {
	d := c.d
	late := func(at lifecycle.Instant) float64 {
		if at == 0 || at > s.At {
			return 0
		}
		return s.At.Time().Sub(at.Time()).Seconds()
	}
	for connection, names := range s.Counters {
		if connection == "" {
			continue
		}
		for _, status := range []string{"done", "ignored", "quarantined", "failed"} {
			g.set(d.events, float64(names[status]), connection, status)
		}
		g.count(d.duplicates, float64(names["duplicates"]), connection)
		for name, n := range names {
			if reason, ok := store.RejectedReason(name); ok {
				g.count(d.rejected, float64(n), connection, reason)
			}
		}
	}
	for name, n := range s.Counters[""] {
		if stage, ok := strings.CutPrefix(name, "stage:"); ok {
			g.set(d.people, float64(n), stage)
		}
	}
	for id, lane := range s.Lanes {
		g.set(d.pending, float64(s.Pending[id]), id)
		g.set(d.lag, late(lane.PushDue), id)
		g.set(d.waiting, float64(lane.Waiting), id)
		g.set(d.failed, float64(lane.Failed), id)
		g.set(d.enrichLag, late(lane.EnrichDue), id)
	}
	for work, n := range s.Works {
		g.set(d.works, float64(n), work.Kind, string(work.State))
	}
	g.set(d.oldest, late(s.Oldest))
	g.set(d.timers, float64(s.Timers))
	g.set(d.clockLag, late(s.Timer))
	g.set(d.changed, float64(s.Changed))
	g.set(d.changedLag, late(s.ChangedSince))
}
