package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// States of a person at a connection, as the API spells them.
const (
	SyncPending     = "pending"
	SyncSubmitted   = "submitted"
	SyncUnconfirmed = "unconfirmed"
	SyncSynced      = "synced"
	SyncFailed      = "failed"
	SyncSkipped     = "skipped"
)

// Sync is what is known of a person at a connection. The desired state is not
// among it: it is computed from the profile whenever it is needed, so it can
// never be an old one (rule 5 of the design).
type Sync struct {
	Connection string
	Person     lifecycle.ProfileID
	// Version grows with every change of the desired state.
	Version int64
	State   string
	// Due is when the next try may be made; zero when there is nothing to do, and
	// Behind for whoever is due behind the others.
	Due lifecycle.Instant
	// Lease numbers the taking of the row, positive while it is taken; a
	// write-back of an older lease is ignored.
	Lease    int64
	Attempts int64
	// Sent is the number of the last transition sent, for destinations that
	// take events.
	Sent     int64
	Reason   string
	Message  string
	VendorID string
	Job      string
	Pushed   lifecycle.Instant
	// Known is what the vendor is known to hold, as JSON; empty: not known.
	Known string

	// had is Known as it was read, so that a write-back sees whether somebody
	// forgot it meanwhile.
	had string
}

// anyConnection goes before a condition on people, so that it is looked up by
// the table's key; an index of people alone would cost every push.
const anyConnection = "connection in (select id from connections) and "

// Behind is when people are due who are brought to a connection in great
// numbers, by a resync or a retry of many: since ever, and so behind whoever
// became due at an instant of their own. Lease gives them their share.
const Behind lifecycle.Instant = 1

// behindShare is the part of what is taken that goes to those behind, if there
// are any, while there are others enough.
const behindShare = 8

// WantPushTx makes people due at a connection, since their desired state
// changed. A row that is leased stays so and becomes due when the lease is
// written back; one that rests because it flips goes on resting.
func (t *Tx) WantPushTx(ctx context.Context, connections []string, people []lifecycle.ProfileID, due lifecycle.Instant) error {
	n := len(people)
	versions, states, dues := make([]int64, n), make([]string, n), make([]int64, n)
	for i := range n {
		versions[i], states[i], dues[i] = 1, SyncPending, int64(due)
	}
	const rests = "sync.state = 'failed' and sync.reason = '" + ReasonFlipping + "' and sync.due_at > excluded.due_at"
	_, err := t.insert(ctx, "sync", `on conflict (connection, person) do update set version = sync.version + 1,
		state = case when `+rests+` then 'failed' else 'pending' end, attempts = 0,
		due_at = case when sync.lease > 0 or `+rests+` then sync.due_at else excluded.due_at end`,
		texts("connection", connections), ints("person", people), ints("version", versions), texts("state", states), ints("due_at", dues))
	return err
}

// ForgetKnownTx drops what is believed about people at every vendor, so that
// the next push sends everything (after a merge or a split).
func (t *Tx) ForgetKnownTx(ctx context.Context, people []lifecycle.ProfileID) error {
	_, err := t.exec(ctx, "update sync set known = '' where "+anyConnection+t.s.d.oneOf("person", "bigint"), list(t.s.d, people))
	return err
}

// ForgetRecordsTx makes the next pushes of people send everything and find
// their records at the vendors anew, since a decision about who is who may have
// given these to somebody else.
func (t *Tx) ForgetRecordsTx(ctx context.Context, people []lifecycle.ProfileID) error {
	_, err := t.exec(ctx, "update sync set known = '', vendor_id = '' where "+anyConnection+t.s.d.oneOf("person", "bigint"), list(t.s.d, people))
	return err
}

// LeasedPerson is a person taken for a push.
type LeasedPerson struct {
	Sync
	Profile *Person
	// Moves are the announced transitions after Sent, oldest first.
	Moves []Transition
}

const syncColumns = "connection, person, version, state, due_at, lease, attempts, sent, reason, message, vendor_id, job, pushed_at, known"

// scanSync reads a row of syncColumns, which may stand behind others.
func scanSync(rows *sql.Rows, before ...any) (Sync, error) {
	var x Sync
	err := rows.Scan(append(before, &x.Connection, &x.Person, &x.Version, &x.State, &x.Due, &x.Lease, &x.Attempts, &x.Sent, &x.Reason,
		&x.Message, &x.VendorID, &x.Job, &x.Pushed, &x.Known)...)
	x.had = x.Known
	return x, err
}

