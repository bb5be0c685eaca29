package jobs

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/store"
)

// Bounds of the samples of what rules read: raw events of one connection and of
// all in one batch, and paths remembered between two flushes.
const (
	sampledOfConnection = 2
	sampledOfBatch      = 16
	sampledPaths        = 5_000
)

// lately is what this process noticed since it told the store before: how pushes
// fared, and whether what rules read was there. The zero pointer notices
// nothing. It is safe for concurrent use.
type lately struct {
	mu         sync.Mutex
	deliveries map[string]*store.Delivery
	changed    map[string]bool // deliveries that the store was not told of
	reads      map[readKey]*store.Read
}

type readKey struct {
	connection, rule, path string
	version                int64
}

func newLately() *lately {
	return &lately{deliveries: map[string]*store.Delivery{}, changed: map[string]bool{}, reads: map[readKey]*store.Read{}}
}

// pushed notes a batch: whether anybody arrived, or nobody did.
func (l *lately) pushed(connection string, results []connectors.Result, now lifecycle.Instant) {
	if l == nil {
		return
	}
	arrived, reason := false, connectors.Reason("")
	for i := range results {
		switch results[i].Outcome {
		case connectors.OK, connectors.Submitted, connectors.Unconfirmed:
			arrived = true
		case connectors.Retry, connectors.Permanent:
			reason = results[i].Reason
		}
	}
	if !arrived && reason == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.deliveries[connection]
	if d == nil {
		d = &store.Delivery{Connection: connection}
		l.deliveries[connection] = d
	}
	l.changed[connection] = true
	if arrived {
		d.OK, d.FailingSince = now, 0
		return
	}
	d.Failed, d.Reason = now, string(reason)
	if d.FailingSince == 0 {
		d.FailingSince = now
	}
}

// mapped samples the raw events of a batch: which paths of the rules that took
// them led anywhere.
func (l *lately) mapped(cfg *Config, rows []store.Row, w *work) {
	if l == nil {
		return
	}
	all, of := 0, map[string]int{}
	for i := range rows {
		row, matched := &rows[i], w.rows[i].out.Matched
		if len(matched) == 0 || row.Replayed || of[row.Connection] == sampledOfConnection {
			continue
		}
		if all++; all > sampledOfBatch {
			return
		}
		of[row.Connection]++
		if conn := cfg.Connections[row.Connection]; conn != nil && conn.Rules != nil {
			l.sample(conn, row, matched)
		}
	}
}

func (l *lately) sample(conn *Conn, row *store.Row, matched []string) {
	meta := ParseMeta(row.Meta)
	body, err := mapping.Decode(meta.Format, row.Body)
	if err != nil {
		return
	}
	in := mapping.Input{Type: row.Type, Body: body, Headers: meta.Headers}
	if len(row.Record) > 0 {
		if in.Record, err = mapping.Decode(mapping.FormatJSON, row.Record); err != nil {
			return
		}
	}
	reads := conn.readsOf()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, rule := range matched {
		for _, path := range reads[rule] {
			l.read(readKey{conn.ID, rule, path, conn.Connection.Rules}, mapping.Present(&in, path))
		}
	}
}

// read counts one look. mu is held.
func (l *lately) read(k readKey, present bool) {
	r := l.reads[k]
	if r == nil {
		if len(l.reads) >= sampledPaths {
			return
		}
		r = &store.Read{Connection: k.connection, Rule: k.rule, Path: k.path, Version: k.version}
		l.reads[k] = r
	}
	if present {
		r.Seen, r.Run = r.Seen+1, 0
		return
	}
	r.Missed, r.Run = r.Missed+1, r.Run+1
}

// flush tells the store. What it does not take is lost: the next batches tell
// much the same.
func (l *lately) flush(ctx context.Context, s *store.Store) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	var deliveries []store.Delivery
	for id := range l.changed {
		deliveries = append(deliveries, *l.deliveries[id])
	}
	clear(l.changed)
	reads := make([]store.Read, 0, len(l.reads))
	for _, r := range l.reads {
		reads = append(reads, *r)
	}
	clear(l.reads)
	l.mu.Unlock()
	// One order for all replicas, so that none waits for another crosswise.
	slices.SortFunc(deliveries, func(a, b store.Delivery) int { return cmp.Compare(a.Connection, b.Connection) })
	slices.SortFunc(reads, func(a, b store.Read) int {
		return cmp.Or(cmp.Compare(a.Connection, b.Connection), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Version, b.Version))
	})
	var err error
	if len(deliveries) > 0 {
		err = s.NoteDeliveries(ctx, deliveries)
	}
	if len(reads) > 0 {
		err = errors.Join(err, s.NoteReads(ctx, reads))
	}
	return err
}

// readsOf gives the paths that each rule reads, but for those of the raw event
// itself, which are always there.
func (c *Conn) readsOf() map[string][]string {
	if all := c.reads.Load(); all != nil {
		return *all
	}
	all := map[string][]string{}
	for _, r := range c.Rules.Reads() {
		for _, path := range r.Paths {
			if strings.HasPrefix(path, "body") || strings.HasPrefix(path, "record") || strings.HasPrefix(path, "headers") {
				all[r.Rule] = append(all[r.Rule], path)
			}
		}
	}
	c.reads.Store(&all)
	return all
}
