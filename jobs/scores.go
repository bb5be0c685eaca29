package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/clv"
	"github.com/stagebridge/stagebridge/reports/live"
	"github.com/stagebridge/stagebridge/store"
)

// WorkScores is the kind of long work that computes what customers are worth
// and writes it down as their traits.
const WorkScores = "scores"

// The traits that are computed.
const (
	TraitCLV    = "clv"     // a number, in units of the currency of Scored
	TraitPAlive = "p_alive" // a number from 0 to 1
	TraitRFM    = "rfm"     // three digits as a text
)

func scoreTraits() []string { return []string{TraitCLV, TraitPAlive, TraitRFM} }

const (
	// scoreSpan is how often scores are computed by themselves.
	scoreSpan = 24 * time.Hour
	// scoreBatch is how many people one transaction looks at.
	scoreBatch = 500
)

// scoreArgs are what the work is started with.
type scoreArgs struct {
	// Traits are those to write for everybody; whoever has another of the traits
	// keeps it up to date.
	Traits []string `json:"traits"`
}

// Scored is the result of computing scores.
type Scored struct {
	Currency string `json:"currency"`
	// Customers is how many have scores, Changed how many were given other ones.
	Customers int64 `json:"customers"`
	Changed   int64 `json:"changed"`
	// Notes say why something is unknown: too few customers for a model, say.
	Notes []string `json:"notes"`
}

// ScoresKind is the kind WorkScores. It computes by the reports clv and rfm,
// over 52 weeks and in the currency with the most purchases, and writes an event
// for each customer whose scores changed. Done again, it changes nothing twice.
func ScoresKind(s *store.Store, r *Registry, now func() time.Time) WorkKind {
	return WorkKind{Name: WorkScores, Unit: "people", Run: func(ctx context.Context, t *Task) (any, error) {
		w := &scorer{store: s, registry: r, now: now, task: t}
		if err := t.Args(&w.args); err != nil {
			return nil, err
		}
		return w.run(ctx)
	}}
}

// StartScores adds the work of computing the scores of everybody, unless it is
// live already.
func (w *Works) StartScores(ctx context.Context, author string) (store.Work, error) {
	one, _, err := w.Start(ctx, WorkScores, "", scoreArgs{scoreTraits()}, author, "")
	return one, err
}

// scoreDaily starts the work once a day where somebody reads a score: a
// condition of the plan, or a vendor. Else a day's events for every customer
// would serve nobody.
func (p *Pipeline) scoreDaily(ctx context.Context) error {
	if p.o.Works == nil {
		return nil
	}
	read := scoresRead(p.o.Registry.Config())
	if len(read) == 0 {
		return nil
	}
	last, err := p.o.Store.LastPerson(ctx)
	if err != nil || last == 0 || int64(last) < clv.MinRepeaters && !slices.Contains(read, TraitRFM) {
		return err // too few for what is read
	}
	if due, err := p.o.Store.Turn(ctx, "scores", scoreSpan); err != nil || !due {
		return err
	}
	// Of another subject than what somebody asks for, who means all of them.
	_, _, err = p.o.Works.Start(ctx, WorkScores, strings.Join(read, ", "), scoreArgs{read}, "stagebridge", "")
	return err
}

// scoresRead gives the scores that conditions read or vendors are sent.
func scoresRead(cfg *Config) []string {
	return slices.DeleteFunc(scoreTraits(), func(name string) bool {
		for _, plan := range cfg.plans() {
			if slices.Contains(plan.ReadsTraits(), name) {
				return false
			}
		}
		for _, c := range cfg.Connections {
			for _, ours := range c.Push.Traits {
				if c.Push.Enabled && ours == name {
					return false
				}
			}
		}
		return true
	})
}

// scorer is one run of the work.
type scorer struct {
	store    *store.Store
	registry *Registry
	now      func() time.Time
	task     *Task
	args     scoreArgs
}

