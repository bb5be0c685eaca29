package jobs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs/observe"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Times of a push, which may need several requests. A lease outlives the
// longest push twice over, so that nobody else takes a person while a call may
// still be under way; it is also how long people wait whose replica died.
const (
	defaultRequest = 15 * time.Second
	pushRequests   = 8
)

func (p *Pusher) timeout() time.Duration { return pushRequests * cmp.Or(p.Request, defaultRequest) }
func (p *Pusher) lease() time.Duration   { return p.timeout() * 5 / 2 }

// Pusher brings people who are out of step to their desired state, one
// connection at a time.
type Pusher struct {
	Store    *store.Store
	Registry *Registry
	Limiter  *Limiter
	Breakers *Breakers
	// Request is the timeout of one request to a vendor; zero is 15 s.
	Request time.Duration
	// Metrics and Tracer watch; nil: nobody does.
	Metrics *observe.Metrics
	Tracer  *observe.Tracer
	Now     func() time.Time
	Log     *slog.Logger

	refused *seldom
	lately  *lately
}

// Send pushes everybody who is due at a connection now. The error is the last
// failure of the vendor's (*connectors.PushError) or of the store's; people
// concerned have their next try in the store already.
func (p *Pusher) Send(ctx context.Context, connection string) error {
	conn := p.Registry.Config().Connections[connection]
	if conn == nil || conn.Destination() == nil || conn.Paused {
		return nil
	}
	if err := p.manage(ctx, conn); err != nil {
		return err
	}
	err := together(max(1, conn.Destination().Limits().Concurrency), func(more func()) error { return p.drain(ctx, conn, more) })
	return errors.Join(err, p.sendAccounts(ctx, conn))
}

// manage adds the segments that are pushed by now to those the connection ever
// pushed, before the first of them goes out.
func (p *Pusher) manage(ctx context.Context, conn *Conn) error {
	var names []string
	for _, plan := range p.Registry.Config().plans() {
		for _, s := range plan.Segments() {
			if Pushes(&conn.Push, string(s.Name)) {
				names = append(names, string(s.Name))
			}
		}
	}
	all, err := p.Store.Manage(ctx, conn.ID, names)
	if err != nil {
		return err
	}
	conn.managed.Store(&all)
	return nil
}

func (p *Pusher) drain(ctx context.Context, conn *Conn, more func()) error {
	dest := conn.Destination()
	limits := dest.Limits()
	return p.turns(ctx, conn, limits, more, p.Store.PushDue, func(until lifecycle.Instant) (int, func() (worst, err error), error) {
		people, err := p.Store.Lease(ctx, conn.ID, max(1, limits.Batch), until, limits.Takes == connectors.TakesEvents)
		return len(people), func() (error, error) { return p.batch(ctx, conn, dest, people) }, err
	})
}

// turns takes what is due, a batch at a time, as long as there is any and the
// vendor bears it: take leases a batch and gives how many it holds and what
// sends it, whose worst is the last failure of the vendor's.
func (p *Pusher) turns(ctx context.Context, conn *Conn, limits connectors.Limits, more func(), due func(context.Context, string) (bool, error),
	take func(until lifecycle.Instant) (n int, send func() (worst, err error), err error)) error {
	var failure error
	for ctx.Err() == nil {
		done, err := p.Breakers.Allow(conn.ID)
		if err != nil {
			return errors.Join(failure, err)
		}
		// Where no rate is known, leasing finds out by itself whether anybody is
		// due; else no turn of it is spent on finding out.
		if limits.Rate > 0 {
			if some, err := due(ctx, conn.ID); err != nil || !some {
				done(nil)
				return errors.Join(failure, err)
			}
		}
		if err := p.wait(ctx, conn.ID, limits); err != nil {
			done(nil)
			return err
		}
		until := lifecycle.At(p.Now().Add(p.lease()))
		n, send, err := take(until)
		if err != nil || n == 0 {
			done(nil)
			return errors.Join(failure, err)
		}
		if n == limits.Batch {
			more()
		}
		worst, err := send()
		done(worst)
		if err != nil {
			return err
		}
		if worst != nil {
			failure = worst
		}
		pause(ctx, n, limits.Batch)
	}
	return ctx.Err()
}

