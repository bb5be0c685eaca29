package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// WorkReplay is the kind of long work that processes raw events again under the
// rules and the plan in force. What they gave is replaced by what they give.
const WorkReplay = "replay"

// replayNote begins the name of the note in which a replay keeps how far it
// came, written together with the effects: so its numbers are right whatever
// happens to the process.
const replayNote = "replay "

// Raw events of one transaction of a replay: few, so that what comes in
// meanwhile never waits long for the writer.
const (
	replaySQLite   = 250
	replayPostgres = 500
)

// replayPeople bounds how many people are remembered to count nobody twice.
const replayPeople = 500_000

// Replayed is the result of WorkReplay.
type Replayed struct {
	// RawEvents were processed again. Changed ones gave other canonical events
	// than before, or ended otherwise; of the others nothing was written.
	RawEvents int64 `json:"raw_events"`
	Changed   int64 `json:"changed"`
	// Retracted is how many canonical events were taken back.
	Retracted int64 `json:"retracted"`
	// People whom that concerned were brought up to date: their stage, segments
	// and traits follow from the events they have now. Somebody who was before and after an
	// interruption counts twice.
	People int64 `json:"people"`
	// Events that differ by name, and raw events that ended otherwise.
	Events   []EventDifference `json:"events"`
	Outcomes []OutcomeFlow     `json:"outcomes"`
	// Summary says it in a sentence.
	Summary string `json:"summary"`
}

// String says what was done.
func (r *Replayed) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s processed again", counted(r.RawEvents, "raw event was", "raw events were"))
	if r.Changed == 0 {
		return b.String() + "; none gave anything else than before"
	}
	fmt.Fprintf(&b, ": %s something else than before, %s taken back, %s brought up to date",
		counted(r.Changed, "gave", "gave"), counted(r.Retracted, "event was", "events were"), counted(r.People, "person was", "people were"))
	return b.String()
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}

type replayArgs struct {
	Filter store.InboxFilter `json:"filter"`
	Count  int64             `json:"count"`
}

// replayPlace is how far a replay came, from the newest to the oldest.
type replayPlace struct {
	After string `json:"after"`
	End   bool   `json:"end"`
	Replayed
}

// Replay processes the raw events of a filter again, whatever its page, as long
// work whose record it answers, with how many they are; with dryRun it only
// counts them. Asking for the same again while it is under way answers that.
func (a *Admin) Replay(ctx context.Context, f store.InboxFilter, author string, dryRun bool) (int64, store.Work, error) {
	s := a.Registry.o.Store
	n, err := s.CountReplayable(ctx, f)
	if err != nil || dryRun {
		return n, store.Work{}, err
	}
	f.After, f.Limit = "", 0
	// Under another configuration it is another replay.
	one, fresh, err := a.Works.Start(ctx, WorkReplay, replaySubject(f, a.Registry.Config().Version), replayArgs{f, n}, author, "")
	if err == nil && fresh {
		err = noteReplay(ctx, s, f, n, one.ID)
	}
	return n, one, err
}

func replaySubject(f store.InboxFilter, version int64) string {
	about := f.Connection
	if about == "" {
		about = "everything"
	}
	return fmt.Sprintf("%s %016x", about, hashOf([]any{f, version}))
}

func noteReplay(ctx context.Context, s *store.Store, f store.InboxFilter, n, job int64) error {
	return s.NoteAudit(ctx, "inbox.replay", "inbox", nil, map[string]any{"filter": f, "events": n, "job": job})
}

// RulesReplayed is what PublishRulesAndReplay began.
type RulesReplayed struct {
	Version int64
	// Count raw events are processed again by Work.
	Count int64
	Work  store.Work
}

// PublishRulesAndReplay is PublishRules, and has the raw events of a filter
// processed again under the rules; its connection is theirs. One does not
// happen without the other.
func (a *Admin) PublishRulesAndReplay(ctx context.Context, id string, was int64, v store.Versioned, f store.InboxFilter) (RulesReplayed, error) {
	f.Connection, f.After, f.Limit = id, "", 0
	if _, err := a.CheckRules(ctx, id, []byte(v.Source)); err != nil {
		return RulesReplayed{}, err
	}
	s := a.Registry.o.Store
	n, err := s.CountReplayable(ctx, f)
	if err != nil {
		return RulesReplayed{}, err
	}
	args, err := encode(replayArgs{f, n})
	if err != nil {
		return RulesReplayed{}, err
	}
	version, one, err := s.PublishRulesWith(ctx, id, was, v, func(version int64) store.Work {
		return store.Work{Kind: WorkReplay, Subject: fmt.Sprintf("%s version %d", id, version), Args: args, Author: v.Author, Reason: v.Note}
	})
	if err != nil {
		return RulesReplayed{}, err
	}
	done := RulesReplayed{Version: version, Count: n, Work: one}
	a.Works.wake()
	if err := noteReplay(ctx, s, f, n, one.ID); err != nil {
		return done, err
	}
	if err := a.Registry.Refresh(ctx); err != nil {
		return done, err
	}
	return done, a.Registry.rejudge(context.WithoutCancel(ctx), a.Works, v.Author)
}