// Lease takes up to limit people that are due at a connection until an
// instant, when they become due again by themselves. moves asks for their
// transitions too. Who is due Behind is taken where others leave room, and an
// eighth of the room in any case, so that neither waits for all of the other.
// A lease that was never written back may have changed
// anything at the vendor, so whoever takes over from it gets an empty Known.
// It is durable before it returns: a power cut that took back both the lease and
// its write-back would leave what the vendor was told meanwhile unknown.
func (s *Store) Lease(ctx context.Context, connection string, limit int, until lifecycle.Instant, moves bool) ([]LeasedPerson, error) {
	var taken []LeasedPerson
	share := limit / behindShare
	if share == 0 && s.leases.Add(1)%behindShare < int64(limit) {
		share = 1 // of a few at a time, now and then one
	}
	err := s.in(ctx, durable, func(t *Tx) error {
		taken = taken[:0]
		now := s.nowMicros()
		// SQLite goes by the first of two lower bounds, so that of the live ones is the
		// narrower; the other one says which index it is.
		rows, err := t.query(ctx, `with later as (select person from sync where connection = ? and due_at > 0 and due_at <= ? order by due_at, person limit ?`+s.d.skipLocked+`),
			live as (select person from sync where connection = ? and due_at > ? and due_at > 0 and due_at <= ? order by due_at, person limit ?`+s.d.skipLocked+`)
			update sync set due_at = ?, known = case when lease > 0 then '' else known end, lease = abs(lease) + 1 where connection = ? and person in (
			select person from (select person, 0 as turn from (select person from later limit ?) l union all select person, 1 from live union all select person, 2 from (select person from later limit ? offset ?) r) x
			order by turn limit ?) returning `+syncColumns,
			connection, int64(Behind), limit, connection, int64(Behind), now, limit, int64(until), connection, share, limit, share, limit)
		err = each(rows, err, func(rows *sql.Rows) error {
			x, err := scanSync(rows)
			taken = append(taken, LeasedPerson{Sync: x})
			return err
		})
		if err != nil || len(taken) == 0 {
			return err
		}
		return t.fillLeases(ctx, taken, moves)
	})
	if err != nil {
		return nil, fmt.Errorf("store: lease: %w", err)
	}
	return taken, nil
}

// fillLeases loads the people behind leases and what they did since.
func (t *Tx) fillLeases(ctx context.Context, taken []LeasedPerson, moves bool) error {
	slices.SortFunc(taken, func(a, b LeasedPerson) int { return int(a.Person - b.Person) })
	ids := make([]lifecycle.ProfileID, len(taken))
	at := make(map[lifecycle.ProfileID]int, len(taken))
	for i := range taken {
		ids[i], at[taken[i].Person] = taken[i].Person, i
	}
	people, err := peopleWhere(ctx, t, t.s.d.oneOf("id", "bigint"), list(t.s.d, ids))
	if err != nil {
		return err
	}
	for i := range taken {
		taken[i].Profile = people[taken[i].Person]
	}
	if !moves {
		return nil
	}
	rows, err := t.query(ctx, "select "+transitionColumns+" from transitions where announce = 1 and "+t.s.d.oneOf("person", "bigint")+
		" order by person, seq", list(t.s.d, ids))
	return each(rows, err, func(rows *sql.Rows) error {
		x, err := scanTransition(rows)
		if p := &taken[at[x.Person]]; x.Seq > p.Sent {
			p.Moves = append(p.Moves, x)
		}
		return err
	})
}

// WriteBack is the end of a lease.
type WriteBack struct {
	Sync
	// Retry is when to try again; zero ends the trying.
	Retry lifecycle.Instant
}

