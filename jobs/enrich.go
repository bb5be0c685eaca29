package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// enrichBatch is how many raw events one turn fetches records for.
const enrichBatch = 100

// enrichAttempts bounds how often a record is asked for.
const enrichAttempts = 20

// Enrich fetches the records that raw events of a connection wait for, stores
// each with its row, and passes the rows on to processing. The vendor's
// failure is the error; the rows have their next try in the store.
func (p *Pusher) Enrich(ctx context.Context, connection string) error {
	conn := p.Registry.Config().Connections[connection]
	for ctx.Err() == nil {
		done, err := p.Breakers.Allow("enrich:" + connection)
		if err != nil {
			return err
		}
		rows, err := p.leaseRows(ctx, connection)
		if err != nil || len(rows) == 0 {
			done(nil)
			return err
		}
		failure, err := p.enrich(ctx, conn, rows)
		done(failure)
		if err != nil || failure != nil {
			return errors.Join(failure, err)
		}
	}
	return ctx.Err()
}

// leaseRows takes rows by moving them out of reach for the time of the call,
// so that no transaction is open while the vendor thinks.
func (p *Pusher) leaseRows(ctx context.Context, lane string) ([]store.Row, error) {
	b, err := p.Store.Take(ctx, lane, enrichBatch)
	if err != nil || b == nil {
		return nil, err
	}
	until := make([]lifecycle.Instant, len(b.Rows))
	for i := range until {
		until[i] = lifecycle.At(p.Now().Add(p.lease()))
	}
	if err := b.Commit(ctx, func(t *store.Tx) error {
		return t.PostponeTx(ctx, b.Rows, lane, until, store.ReasonEnriching, true)
	}); err != nil {
		if errors.Is(err, store.ErrRetry) {
			return nil, nil
		}
		return nil, err
	}
	for i := range b.Rows {
		b.Rows[i].Moved(lane, until[i])
	}
	return b.Rows, nil
}

// enrich asks the vendor and files the answers.
func (p *Pusher) enrich(ctx context.Context, conn *Conn, rows []store.Row) (failure, err error) {
	var records []connectors.Record
	if conn != nil {
		if e, ok := conn.Open.(connectors.Enricher); ok {
			lookups := make([]connectors.Lookup, len(rows))
			for i := range rows {
				lookups[i] = connectors.Lookup{Type: rows[i].Type, Body: rows[i].Body}
			}
			call, cancel := context.WithTimeout(ctx, p.timeout())
			records, failure = e.Enrich(call, lookups)
			cancel()
		}
	}
	var f filed
	for i := range rows {
		switch {
		case failure != nil:
			f.judge(&rows[i], asPushError(failure), p.Now())
		case records == nil: // nobody to ask any more: the rules see no record
			f.ready = append(f.ready, rows[i])
		case records[i].Err != nil:
			f.judge(&rows[i], records[i].Err, p.Now())
		default:
			f.ready = append(f.ready, rows[i])
			f.ids, f.records, f.modified = append(f.ids, rows[i].ID), append(f.records, records[i].JSON), append(f.modified, records[i].ModifiedAt)
		}
	}
	return failure, p.Store.Derived(context.WithoutCancel(ctx), func(t *store.Tx) error { return f.write(ctx, t, rows[0].Connection) })
}

// filed sorts rows by what became of their records.
type filed struct {
	ready    []store.Row
	ids      []int64
	records  [][]byte
	modified []lifecycle.Instant

	later  []store.Row
	due    []lifecycle.Instant
	failed []store.Row
	why    []store.Outcome
}

func (f *filed) judge(row *store.Row, e *connectors.PushError, now time.Time) {
	if e.Retryable && row.Attempts < enrichAttempts {
		f.later = append(f.later, *row)
		f.due = append(f.due, lifecycle.At(now.Add(max(e.RetryAfter, backoff(row.Attempts+1)))))
		return
	}
	f.failed = append(f.failed, *row)
	f.why = append(f.why, store.Outcome{Status: store.Failed, Step: "enrich", Reason: string(e.Reason), Detail: e.Error()})
}

func (f *filed) write(ctx context.Context, t *store.Tx, lane string) error {
	ctx = context.WithoutCancel(ctx)
	if err := t.NoteRecordsTx(ctx, f.ids, f.records, f.modified); err != nil {
		return err
	}
	if err := t.PostponeTx(ctx, f.ready, "", make([]lifecycle.Instant, len(f.ready)), "", false); err != nil {
		return err
	}
	if err := t.PostponeTx(ctx, f.later, lane, f.due, "vendor_away", false); err != nil {
		return err
	}
	return t.FinishTx(ctx, f.failed, f.why)
}

func asPushError(err error) *connectors.PushError {
	var pe *connectors.PushError
	if errors.As(err, &pe) {
		return pe
	}
	return &connectors.PushError{Reason: connectors.ReasonConnection, Retryable: true, Message: err.Error()}
}