// batch pushes leased people and writes back what became of each.
func (p *Pusher) batch(ctx context.Context, conn *Conn, dest connectors.Destination, people []store.LeasedPerson) (worst error, err error) {
	cfg := p.Registry.Config()
	people, followed, err := p.follow(ctx, conn, dest, people)
	if err != nil {
		return nil, err
	}
	backs := make([]store.WriteBack, len(people))
	var updates []connectors.Update
	var which []int
	for i := range people {
		u, skip, err := p.update(cfg, conn, dest, &people[i])
		if err != nil {
			return nil, err
		}
		if skip != nil {
			backs[i] = p.writeBack(&people[i], nil, *skip)
			continue
		}
		updates, which = append(updates, *u), append(which, i)
	}
	var ledger []store.LedgerEntry
	if len(updates) > 0 {
		begun, span := time.Now(), p.Tracer.Push(ctx, conn.ID, len(updates))
		call, cancel := context.WithTimeout(ctx, p.timeout())
		results := pushHalving(call, dest.Push, updates)
		cancel()
		p.noteResults(conn, span, updates, results, time.Since(begun))
		for j, r := range results {
			i := which[j]
			backs[i] = p.writeBack(&people[i], &updates[j], r)
			p.tryAnother(conn, &backs[i], &people[i], &updates[j], r)
			for _, f := range r.Written {
				ledger = append(ledger, store.LedgerEntry{Connection: conn.ID, Record: f.Record, Field: f.Name, Value: f.Value})
			}
			if f := failureOf(r); f != nil {
				worst = f
			}
		}
		if err := p.noteFields(context.WithoutCancel(ctx), conn, ledger); err != nil {
			return nil, err
		}
	}
	// The lease is written back even when ctx has ended: the vendor was told.
	return worst, p.Store.WriteBackAll(context.WithoutCancel(ctx), append(backs, followed...), ledger)
}

// failureOf gives what the breaker and the queue are told of a result.
func failureOf(r connectors.Result) error {
	if r.Outcome != connectors.Retry {
		return nil
	}
	return &connectors.PushError{Reason: r.Reason, Retryable: true, RetryAfter: r.Delay, Message: r.Message, Act: "push"}
}

// pushHalving calls the vendor. A batch that is refused as a whole is halved
// until the bad row stands alone, so that the others arrive.
func pushHalving[U any](ctx context.Context, send func(context.Context, []U) ([]connectors.Result, error), updates []U) []connectors.Result {
	results, err := send(ctx, updates)
	if err == nil && len(results) == len(updates) {
		return results
	}
	if err == nil {
		err = &connectors.PushError{Reason: connectors.ReasonBadAnswer, Retryable: true, Message: fmt.Sprintf("%d results for %d updates", len(results), len(updates))}
	}
	var failed *connectors.PushError
	if !errors.As(err, &failed) {
		failed = &connectors.PushError{Reason: connectors.ReasonConnection, Retryable: true, Message: err.Error()}
	}
	if len(updates) > 1 && blamesOne(failed) {
		half := len(updates) / 2
		return append(pushHalving(ctx, send, updates[:half]), pushHalving(ctx, send, updates[half:])...)
	}
	all := make([]connectors.Result, len(updates))
	for i := range all {
		all[i] = failed.Result()
	}
	return all
}

// blamesOne reports a refusal that one bad row of a batch can cause.
func blamesOne(e *connectors.PushError) bool {
	switch e.Reason {
	case connectors.ReasonInvalid, connectors.ReasonTooLarge, connectors.ReasonConflict, connectors.ReasonNotFound:
		return !e.Retryable
	}
	return false
}

// known is what is remembered of a person at a vendor.
type known struct {
	State connectors.State `json:"state"`
	Email string           `json:"email,omitempty"`
}

