package jobs

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/store"
)

// WorkRulesPreview is the kind of long work that maps stored raw events by
// draft rules and compares with what they gave; it writes nothing.
const WorkRulesPreview = "rules preview"

// RulesPreviewArgs say what to look at.
type RulesPreviewArgs struct {
	// Connection whose rules they are.
	Connection string `json:"connection"`
	// Rules is the draft, YAML.
	Rules string `json:"rules"`
	// Based is the version that the draft was made from, for who goes on with it;
	// nil: not told.
	Based *int64 `json:"based,omitempty"`
	// Filter of raw events; its connection and page are ignored.
	Filter store.InboxFilter `json:"filter"`
}

// RulesPreview is what replaying raw events under draft rules would do.
type RulesPreview struct {
	// RawEvents that were mapped, and how many of them would give something
	// else than they gave. Those whose bytes retention emptied, those that were
	// never processed and our own echoes are not looked at.
	RawEvents int64 `json:"raw_events"`
	Differ    int64 `json:"differ"`
	// Events by name, sorted.
	Events []EventDifference `json:"events"`
	// Outcomes of raw events that would be others, greatest first.
	Outcomes []OutcomeFlow `json:"outcomes"`
	Effect   RulesEffect   `json:"effect"`
	Took     time.Duration `json:"nanoseconds"`
	// ReplayRate is how many raw events per second the last replay processed; zero
	// where none was measured here yet.
	ReplayRate float64 `json:"replay_rate"`
}

// EventText is a canonical event for reading.
type EventText struct {
	Name       string         `json:"name"`
	At         string         `json:"at"`
	Identity   []string       `json:"identity"`
	Key        string         `json:"key,omitempty"`
	Claim      string         `json:"claim,omitempty"`
	Traits     map[string]any `json:"traits,omitempty"`
	Properties map[string]any `json:"properties,omitempty"`
	Value      string         `json:"value,omitempty"`
}

const (
	rulesPreviewPage    = 500
	rulesPreviewSamples = 3
)

// RulesPreviewKind is the kind WorkRulesPreview.
func RulesPreviewKind(a *Admin) WorkKind {
	return WorkKind{Name: WorkRulesPreview, Unit: "raw events", Run: func(ctx context.Context, t *Task) (any, error) {
		var args RulesPreviewArgs
		if err := t.Args(&args); err != nil {
			return nil, err
		}
		of := args.Filter
		of.Connection = args.Connection
		total, err := a.Registry.o.Store.CountReplayable(ctx, of)
		if err != nil {
			return nil, err
		}
		preview, err := a.previewAllRules(ctx, args, func(done int64) error { return t.At(done, total, nil) })
		if err != nil {
			return nil, err
		}
		return preview, nil
	}}
}

// StartRulesPreview begins to compare all raw events of a connection that fit
// a filter. The error is *Invalid where the draft has mistakes.
func (a *Admin) StartRulesPreview(ctx context.Context, args RulesPreviewArgs, author string) (store.Work, error) {
	if _, err := a.CheckRules(ctx, args.Connection, []byte(args.Rules)); err != nil {
		return store.Work{}, err
	}
	subject := fmt.Sprintf("%s %016x", args.Connection, hashOf(args))
	one, _, err := a.Works.Start(ctx, WorkRulesPreview, subject, args, author, "")
	return one, err
}

// rulesPreviewer gathers what differs.
type rulesPreviewer struct {
	a         *Admin
	now, then *Config
	at        lifecycle.Instant
	out       RulesPreview
	diffs     *eventDiffs
	effect    *rulesEffect
	started   time.Time
}

func (a *Admin) previewAllRules(ctx context.Context, args RulesPreviewArgs, tell func(int64) error) (*RulesPreview, error) {
	draft, err := a.CheckRules(ctx, args.Connection, []byte(args.Rules))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrPermanent)
	}
	now := a.Registry.Config()
	then := now.withRules(args.Connection, draft, []byte(args.Rules))
	p := &rulesPreviewer{a: a, now: now, then: then, at: lifecycle.At(a.Registry.o.Now()), diffs: newEventDiffs(rulesPreviewSamples), started: time.Now()}
	p.effect = newRulesEffect(a.Registry.o.Store, now, p.at)
	f := args.Filter
	f.Connection, f.After, f.Limit = args.Connection, "", rulesPreviewPage
	for {
		page, err := a.Registry.o.Store.Inbox(ctx, f)
		if err != nil {
			return nil, err
		}
		if err := p.page(ctx, page.Rows); err != nil {
			return nil, err
		}
		if err := tell(p.out.RawEvents); err != nil {
			return nil, err
		}
		if page.Next == "" {
			break
		}
		f.After = page.Next
	}
	return p.result(ctx)
}

// withRules gives the configuration with other rules for one connection.
func (c *Config) withRules(id string, rules *mapping.Ruleset, source []byte) *Config {
	then := *c
	then.Connections = maps.Clone(c.Connections)
	if old := c.Connections[id]; old != nil {
		then.Connections[id] = &Conn{Connection: old.Connection, Vendor: old.Vendor, Push: old.Push, Settings: old.Settings, Rules: rules, RulesSource: source}
	}
	return &then
}

func (p *rulesPreviewer) page(ctx context.Context, rows []store.InboxRow) error {
	was := make(map[int64]store.InboxRow, len(rows))
	ids := make([]int64, 0, len(rows))
	for _, r := range rows {
		if r.Status != "pending" {
			was[r.ID] = r
			ids = append(ids, r.ID)
		}
	}
	whole, err := p.a.Registry.o.Store.RowsByID(ctx, ids)
	if err != nil {
		return err
	}
	stored, err := p.a.Registry.o.Store.EventsOfRows(ctx, ids)
	if err != nil {
		return err
	}
	for i := range whole {
		row := &whole[i]
		before := was[row.ID]
		if before.Outcome.Reason == store.ReasonEcho {
			continue // the ledger decided, which is not asked twice
		}
		p.out.RawEvents++
		m := mapRow(p.then, row, p.at)
		to := store.StatusName(m.outcome.Status)
		if m.hold != 0 {
			to, m.events = "pending", nil
		}
		p.diffs.outcome(before.Status, to)
		if !sameEvents(stored[row.ID], m.events) {
			p.out.Differ++
			p.diffs.compare(row.ID, stored[row.ID], m.events)
			p.effect.note(row.ID, stored[row.ID], m.events)
		}
	}
	return nil
}

func (p *rulesPreviewer) result(ctx context.Context) (*RulesPreview, error) {
	p.out.Events, p.out.Outcomes = p.diffs.list()
	var err error
	if p.out.Effect, err = p.effect.result(ctx); err != nil {
		return nil, err
	}
	p.out.ReplayRate, err = measuredRate(ctx, p.a.Registry.o.Store, WorkReplay)
	p.out.Took = time.Since(p.started)
	return &p.out, err
}
