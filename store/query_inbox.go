package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// InboxFilter selects raw events. A zero field takes all.
type InboxFilter struct {
	Connection string
	// Status is pending, done, ignored, quarantined or failed.
	Status string
	// Type is the vendor's name of the event, exact.
	Type string
	// Step and Reason narrow down those that have an outcome, Rule those that a
	// rule of this name matched.
	Step, Reason, Rule string
	// Person takes those that gave this person's events; zero: of all.
	Person lifecycle.ProfileID
	// Since and Until bound the time of receipt, both inclusive.
	Since, Until lifecycle.Instant
	// After continues where InboxPage.Next ended; "" begins with the newest.
	After string
	Limit int
}

// InboxPage is a part of the inbox, newest first. It may hold fewer rows than
// asked for while Next is not empty: a filter that fits few rows is followed
// for a bounded way only.
type InboxPage struct {
	Rows []InboxRow
	Next string
}

// InboxRow is one raw event and what became of it.
type InboxRow struct {
	ID         int64
	Connection string
	Type       string
	Flag       int64
	Received   lifecycle.Instant
	At         lifecycle.Instant
	Size       int64 // bytes of the body
	// Status is "pending" while there is no outcome, and then Outcome is zero.
	Status  string
	Outcome Outcome
	// Ended is when the outcome was written.
	Ended lifecycle.Instant
}

// StatusNumber is StatusName reversed; pending is 0. It answers false for
// what is no status.
func StatusNumber(name string) (int64, bool) {
	i := slices.Index([]string{"pending", "done", "ignored", "quarantined", "failed"}, name)
	return int64(i), i >= 0
}

// inboxSteps gives how far a page of the inbox is looked further each time that
// what was found fits badly; behind the last it is short, and its Next goes on.
func inboxSteps() []int { return []int{1_000, 9_000, 0} }

// Inbox lists raw events, newest first, a page at a time.
func (s *Store) Inbox(ctx context.Context, f InboxFilter) (InboxPage, error) {
	before, err := cursorBefore(f.After)
	if err != nil {
		return InboxPage{}, fmt.Errorf("store: inbox: %w", err)
	}
	limit := page(f.Limit)
	look := limit + 1
	var out InboxPage
	for _, further := range inboxSteps() {
		ids, err := s.inboxIDs(ctx, &f, before, look)
		if err == nil {
			var rows []InboxRow
			rows, err = s.inboxRows(ctx, &f, ids)
			out.Rows = append(out.Rows, rows...)
		}
		if err != nil {
			return InboxPage{}, fmt.Errorf("store: inbox: %w", away(err))
		}
		if len(out.Rows) > limit {
			out.Rows = out.Rows[:limit]
			out.Next = cursorText(out.Rows[limit-1].ID)
			return out, nil
		}
		if len(ids) < look {
			return out, nil
		}
		before = ids[len(ids)-1]
		look = further
	}
	out.Next = cursorText(before)
	return out, nil
}

// inboxIDs gives the next ids below one that may fit, by the index that is
// closest to the filter.
func (s *Store) inboxIDs(ctx context.Context, f *InboxFilter, before int64, limit int) ([]int64, error) {
	switch status, ok := StatusNumber(f.Status); {
	case f.Status != "" && !ok:
		return nil, nil
	case f.Person != 0:
		return s.personRows(ctx, f.Person, before, limit)
	case f.Status == "pending":
		return scanIDs(s.query(ctx, "select id from pending where id < ? order by id desc limit ?", before, limit))
	case status > Done:
		return s.parkedIDs(ctx, f, status, before, limit)
	}
	return scanIDs(s.query(ctx, "select id from inbox where id < ? order by id desc limit ?", before, limit))
}

