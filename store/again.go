package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// laneAgain is where raw events stand in pending inside a transaction that
// processes them again. No connection has such a name, and none stays there.
const laneAgain = "~again"

// ReasonEcho ends a raw event that tells of what we wrote ourselves.
const ReasonEcho = "echo"

// OutcomesTx gives what became of raw events, and locks that; those that are
// pending are missing.
func (t *Tx) OutcomesTx(ctx context.Context, ids []int64) (map[int64]Outcome, error) {
	all := make(map[int64]Outcome, len(ids))
	if len(ids) == 0 {
		return all, nil
	}
	rows, err := t.query(ctx, "select id, status, step, reason, detail, rule from outcomes where "+t.s.d.oneOf("id", "bigint")+" order by id"+t.s.d.forUpdate, list(t.s.d, ids))
	err = each(rows, err, func(rows *sql.Rows) error {
		var id int64
		var o Outcome
		err := rows.Scan(&id, &o.Status, &o.Step, &o.Reason, &o.Detail, &o.Rule)
		all[id] = o
		return err
	})
	return all, err
}

// AgainTx makes raw events pending whose outcomes were locked by OutcomesTx in
// the same transaction, for nobody but it: it has to end them by FinishTx or
// PostponeTx.
func (t *Tx) AgainTx(ctx context.Context, rows []Row) error {
	n := len(rows)
	if n == 0 {
		return nil
	}
	ids, lanes, due, attempts, reasons := make([]int64, n), make([]string, n), make([]int64, n), make([]int64, n), make([]string, n)
	connection := make(map[int64]string, n)
	for i := range rows {
		rows[i].lane, rows[i].next, rows[i].Replayed = laneAgain, 0, true
		ids[i], lanes[i], reasons[i] = rows[i].ID, laneAgain, ReasonReplay
		connection[rows[i].ID] = rows[i].Connection
	}
	slices.Sort(ids)
	gone, err := t.query(ctx, "delete from outcomes where "+t.s.d.oneOf("id", "bigint")+" returning id, status", list(t.s.d, ids))
	found := 0
	err = each(gone, err, func(gone *sql.Rows) error {
		var id, status int64
		err := gone.Scan(&id, &status)
		t.CountTx(connection[id], StatusName(status), -1)
		found++
		return err
	})
	if err != nil {
		return err
	}
	if found != n {
		return fmt.Errorf("%w: raw events are no longer as they were", ErrRetry)
	}
	_, err = t.insert(ctx, "pending", "", texts("lane", lanes), ints("next_try", due), ints("id", ids), ints("attempts", attempts), texts("reason", reasons))
	return err
}

// SetNoteTx is Store.SetNote within a transaction.
func (t *Tx) SetNoteTx(ctx context.Context, name, value string) error {
	return t.setState(ctx, name, value)
}

// CountReplayable counts the raw events of a filter, whatever its page, that
// can be processed again: those that are not pending and whose bytes are kept.
// Our own echoes are left out, unless the filter names them by their reason.
func (s *Store) CountReplayable(ctx context.Context, f InboxFilter) (int64, error) {
	q := "select count(*) from outcomes o join inbox i on i.id = o.id where i.body is not null"
	where, args := s.inboxWhere(&f)
	if f.Reason != ReasonEcho {
		where += " and not (o.status = 2 and o.reason = '" + ReasonEcho + "')"
	}
	if f.Person != 0 {
		where, args = where+" and exists (select 1 from events e where e.inbox = i.id and e.inbox > 0 and e."+inHomes+")", append(args, int64(f.Person), int64(f.Person))
	}
	var n int64
	rows, err := s.query(ctx, q+where, args...)
	if err == nil {
		err = scanOne(rows, &n)
	}
	if err != nil {
		return 0, fmt.Errorf("store: count raw events: %w", away(err))
	}
	return n, nil
}

// personRows gives the raw events below one that gave a person's events.
func (s *Store) personRows(ctx context.Context, person lifecycle.ProfileID, before int64, limit int) ([]int64, error) {
	return scanIDs(s.query(ctx, "select distinct inbox from events where "+inHomes+" and inbox > 0 and inbox < ? order by inbox desc limit ?", int64(person), int64(person), before, limit))
}
