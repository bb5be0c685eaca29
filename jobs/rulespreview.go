package jobs

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

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
	// Filter of raw events; its connection and page are ignored.
	Filter store.InboxFilter `json:"filter"`
}

// RulesPreview is what replaying raw events under draft rules would do.
type RulesPreview struct {
	// RawEvents that were mapped, and how many of them would give something
	// else than they gave. Those whose bytes retention emptied, and those that
	// were never processed, are not looked at.
	RawEvents int64 `json:"raw_events"`
	Differ    int64 `json:"differ"`
	// Events by name, sorted.
	Events []EventDifference `json:"events"`
	// Outcomes of raw events that would be others, greatest first.
	Outcomes []OutcomeFlow `json:"outcomes"`
	Effect   RulesEffect   `json:"effect"`
}

// EventDifference counts canonical events of one name.
type EventDifference struct {
	Name    string `json:"name"`
	Added   int64  `json:"added"`
	Removed int64  `json:"removed"`
	Changed int64  `json:"changed"`
	// Samples are some of them, the newest first.
	Samples []EventSample `json:"samples"`
}

// EventSample is one canonical event before and after; one of the two is nil
// where it is added or removed.
type EventSample struct {
	RawEvent int64      `json:"raw_event"`
	Was      *EventText `json:"was"`
	Is       *EventText `json:"is"`
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

// OutcomeFlow counts raw events by what became of them and what would.
type OutcomeFlow struct {
	From      string `json:"from"`
	To        string `json:"to"`
	RawEvents int64  `json:"raw_events"`
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
		counters, err := a.Registry.o.Store.Counters(ctx)
		if err != nil {
			return nil, err
		}
		total := int64(0)
		for _, status := range []string{"done", "ignored", "quarantined", "failed"} {
			if args.Filter.Status == "" || args.Filter.Status == status {
				total += counters[args.Connection][status]
			}
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
	events    map[string]*EventDifference
	outcomes  map[[2]string]int64
	effect    *rulesEffect
}

func (a *Admin) previewAllRules(ctx context.Context, args RulesPreviewArgs, tell func(int64) error) (*RulesPreview, error) {
	draft, err := a.CheckRules(ctx, args.Connection, []byte(args.Rules))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrPermanent)
	}
	now := a.Registry.Config()
	then := now.withRules(args.Connection, draft, []byte(args.Rules))
	p := &rulesPreviewer{a: a, now: now, then: then, at: lifecycle.At(a.Registry.o.Now()), events: map[string]*EventDifference{}, outcomes: map[[2]string]int64{}}
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
		p.out.RawEvents++
		before := was[row.ID]
		if before.Outcome.Reason == "echo" {
			continue // the ledger decided, which is not asked twice
		}
		m := mapRow(p.then, row, p.at)
		to := store.StatusName(m.outcome.Status)
		if m.hold != 0 {
			to, m.events = "pending", nil
		}
		if from := before.Status; from != to {
			p.outcomes[[2]string{from, to}]++
		}
		if !sameEvents(stored[row.ID], m.events) {
			p.out.Differ++
			p.compare(row.ID, stored[row.ID], m.events)
			p.effect.note(row.ID, stored[row.ID], m.events)
		}
	}
	return nil
}

// compare counts the events of a row that differ.
func (p *rulesPreviewer) compare(row int64, stored []store.Stored, events []lifecycle.Event) {
	now := make(map[lifecycle.EventID]*lifecycle.Event, len(events))
	for i := range events {
		now[events[i].ID] = &events[i]
	}
	for i := range stored {
		was := &stored[i].Event
		is := now[was.ID]
		switch {
		case is != nil && is.Name == was.Name:
			delete(now, was.ID)
			if !store.SameEvent(was, is) {
				d := p.of(was.Name)
				d.Changed++
				d.sample(row, was, is)
			}
		default:
			d := p.of(was.Name)
			d.Removed++
			d.sample(row, was, nil)
		}
	}
	for i := range events {
		if is := now[events[i].ID]; is != nil {
			d := p.of(is.Name)
			d.Added++
			d.sample(row, nil, is)
		}
	}
}

func (p *rulesPreviewer) of(name lifecycle.EventName) *EventDifference {
	d := p.events[string(name)]
	if d == nil {
		d = &EventDifference{Name: string(name)}
		p.events[string(name)] = d
	}
	return d
}

func (d *EventDifference) sample(row int64, was, is *lifecycle.Event) {
	if len(d.Samples) < rulesPreviewSamples {
		d.Samples = append(d.Samples, EventSample{row, textOf(was), textOf(is)})
	}
}

func (p *rulesPreviewer) result(ctx context.Context) (*RulesPreview, error) {
	for _, name := range slices.Sorted(maps.Keys(p.events)) {
		p.out.Events = append(p.out.Events, *p.events[name])
	}
	for pair, n := range p.outcomes {
		p.out.Outcomes = append(p.out.Outcomes, OutcomeFlow{pair[0], pair[1], n})
	}
	slices.SortFunc(p.out.Outcomes, func(a, b OutcomeFlow) int {
		return cmp.Or(cmp.Compare(b.RawEvents, a.RawEvents), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	var err error
	p.out.Effect, err = p.effect.result(ctx)
	return &p.out, err
}