// parkedIDs merges the connections, each of which has an index of its own.
func (s *Store) parkedIDs(ctx context.Context, f *InboxFilter, status, before int64, limit int) ([]int64, error) {
	connections := []string{f.Connection}
	if f.Connection == "" {
		counters, err := s.Counters(ctx)
		if err != nil {
			return nil, err
		}
		connections = connections[:0]
		for connection, names := range counters {
			if names[StatusName(status)] > 0 {
				connections = append(connections, connection)
			}
		}
	}
	var all []int64
	for part := range slices.Chunk(connections, mostArms) {
		var args []any
		for _, connection := range part {
			args = append(args, status, clean(connection, maxText), before, limit)
		}
		rows, err := s.query(ctx, arms(len(part), "id", `select id from outcomes where status = ? and status > 1 and connection = ? and id < ?
			order by id desc limit ?`), args...)
		err = each(rows, err, func(rows *sql.Rows) error {
			var arm, id int64
			err := rows.Scan(&arm, &id)
			all = append(all, id)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(all)
	slices.Reverse(all)
	return all[:min(len(all), limit)], nil
}

const inboxColumns = `i.id, i.connection, i.type, i.flag, i.received_at, i.event_at, coalesce(length(i.body), 0),
	coalesce(o.status, 0), coalesce(o.step, ''), coalesce(o.reason, ''), coalesce(o.detail, ''), coalesce(o.rule, ''), coalesce(o.at, 0)`

func (r *InboxRow) into() []any {
	return []any{&r.ID, &r.Connection, &r.Type, &r.Flag, &r.Received, &r.At, &r.Size,
		&r.Outcome.Status, &r.Outcome.Step, &r.Outcome.Reason, &r.Outcome.Detail, &r.Outcome.Rule, &r.Ended}
}

func (s *Store) inboxRows(ctx context.Context, f *InboxFilter, ids []int64) ([]InboxRow, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	where, more := s.inboxWhere(f)
	q := "select " + inboxColumns + " from inbox i left join outcomes o on o.id = i.id where " + s.d.oneOf("i.id", "bigint") + where
	args := append([]any{list(s.d, ids)}, more...)
	var all []InboxRow
	rows, err := s.query(ctx, q+" order by i.id desc", args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var r InboxRow
		err := rows.Scan(r.into()...)
		r.Status = StatusName(r.Outcome.Status)
		all = append(all, r)
		return err
	})
	return all, err
}

// inboxWhere gives the conditions of a filter behind others, about the inbox
// as i and the outcomes as o.
func (s *Store) inboxWhere(f *InboxFilter) (string, []any) {
	q, args := "", []any(nil)
	and := func(condition string, arg any) { q, args = q+" and "+condition, append(args, arg) }
	if f.Connection != "" {
		and("i.connection = ?", clean(f.Connection, maxText))
	}
	if status, ok := StatusNumber(f.Status); ok {
		and("coalesce(o.status, 0) = ?", status)
	}
	if f.Type != "" {
		and("i.type = ?", clean(f.Type, maxText))
	}
	if f.Step != "" {
		and("o.step = ?", clean(f.Step, maxText))
	}
	if f.Reason != "" {
		and("o.reason = ?", clean(f.Reason, maxText))
	}
	if f.Rule != "" { // names stand between commas; what is taken out was there
		and("replace(',' || o.rule || ',', ?, '') <> ',' || o.rule || ','", ","+clean(f.Rule, maxText)+",")
	}
	if f.Since > 0 {
		and("i.received_at >= ?", int64(f.Since))
	}
	if f.Until > 0 {
		and("i.received_at <= ?", int64(f.Until))
	}
	return q, args
}

// InboxStats is what became of the raw events of one connection, counted.
type InboxStats struct {
	Pending, Done, Ignored, Quarantined, Failed, Duplicates, Rejected int64
	// Rejections by reason.
	Rejections map[string]int64
}

// InboxStats counts by connection. All but the pending ones are counters that
// are kept; counting those costs as much as there are.
func (s *Store) InboxStats(ctx context.Context) (map[string]*InboxStats, error) {
	counters, err := s.Counters(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]*InboxStats{}
	of := func(connection string) *InboxStats {
		if all[connection] == nil {
			all[connection] = &InboxStats{Rejections: map[string]int64{}}
		}
		return all[connection]
	}
	for connection, names := range counters {
		if connection == "" {
			continue
		}
		x := of(connection)
		x.Done, x.Ignored, x.Quarantined, x.Failed = names["done"], names["ignored"], names["quarantined"], names["failed"]
		x.Duplicates, x.Rejected = names["duplicates"], names[counterRejected]
		for name, n := range names {
			if reason, ok := RejectedReason(name); ok {
				x.Rejections[reason] = n
			}
		}
	}
	rows, err := s.query(ctx, "select i.connection, count(*) from pending p join inbox i on i.id = p.id group by i.connection")
	err = each(rows, err, func(rows *sql.Rows) error {
		var connection string
		var n int64
		err := rows.Scan(&connection, &n)
		of(connection).Pending = n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: inbox stats: %w", away(err))
	}
	return all, nil
}