// Replaying sums what replays that are under way have still to do: raw events
// by connection, "" for those of no connection in particular.
func (a *Admin) Replaying(ctx context.Context) (map[string]int64, error) {
	all := map[string]int64{}
	if a.Works == nil {
		return all, nil
	}
	for _, state := range []store.WorkState{store.WorkQueued, store.WorkRunning} {
		works, err := a.Registry.o.Store.Works(ctx, store.WorkFilter{Kind: WorkReplay, State: state})
		if err != nil {
			return nil, err
		}
		for i := range works {
			var args replayArgs
			if err := json.Unmarshal([]byte(works[i].Args), &args); err != nil {
				return nil, fmt.Errorf("jobs: work %d: arguments: %w", works[i].ID, err)
			}
			all[args.Filter.Connection] += max(args.Count-works[i].Done, 1) // it is not over
		}
	}
	return all, nil
}

// ReplayKind is the kind WorkReplay, done by a processor. It may be stopped and
// begun again at any moment: a raw event is processed again as a whole or not
// at all.
func ReplayKind(p *Processor) WorkKind {
	return WorkKind{Name: WorkReplay, Unit: "raw events", Run: func(ctx context.Context, t *Task) (any, error) { return p.replay(ctx, t) }}
}

func (p *Processor) replay(ctx context.Context, t *Task) (any, error) {
	var args replayArgs
	if err := t.Args(&args); err != nil {
		return nil, err
	}
	r := &replay{p: p, filter: args.Filter, note: replayNote + strconv.FormatInt(t.Record().ID, 10), people: map[lifecycle.ProfileID]bool{}}
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	for more := !r.at.End; more; {
		began := time.Now()
		var err error
		if more, err = r.page(ctx); err != nil {
			return nil, err
		}
		if err := t.At(r.at.RawEvents, args.Count, nil); err != nil {
			return nil, err
		}
		if err := p.giveWay(ctx, time.Since(began)); err != nil {
			return nil, err
		}
	}
	r.at.Summary = r.at.String()
	return r.at.Replayed, nil
}

// giveWay lets what came in meanwhile go first: for as long as the last batch
// took where anything waits.
func (p *Processor) giveWay(ctx context.Context, took time.Duration) error {
	due, err := p.Store.DueNow(ctx, nil)
	if err != nil || !due.Process {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(min(max(took, gather), time.Second)):
		return nil
	}
}

// replay is a run of WorkReplay.
type replay struct {
	p      *Processor
	filter store.InboxFilter
	note   string
	at     replayPlace
	people map[lifecycle.ProfileID]bool // of this run
}

// begin reads how far a run before this one came, and forgets about replays
// that are over.
func (r *replay) begin(ctx context.Context) error {
	s := r.p.Store
	notes, err := s.Notes(ctx, replayNote)
	if err != nil {
		return err
	}
	for name, text := range notes {
		if name == r.note {
			if err := json.Unmarshal([]byte(text), &r.at); err != nil {
				return fmt.Errorf("jobs: note %s: %w: %w", name, err, ErrPermanent)
			}
			continue
		}
		id, err := strconv.ParseInt(strings.TrimPrefix(name, replayNote), 10, 64)
		if err != nil {
			continue // not one of ours
		}
		one, err := s.WorkByID(ctx, id)
		if err == nil && !one.State.Live() || errors.Is(err, store.ErrNotFound) {
			err = s.DropNote(ctx, name)
		}
		if err != nil {
			return err
		}
	}
	r.filter.Limit = replaySQLite
	if s.Postgres() {
		r.filter.Limit = replayPostgres
	}
	return nil
}

// page processes the next raw events; false when those were the last.
func (r *replay) page(ctx context.Context) (more bool, err error) {
	r.filter.After = r.at.After
	page, err := r.p.Store.Inbox(ctx, r.filter)
	if err != nil {
		return false, err
	}
	var ids []int64
	for i := range page.Rows {
		if row := &page.Rows[i]; row.Status != "pending" {
			ids = append(ids, row.ID)
		}
	}
	rows, err := r.p.Store.RowsByID(ctx, ids)
	if err != nil {
		return false, err
	}
	if len(rows) > 0 {
		err = r.rows(ctx, rows, page.Next, 1)
	}
	r.at.After = page.Next
	return page.Next != "", err
}

// rows processes raw events in one transaction. When that fails for a reason of
// its own they are tried in halves, until the bad one stands alone and is
// marked as failed.
func (r *replay) rows(ctx context.Context, rows []store.Row, next string, spare int) error {
	for ctx.Err() == nil {
		b := &againBatch{replay: r, cfg: r.p.Registry.Config(), rows: rows, next: next}
		err := b.run(ctx, spare)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errFewIDs) && spare < manyIDs:
			return r.rows(ctx, rows, next, manyIDs)
		case errors.Is(err, store.ErrRetry):
			if err := r.p.Registry.Refresh(ctx); err != nil {
				return err
			}
			continue
		case errors.Is(err, store.ErrAway), ctx.Err() != nil:
			return err
		case len(rows) == 1:
			return r.fail(ctx, rows, err)
		}
		r.p.Log.Warn("a batch of a replay failed and is halved", "rows", len(rows), "error", err)
		if err := r.rows(ctx, rows[:len(rows)/2], r.at.After, spare); err != nil {
			return err
		}
		rows = rows[len(rows)/2:]
	}
	return ctx.Err()
}

// fail parks the one raw event that cannot be processed, with what it gave.
func (r *replay) fail(ctx context.Context, rows []store.Row, cause error) error {
	return r.p.Store.Derived(ctx, func(t *store.Tx) error {
		if was, err := t.OutcomesTx(ctx, []int64{rows[0].ID}); err != nil || len(was) == 0 {
			return err
		}
		if err := t.AgainTx(ctx, rows); err != nil {
			return err
		}
		return t.FinishTx(ctx, rows, []store.Outcome{{Status: store.Failed, Step: "internal", Reason: "internal", Detail: cause.Error()}})
	})
}
