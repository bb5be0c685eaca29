package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"time"
)

// writer is SQLite's one writing connection. One connection rather than one
// per purpose, because a connection drops its whole page cache when another
// one has written.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	gate  gate
	full  bool // the present setting of synchronous
	log   walSync
}

func openWriter(ctx context.Context, dsn string) (*writer, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(2) // migrations borrow the second
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	w := &writer{db: db, conn: conn, stmts: map[string]*sql.Stmt{}, full: true}
	w.gate.cond.L = &w.gate.mu
	return w, nil
}

func (w *writer) close() error {
	w.gate.enter(false)
	defer w.gate.leave()
	return errors.Join(w.conn.Close(), w.db.Close(), w.log.close())
}

// stmt prepares a text once. The texts are few: see chunkOf.
func (w *writer) stmt(ctx context.Context, q string) (*sql.Stmt, error) {
	if st, ok := w.stmts[q]; ok {
		return st, nil
	}
	st, err := w.conn.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	w.stmts[q] = st
	return st, nil
}

// durable makes the next commit wait for the disk or not. Processing need
// not: a power cut takes back whole transactions, and their inbox rows, which
// are durable, are then processed again (rules 1 and 3 of the design).
func (w *writer) durable(ctx context.Context, yes bool) error {
	if w.full == yes {
		return nil
	}
	q := "pragma synchronous = normal"
	if yes {
		q = "pragma synchronous = full"
	}
	if _, err := w.conn.ExecContext(ctx, q); err != nil {
		return err
	}
	w.full = yes
	return nil
}

// gate lets one transaction in at a time. Ingest goes first, but never twice
// in a row while processing waits, so neither starves.
type gate struct {
	mu     sync.Mutex
	cond   sync.Cond
	held   bool
	urgent int
	normal int
	turn   bool // the last one in was urgent
}

func (g *gate) enter(urgent bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if urgent {
		g.urgent++
		for g.held || g.turn && g.normal > 0 {
			g.cond.Wait()
		}
		g.urgent--
	} else {
		g.normal++
		for g.held || !g.turn && g.urgent > 0 {
			g.cond.Wait()
		}
		g.normal--
	}
	g.held, g.turn = true, urgent
}

func (g *gate) leave() {
	g.mu.Lock()
	g.held = false
	g.mu.Unlock()
	g.cond.Broadcast()
}

// Sizes of the write-ahead log at which it is copied into the database, in
// bytes: beside the writer, and, when that never catches up, holding it.
const (
	walCopy = 32 << 20
	walHold = 512 << 20
)

// checkpoint copies the write-ahead log into the database file from a
// connection of its own, so that no commit has to wait for it.
func (s *Store) checkpoint(wal string) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.closed:
			return
		case <-tick.C:
		}
		info, err := os.Stat(wal)
		if err != nil || info.Size() < walCopy {
			continue
		}
		mode := "passive"
		if info.Size() > walHold {
			mode = "truncate"
			s.writer.gate.enter(false)
		}
		var busy, inLog, copied int
		err = s.writer.db.QueryRow("pragma wal_checkpoint("+mode+")").Scan(&busy, &inLog, &copied)
		if mode == "truncate" {
			s.writer.gate.leave()
		}
		if err != nil {
			s.log.Warn("sqlite checkpoint", "error", err)
		}
	}
}
