package store

import (
	"context"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Standing is where a person stands in one of the lifecycles beside the main one.
type Standing struct {
	Person    lifecycle.ProfileID
	Lifecycle string
	Stage     lifecycle.Stage
	Since     lifecycle.Instant
}

// ChangeStandingsTx writes where people stand by now, and removes where they
// stand no more. No pair of person and lifecycle may be in both.
func (t *Tx) ChangeStandingsTx(ctx context.Context, now, gone []Standing) error {
	people, ids, stages, since := standingColumns(now)
	if _, err := t.insert(ctx, "standings", "on conflict (person, lifecycle) do update set stage = excluded.stage, since = excluded.since",
		ints("person", people), texts("lifecycle", ids), texts("stage", stages), ints("since", since)); err != nil {
		return err
	}
	people, ids, _, _ = standingColumns(gone)
	_, err := t.remove(ctx, "standings", ints("person", people), texts("lifecycle", ids))
	return err
}

func standingColumns(all []Standing) (people []int64, ids, stages []string, since []int64) {
	for _, s := range all {
		people, ids = append(people, int64(s.Person)), append(ids, s.Lifecycle)
		stages, since = append(stages, string(s.Stage)), append(since, int64(s.Since))
	}
	return people, ids, stages, since
}

// lifecycleColumn is the lifecycle of transitions; nil where all are of the
// main one, so that plans without others write what they always wrote.
func lifecycleColumn(all []Transition) []column {
	if !slices.ContainsFunc(all, func(x Transition) bool { return x.Lifecycle != "" }) {
		return nil
	}
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].Lifecycle
	}
	return []column{texts("lifecycle", ids)}
}
