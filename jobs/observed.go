package jobs

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs/observe"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// observedBatch begins the span of a batch: behind the requests that brought it,
// as far as those are recorded.
func (p *Processor) observedBatch(ctx context.Context, rows []store.Row) trace.Span {
	var parents []string
	if p.Tracer != nil {
		for i := range rows {
			if strings.Contains(rows[i].Meta, `"trace"`) {
				parents = append(parents, ParseMeta(rows[i].Meta).Trace)
			}
		}
	}
	return p.Tracer.Process(ctx, parents)
}

// note tells metrics, trace and log what became of a batch. A log line names
// raw events by the receipt that their sender was given.
func (p *Processor) note(ctx context.Context, span trace.Span, rows []store.Row, w *work, took time.Duration, err error) {
	defer span.End()
	if err != nil {
		observe.Fail(span, "the batch was not committed")
		return
	}
	all := map[observe.Row]int{}
	parked := -1
	for i := range rows {
		status := "held"
		if w.rows[i].hold == 0 {
			status = store.StatusName(w.rows[i].outcome.Status)
		}
		all[observe.Row{Connection: rows[i].Connection, Status: status}]++
		if s := w.rows[i].outcome.Status; parked < 0 && (s == store.Failed || s == store.Quarantined) && w.rows[i].hold == 0 {
			parked = i
		}
	}
	p.Metrics.Processed(all, took)
	p.lately.mapped(w.cfg, rows, w)
	if span.IsRecording() {
		span.SetAttributes(observe.Number("rows", len(rows)), observe.Number("people", len(w.people)), observe.Number("connections_due", len(w.pushed)))
		for r, n := range all {
			span.AddEvent("processed", trace.WithAttributes(observe.Text("connection", r.Connection), observe.Text("status", r.Status), observe.Number("rows", n)))
		}
	}
	if log := p.told(); log.Enabled(ctx, slog.LevelDebug) {
		log.Debug("processed", "rows", len(rows), "first_receipt", rows[0].ID, "last_receipt", rows[len(rows)-1].ID, "people", len(w.people),
			"took", took.Round(time.Microsecond))
	}
	if parked < 0 {
		return
	}
	if held, may := p.parked.may(p.Now()); may {
		o := &w.rows[parked].outcome
		p.told().Warn("a raw event is parked", "connection", rows[parked].Connection, "receipt", rows[parked].ID, "step", o.Step, "reason", o.Reason,
			"rule", o.Rule, "batches_not_told", held)
	}
}

// told is the log, or one that nobody reads.
func (p *Processor) told() *slog.Logger {
	if p.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return p.Log
}

// noteResults tells metrics, trace and log how a batch of people fared.
func (p *Pusher) noteResults(conn *Conn, span trace.Span, updates []connectors.Update, results []connectors.Result, took time.Duration) {
	defer span.End()
	p.Metrics.Called(conn.ID, took)
	p.lately.pushed(conn.ID, results, lifecycle.At(p.Now()))
	bad, n := -1, 0
	ended := map[observe.Row]int{}
	for i := range results {
		r := &results[i]
		p.Metrics.Pushed(conn.ID, string(r.Outcome), string(r.Reason))
		ended[observe.Row{Connection: string(r.Outcome), Status: string(r.Reason)}]++
		if r.Outcome == connectors.Retry || r.Outcome == connectors.Permanent {
			n++
			if bad < 0 {
				bad = i
			}
		}
	}
	if span.IsRecording() {
		for r, n := range ended {
			span.AddEvent("ended", trace.WithAttributes(observe.Text("outcome", r.Connection), observe.Text("reason", r.Status), observe.Number("people", n)))
		}
	}
	if bad < 0 {
		return
	}
	r := &results[bad]
	observe.Fail(span, string(r.Reason))
	if held, may := p.refused.may(p.Now()); may {
		p.Log.Warn("people were not brought to a vendor", "connection", conn.ID, "people", n, "of", len(updates), "outcome", r.Outcome, "reason", r.Reason,
			"first_person", updates[bad].Person, "first_update", updates[bad].ID, "batches_not_told", held)
	}
}

// noticedWait is how long a call waits before that counts as waiting.
const noticedWait = 2 * time.Millisecond

// wait waits for a vendor's rate limit and counts that.
func (p *Pusher) wait(ctx context.Context, connection string, limits connectors.Limits) error {
	begun := time.Now()
	err := p.Limiter.Wait(ctx, connection, limits)
	if took := time.Since(begun); took > noticedWait && limits.Rate > 0 {
		p.Metrics.Waited(connection, took)
	}
	return err
}

// seldom lets one line a second into the log and counts the others.
type seldom struct {
	mu   sync.Mutex
	next time.Time
	held int
}

// may tells whether a line may be written, and how many were not before it. Nil
// holds nothing back.
func (s *seldom) may(now time.Time) (held int, may bool) {
	if s == nil {
		return 0, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.next) {
		s.held++
		return 0, false
	}
	held, s.next, s.held = s.held, now.Add(time.Second), 0
	return held, true
}
