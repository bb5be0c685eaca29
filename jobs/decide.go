package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// sameMoment is how close to the newest event a decision counts as made on
// top of it: two of one click must not change places by chance.
const sameMoment = 1000 // microseconds

// behind gives the time of a decision that was made knowing all there is.
func behind(row *store.Person, at lifecycle.Instant) (lifecycle.Instant, error) {
	prof, err := lifecycle.DecodeProfile(row.State)
	if err != nil {
		return 0, fmt.Errorf("jobs: profile %d: %w", row.ID, err)
	}
	if prof.NewestAt >= at && prof.NewestAt-at < sameMoment {
		return prof.NewestAt + 1, nil
	}
	return at, nil
}

// decideTries bounds how often a decision is made again because something
// changed at the same moment.
const decideTries = 20

// PinInput is a person's decision that somebody has a stage, whatever
// conditions and claims say.
type PinInput struct {
	Stage lifecycle.Stage
	// Lifecycle is the further lifecycle of the plan that Stage is of; empty: the
	// main one.
	Lifecycle string
	// Reason is shown wherever the stage is explained.
	Reason string
	// Until ends the pin; zero: until it is released.
	Until time.Time
	// Author is noted with the reason.
	Author string
}

// Pin sets a person to a stage. The decision is one of the person's events from
// then on: it survives replays, merges and new plans, and is followed by a push
// like any move. The error is *Invalid for a stage that the plan lacks or an end
// that is past, store.ErrNotFound for nobody.
func (a *Admin) Pin(ctx context.Context, id lifecycle.ProfileID, in PinInput) error {
	if err := a.Registry.Refresh(ctx); err != nil {
		return err
	}
	now := a.Registry.o.Now()
	var wrong Invalid
	plan := a.Registry.Config().PlanOf(id)
	if in.Lifecycle != "" && in.Lifecycle != lifecycle.MainLifecycle && !plan.HasLifecycle(in.Lifecycle) {
		wrong.add(&connectors.SettingError{Field: "lifecycle", Detail: fmt.Sprintf("the plan has no lifecycle %q", in.Lifecycle)})
	} else if !slices.Contains(plan.StageNamesOf(in.Lifecycle), in.Stage) {
		wrong.add(&connectors.SettingError{Field: "stage", Detail: fmt.Sprintf("the plan has no stage %q", in.Stage)})
	}
	if !in.Until.IsZero() && !in.Until.After(now) {
		wrong.add(&connectors.SettingError{Field: "until", Detail: "is past"})
	}
	if err := wrong.orNil(); err != nil {
		return err
	}
	return a.decide(ctx, id, func(e lifecycle.EventID, at lifecycle.Instant) lifecycle.Event {
		return lifecycle.PinEvent(e, at, in.Stage, signedReason(in.Reason, in.Author), lifecycle.At(in.Until)).About(in.Lifecycle)
	})
}

// Unpin releases the pin in a lifecycle, the main one for an empty id; without
// one nothing happens but a line in the timeline.
func (a *Admin) Unpin(ctx context.Context, id lifecycle.ProfileID, of, reason, author string) error {
	return a.decide(ctx, id, func(e lifecycle.EventID, at lifecycle.Instant) lifecycle.Event {
		return lifecycle.UnpinEvent(e, at, signedReason(reason, author)).About(of)
	})
}

func signedReason(reason, author string) string {
	switch {
	case author == "":
		return reason
	case reason == "":
		return "by " + author
	}
	return reason + " (by " + author + ")"
}

// decide adds a decision to a person's events and brings them up to date.
func (a *Admin) decide(ctx context.Context, id lifecycle.ProfileID, event func(lifecycle.EventID, lifecycle.Instant) lifecycle.Event) error {
	var eid lifecycle.EventID
	_, _ = rand.Read(eid[:]) // never fails
	e := event(eid, lifecycle.At(a.Registry.o.Now()))
	for range decideTries {
		err := a.decideOnce(ctx, id, e)
		if !errors.Is(err, store.ErrRetry) {
			return err
		}
		if err := a.Registry.Refresh(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("jobs: decide about person %d: %w", id, store.ErrAway)
}

func (a *Admin) decideOnce(ctx context.Context, id lifecycle.ProfileID, e lifecycle.Event) error {
	cfg := a.Registry.Config()
	var pushed map[string]bool
	err := a.Registry.o.Store.Durable(ctx, func(t *store.Tx) error {
		version, err := t.ConfigVersionTx(ctx)
		if err != nil {
			return err
		}
		if version != cfg.Version {
			return store.ErrRetry
		}
		rows, err := t.PeopleTx(ctx, []lifecycle.ProfileID{id})
		if err != nil {
			return err
		}
		row := rows[id]
		if row == nil || row.Merged != 0 || row.State == nil {
			return store.ErrNotFound
		}
		if e.At, err = behind(row, e.At); err != nil {
			return err
		}
		keys := parseKeys(row.Keys)
		// The strongest key holds the decision, so that it goes where the person
		// goes when sets of keys are parted or joined.
		if usable := cfg.Guards.Usable(keys); len(usable) > 0 {
			e.Identity = usable[:1]
		}
		p := &person{id: id, row: row, keys: keys, contested: row.Contested, fresh: []*lifecycle.Event{&e}}
		f := &effects{t: t, cfg: cfg, now: max(e.At, lifecycle.At(a.Registry.o.Now())), pushed: map[string]bool{}, people: []*person{p}}
		if err := f.run(ctx); err != nil {
			return err
		}
		pushed = f.pushed
		return auditDecisions(ctx, t, fmt.Sprint("person:", id), []*lifecycle.Event{&e})
	})
	if err != nil {
		return err
	}
	for id := range pushed {
		a.wake(id)
	}
	return nil
}