// WriteBackAll ends leases. A row whose desired state changed meanwhile is
// due at once, whatever the outcome; a row that somebody else has leased since
// is left alone. What was forgotten meanwhile stays forgotten, and where a
// person was merged meanwhile the survivor is due anew with nothing known,
// since the two may be one record at the vendor.
func (s *Store) WriteBackAll(ctx context.Context, all []WriteBack, ledger []LedgerEntry) error {
	n := len(all)
	conns, people, version, lease := make([]string, n), make([]int64, n), make([]int64, n), make([]int64, n)
	state, due, attempts, sent := make([]string, n), make([]int64, n), make([]int64, n), make([]int64, n)
	reason, message, vendor, job := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	known, had, pushed := make([]string, n), make([]string, n), make([]int64, n)
	now, nows := s.nowMicros(), make([]int64, n)
	for i := range all {
		w := &all[i]
		conns[i], people[i], version[i], lease[i] = w.Connection, int64(w.Person), w.Version, w.Lease
		state[i], due[i], attempts[i], sent[i] = w.State, int64(w.Retry), w.Attempts, w.Sent
		reason[i], message[i], vendor[i], job[i] = w.Reason, clean(w.Message, 2000), clean(w.VendorID, maxText), clean(w.Job, maxText)
		known[i], had[i], pushed[i], nows[i] = w.Known, w.had, int64(w.Pushed), now
	}
	err := s.in(ctx, derived, func(t *Tx) error {
		_, err := t.update(ctx, "sync", `state = case when sync.version = v.version then v.state else 'pending' end,
			due_at = case when sync.version = v.version then v.due_at else v.now end,
			attempts = case when sync.version = v.version then v.attempts else 0 end,
			lease = -v.lease, sent = v.sent, reason = v.reason, message = v.message, vendor_id = v.vendor_id, job = v.job,
			known = case when sync.known = v.had then v.known else '' end, pushed_at = v.pushed_at`,
			"sync.connection = v.connection and sync.person = v.person and sync.lease = v.lease",
			texts("connection", conns), ints("person", people), ints("version", version), ints("lease", lease), texts("state", state),
			ints("due_at", due), ints("attempts", attempts), ints("sent", sent), texts("reason", reason), texts("message", message),
			texts("vendor_id", vendor), texts("job", job), texts("known", known), texts("had", had), ints("pushed_at", pushed), ints("now", nows))
		if err != nil {
			return err
		}
		if err := t.passToSurvivors(ctx, people, now); err != nil {
			return err
		}
		return t.addLedger(ctx, ledger, now)
	})
	if err != nil {
		return fmt.Errorf("store: write back: %w", err)
	}
	return nil
}

// passToSurvivors ends the rows of people who were merged while they were
// leased (see MergeTx) and makes their survivors due.
func (t *Tx) passToSurvivors(ctx context.Context, people []int64, now int64) error {
	merged, err := scanIDs(t.query(ctx, "select id from profiles where merged > 0 and "+t.s.d.oneOf("id", "bigint"), list(t.s.d, people)))
	if err != nil || len(merged) == 0 {
		return err
	}
	ended := "lease <= 0 and " + anyConnection + t.s.d.oneOf("person", "bigint")
	if _, err := t.exec(ctx, `insert into sync (connection, person, version, state, due_at)
		select s.connection, p.merged, 1, 'pending', min(cast(? as bigint)) from (select connection, person from sync where `+ended+`) s
		join profiles p on p.id = s.person group by s.connection, p.merged order by s.connection, p.merged
		on conflict (connection, person) do update set version = sync.version + 1, state = 'pending', attempts = 0, known = '',
		due_at = case when sync.lease > 0 then sync.due_at else excluded.due_at end`, now, list(t.s.d, merged)); err != nil {
		return err
	}
	_, err = t.exec(ctx, "delete from sync where "+ended, list(t.s.d, merged))
	return err
}

// FreeLeases gives back, on SQLite, everything that was taken for a vendor: the
// one process that works on the file calls it when it starts, so whoever held a
// lease has died. On PostgreSQL, where another replica may hold it, a lease ends
// by itself and this does nothing.
func (s *Store) FreeLeases(ctx context.Context) error {
	if s.d.postgres {
		return nil
	}
	err := s.in(ctx, derived, func(t *Tx) error {
		now := s.nowMicros()
		if _, err := t.exec(ctx, "update sync set lease = -lease, due_at = ?, known = '' where lease > 0", now); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "update account_sync set lease = -lease, due_at = ?, known = '' where lease > 0", now); err != nil {
			return err
		}
		_, err := t.exec(ctx, "update pending set next_try = ? where lane > '' and reason = ? and next_try > ?", now, ReasonEnriching, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: free leases: %w", err)
	}
	return nil
}

// NextDue is the earliest instant at which somebody is due at a connection;
// zero for never.
func (s *Store) NextDue(ctx context.Context, connection string) (lifecycle.Instant, error) {
	var at sql.NullInt64
	rows, err := s.query(ctx, `select min(due_at) from (select min(due_at) as due_at from sync where connection = ? and due_at > 0
		union all select min(due_at) from account_sync where connection = ? and due_at > 0) x`, connection, connection)
	if err == nil {
		err = scanOne(rows, &at)
	}
	if err != nil {
		return 0, fmt.Errorf("store: next due: %w", away(err))
	}
	return lifecycle.Instant(at.Int64), nil
}
