package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Delivery is how pushes to a connection fared lately, over all replicas.
type Delivery struct {
	Connection string
	// OK and Failed are when somebody arrived there, and when nobody of a batch
	// did; FailingSince is the first such failure after the last arrival. Zero: never.
	OK, Failed, FailingSince lifecycle.Instant
	// Reason of the newest failure.
	Reason string
}

// NoteDeliveries adds what one process saw since it told before.
func (s *Store) NoteDeliveries(ctx context.Context, all []Delivery) error {
	n := len(all)
	conns, ok, failed, since, reason := make([]string, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]string, n)
	for i, d := range all {
		conns[i], ok[i], failed[i], since[i], reason[i] = d.Connection, int64(d.OK), int64(d.Failed), int64(d.FailingSince), clean(d.Reason, 100)
	}
	err := s.in(ctx, derived, func(t *Tx) error {
		const (
			lastOK = "case when excluded.ok_at > deliveries.ok_at then excluded.ok_at else deliveries.ok_at end"
			// A failure that began after every arrival that is known goes on.
			goesOn = "deliveries.failing_since > 0 and deliveries.failing_since > (" + lastOK + ")"
		)
		_, err := t.insert(ctx, "deliveries", `on conflict (connection) do update set ok_at = `+lastOK+`,
			failed_at = case when excluded.failed_at > deliveries.failed_at then excluded.failed_at else deliveries.failed_at end,
			failing_since = case when `+goesOn+` then deliveries.failing_since else excluded.failing_since end,
			reason = case when excluded.failed_at > deliveries.failed_at then excluded.reason else deliveries.reason end`,
			texts("connection", conns), ints("ok_at", ok), ints("failed_at", failed), ints("failing_since", since), texts("reason", reason))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: deliveries: %w", err)
	}
	return nil
}

// Deliveries gives what NoteDeliveries added up.
func (s *Store) Deliveries(ctx context.Context) ([]Delivery, error) {
	var all []Delivery
	rows, err := s.query(ctx, "select connection, ok_at, failed_at, failing_since, reason from deliveries order by connection")
	err = each(rows, err, func(rows *sql.Rows) error {
		var d Delivery
		err := rows.Scan(&d.Connection, &d.OK, &d.Failed, &d.FailingSince, &d.Reason)
		all = append(all, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: deliveries: %w", away(err))
	}
	return all, nil
}

// Read is how often a path that a rule reads led anywhere in the raw events
// that the rule took.
type Read struct {
	Connection, Rule, Path string
	// Version of the connection's rules.
	Version int64
	// Seen and Missed count samples, Run the misses since it was last seen.
	Seen, Missed, Run int64
}

// NoteReads adds samples, and forgets those of versions that were in force
// before. No path may be there twice.
func (s *Store) NoteReads(ctx context.Context, all []Read) error {
	n := len(all)
	conns, rules, paths, versions := make([]string, n), make([]string, n), make([]string, n), make([]int64, n)
	seen, missed, run, at := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	newest := map[string]int64{}
	for i, r := range all {
		conns[i], rules[i], paths[i], versions[i] = r.Connection, clean(r.Rule, maxText), clean(r.Path, maxText), r.Version
		seen[i], missed[i], run[i], at[i] = r.Seen, r.Missed, r.Run, s.nowMicros()
		newest[r.Connection] = max(newest[r.Connection], r.Version)
	}
	err := s.in(ctx, derived, func(t *Tx) error {
		const half = "excluded.seen > 0 and reads.seen + reads.missed > 1000"
		if _, err := t.insert(ctx, "reads", `on conflict (connection, rule, path, version) do update set
			seen = case when `+half+` then reads.seen / 2 else reads.seen end + excluded.seen,
			missed = case when `+half+` then reads.missed / 2 else reads.missed end + excluded.missed,
			run = case when excluded.seen > 0 then excluded.run else reads.run + excluded.run end, at = excluded.at`,
			texts("connection", conns), texts("rule", rules), texts("path", paths), ints("version", versions),
			ints("seen", seen), ints("missed", missed), ints("run", run), ints("at", at)); err != nil {
			return err
		}
		for connection, version := range newest {
			if _, err := t.exec(ctx, "delete from reads where connection = ? and version < ?", connection, version); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: reads: %w", err)
	}
	return nil
}

// Drifting gives the paths that were there nearly always, in at least habit
// samples, and were missing in the last run samples or more.
func (s *Store) Drifting(ctx context.Context, habit, run int64) ([]Read, error) {
	var all []Read
	rows, err := s.query(ctx, `select connection, rule, path, version, seen, missed, run from reads
		where run >= ? and seen >= ? and (missed - run) * 20 <= seen order by connection, rule, path limit 1000`, run, habit)
	err = each(rows, err, func(rows *sql.Rows) error {
		var r Read
		err := rows.Scan(&r.Connection, &r.Rule, &r.Path, &r.Version, &r.Seen, &r.Missed, &r.Run)
		all = append(all, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: drifting: %w", away(err))
	}
	return all, nil
}

// Notice is something that somebody is told of: once when it begins, and once
// when it ended.
type Notice struct {
	Connection, Kind, Subject string
	Since                     lifecycle.Instant
	// Gone is since when it is no longer so; zero: it is.
	Gone   lifecycle.Instant
	Detail string
	// Told is JSON: what each channel was told.
	Told string
	// Tries that failed, and when the next one is due.
	Tries int64
	Next  lifecycle.Instant
}

// Notices gives all that are under way, by connection, kind and subject.
func (s *Store) Notices(ctx context.Context) ([]Notice, error) {
	var all []Notice
	rows, err := s.query(ctx, "select connection, kind, subject, since, gone_at, detail, told, tries, next_try from notices order by connection, kind, subject")
	err = each(rows, err, func(rows *sql.Rows) error {
		var n Notice
		err := rows.Scan(&n.Connection, &n.Kind, &n.Subject, &n.Since, &n.Gone, &n.Detail, &n.Told, &n.Tries, &n.Next)
		all = append(all, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: notices: %w", away(err))
	}
	return all, nil
}

// SaveNotice keeps a notice as it stands.
func (s *Store) SaveNotice(ctx context.Context, n Notice) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		_, err := t.exec(ctx, `insert into notices (connection, kind, subject, since, gone_at, detail, told, tries, next_try) values (?, ?, ?, ?, ?, ?, ?, ?, ?)
			on conflict (connection, kind, subject) do update set since = excluded.since, gone_at = excluded.gone_at, detail = excluded.detail,
			told = excluded.told, tries = excluded.tries, next_try = excluded.next_try`,
			n.Connection, n.Kind, clean(n.Subject, maxText), int64(n.Since), int64(n.Gone), clean(n.Detail, 1000), n.Told, n.Tries, int64(n.Next))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: notice: %w", err)
	}
	return nil
}

// DropNotice forgets a notice that is over.
func (s *Store) DropNotice(ctx context.Context, n Notice) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		_, err := t.exec(ctx, "delete from notices where connection = ? and kind = ? and subject = ?", n.Connection, n.Kind, clean(n.Subject, maxText))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: notice: %w", err)
	}
	return nil
}