func (w *scorer) run(ctx context.Context) (any, error) {
	k := keeper(w.store, w.registry, w.now)
	if err := k.Build(ctx, nil); err != nil {
		return nil, err
	}
	if err := foldAll(ctx, w.store, k, w.task); err != nil {
		return nil, err
	}
	// What happens now is in it.
	cfg := w.registry.Config()
	o := live.Options{Now: lifecycle.At(w.now()).Add(time.Microsecond), PlanOf: cfg.PlanOf, Zone: cfg.Plan.Zone()}
	scores, err := live.NewScores(ctx, w.store, o)
	if err != nil {
		return nil, err
	}
	out := Scored{Currency: scores.Currency, Customers: int64(len(scores.People)), Notes: append([]string{}, scores.Notes...)}
	done := int64(0)
	for some := range slices.Chunk(scores.People, scoreBatch) {
		changed, err := w.write(ctx, some)
		if err != nil {
			return nil, err
		}
		done, out.Changed = done+int64(len(some)), out.Changed+changed
		if err := w.task.At(done, out.Customers, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// write gives some people their scores, where they differ from those they have.
func (w *scorer) write(ctx context.Context, some []live.Score) (changed int64, err error) {
	for range decideTries {
		if changed, err = w.writeOnce(ctx, some); !errors.Is(err, store.ErrRetry) {
			return changed, err
		}
		if err := w.registry.Refresh(ctx); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("jobs: scores: %w", store.ErrAway)
}

func (w *scorer) writeOnce(ctx context.Context, some []live.Score) (changed int64, err error) {
	cfg, now := w.registry.Config(), lifecycle.At(w.now())
	byID, ids := map[lifecycle.ProfileID]*live.Score{}, make([]lifecycle.ProfileID, len(some))
	for i := range some {
		ids[i], byID[some[i].Person] = some[i].Person, &some[i]
	}
	err = w.store.Durable(ctx, func(t *store.Tx) error {
		version, err := t.ConfigVersionTx(ctx)
		if err != nil {
			return err
		}
		if version != cfg.Version {
			return store.ErrRetry
		}
		rows, err := t.PeopleTx(ctx, ids)
		if err != nil {
			return err
		}
		f := &effects{t: t, cfg: cfg, now: now, pushed: map[string]bool{}}
		for id, row := range rows {
			p, err := w.person(cfg, row, byID[id], now)
			if err != nil {
				return err
			}
			if p != nil {
				f.people = append(f.people, p)
				f.now = max(f.now, p.fresh[0].At)
			}
		}
		changed = int64(len(f.people))
		if changed == 0 {
			return nil
		}
		slices.SortFunc(f.people, func(a, b *person) int { return int(a.id - b.id) })
		return f.run(ctx)
	})
	return changed, err
}

// person gives somebody with the event that changes their scores; nil where
// nothing changes, or who was merged since they were summed up.
func (w *scorer) person(cfg *Config, row *store.Person, s *live.Score, now lifecycle.Instant) (*person, error) {
	if row.Merged != 0 || row.State == nil || s == nil {
		return nil, nil
	}
	prof, err := lifecycle.DecodeProfile(row.State)
	if err != nil {
		return nil, fmt.Errorf("jobs: profile %d: %w", row.ID, err)
	}
	traits := w.changes(prof, s)
	if len(traits) == 0 {
		return nil, nil
	}
	var id lifecycle.EventID
	_, _ = rand.Read(id[:]) // never fails
	at := now
	if prof.NewestAt >= at && prof.NewestAt-at < sameMoment {
		at = prof.NewestAt + 1
	}
	e := lifecycle.ScoreEvent(id, at, traits)
	keys := parseKeys(row.Keys)
	// The strongest key holds it, as it does a decision: see decideOnce.
	if usable := cfg.Guards.Usable(keys); len(usable) > 0 {
		e.Identity = usable[:1]
	}
	return &person{id: row.ID, row: row, keys: keys, contested: row.Contested, fresh: []*lifecycle.Event{&e}}, nil
}

// changes gives the traits that are others now.
func (w *scorer) changes(prof *lifecycle.Profile, s *live.Score) []lifecycle.Trait {
	var traits []lifecycle.Trait
	now := map[string]any{TraitRFM: s.RFM}
	if s.Value.Known {
		now[TraitCLV] = s.Value.Value
	}
	if s.PAlive.Known {
		now[TraitPAlive] = s.PAlive.Value
	}
	for _, name := range scoreTraits() {
		have := prof.Trait(name)
		if have == nil && !slices.Contains(w.args.Traits, name) || sameValue(have, now[name]) {
			continue
		}
		traits = append(traits, lifecycle.Trait{Name: name, Value: now[name]})
	}
	return traits
}