// update makes the update of a person, or says that there is nothing to send.
func (p *Pusher) update(cfg *Config, conn *Conn, dest connectors.Destination, x *store.LeasedPerson) (*connectors.Update, *connectors.Result, error) {
	if x.Profile == nil || x.Profile.Merged != 0 || x.Profile.State == nil {
		return nil, &connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "this person is no more"}, nil
	}
	prof, err := lifecycle.DecodeProfile(x.Profile.State)
	if err != nil {
		return nil, nil, fmt.Errorf("jobs: push: profile %d: %w", x.Person, err)
	}
	u := &connectors.Update{Person: x.Person, ID: stableID(conn.ID, x.Person, x.Version), Keys: parseKeys(x.Profile.Keys), Email: prof.Email(), VendorID: x.VendorID}
	d := want(conn, cfg.PlanOf(prof.ID), prof, conn.managedNames())
	u.Want = d.state
	if !d.member {
		return nil, &connectors.Result{Outcome: connectors.Skipped, Reason: ReasonAudience, Message: "not in the audience"}, nil
	}
	if u.VendorID == "" {
		if ids := recordIDs(conn, u.Keys); len(ids) > 0 {
			u.VendorID = ids[0]
		}
	}
	if x.Known != "" {
		var k known
		if err := json.Unmarshal([]byte(x.Known), &k); err == nil {
			u.Known = &k.State
			if dest.Limits().Takes == connectors.TakesState && k.Email == u.Email && sameState(&u.Want, &k.State) {
				return nil, &connectors.Result{Outcome: connectors.OK, VendorID: x.VendorID}, nil
			}
		}
	}
	if dest.Limits().Takes == connectors.TakesEvents {
		u.Moves, u.Unsettled = p.moves(conn, x)
		u.Unsettled = u.Unsettled || x.Known == "" && x.Lease > 1
		if len(u.Moves) == 0 && u.Known != nil && sameState(&u.Want, u.Known) {
			return nil, &connectors.Result{Outcome: connectors.OK, VendorID: x.VendorID}, nil
		}
	}
	return u, nil, nil
}

// ReasonAudience: skipped, since the push block names an audience.
const ReasonAudience connectors.Reason = "audience"

// moves are the transitions to tell, in the vendor's spelling, none older than
// the connection wants: history that is brought in later moves people, and sets
// off nothing at vendors that act on each move. cut says that there were some.
func (p *Pusher) moves(conn *Conn, x *store.LeasedPerson) (all []connectors.Move, cut bool) {
	since := conn.Push.Since
	if since == 0 {
		since = conn.Created
	}
	age := maxAge(&conn.Push)
	for _, t := range x.Moves {
		if t.Lifecycle != "" { // those travel as state
			continue
		}
		if t.At < since || age > 0 && t.At < t.Decided.Add(-age) {
			cut = true
			continue
		}
		m := connectors.Move{ID: stableID(conn.ID, x.Person, -t.Seq), Seq: t.Seq, At: t.At, Kind: t.Kind,
			From: vendorStage(&conn.Push, t.From), To: vendorStage(&conn.Push, t.To)}
		for _, s := range t.Cause.Entered {
			if Pushes(&conn.Push, string(s)) {
				m.Entered = append(m.Entered, string(s))
			}
		}
		for _, s := range t.Cause.Exited {
			if Pushes(&conn.Push, string(s)) {
				m.Exited = append(m.Exited, string(s))
			}
		}
		if m.From != m.To || len(m.Entered) > 0 || len(m.Exited) > 0 {
			all = append(all, m)
		}
	}
	return all, cut
}

// maxAge reads the age from which on moves are not told; zero: none. What is
// saved was checked.
func maxAge(p *connectors.PushConfig) time.Duration {
	if p.MaxAge == "" {
		return 0
	}
	age, err := lifecycle.ParseWindow(p.MaxAge)
	if err != nil {
		return 0
	}
	return age
}

// stableID is the same for every attempt at one version or move.
func stableID(connection string, person lifecycle.ProfileID, n int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%d", connection, person, n))
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}
