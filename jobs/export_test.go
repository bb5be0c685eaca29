package jobs

import (
	"context"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// DecideAs puts decisions that were made elsewhere through what Split and Join
// go through, with the ids and times that they have: so that a test can have
// them arrive at another moment.
func (a *Admin) DecideAs(ctx context.Context, events []lifecycle.Event) error {
	return a.decideIdentity(ctx, func(context.Context, *store.Tx, lifecycle.Event) ([]*lifecycle.Event, error) {
		all := make([]*lifecycle.Event, len(events))
		for i := range events {
			e := events[i]
			all[i] = &e
		}
		return all, nil
	}, nil)
}
