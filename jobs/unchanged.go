package jobs

import (
	"context"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// unchanged takes from a batch the events of rows that were replayed and give
// what they gave before: such a row writes nothing but its outcome.
func (p *Processor) unchanged(ctx context.Context, t *store.Tx, w *work, rows []store.Row) error {
	if len(w.retract) == 0 {
		return nil
	}
	stored, err := t.EventsOfRowsTx(ctx, w.retract)
	if err != nil {
		return err
	}
	same := map[int64]bool{}
	for i := range rows {
		m := &w.rows[i]
		if rows[i].Replayed && m.hold == 0 && sameEvents(stored[rows[i].ID], m.events) {
			same[rows[i].ID] = true
			m.events = nil
		}
	}
	w.retract = slices.DeleteFunc(w.retract, func(id int64) bool { return same[id] })
	return nil
}

// sameEvents compares what a row gave with what it gives, in any order.
func sameEvents(stored []store.Stored, events []lifecycle.Event) bool {
	if len(stored) != len(events) {
		return false
	}
	byID := make(map[lifecycle.EventID]*lifecycle.Event, len(stored))
	for i := range stored {
		byID[stored[i].Event.ID] = &stored[i].Event
	}
	for i := range events {
		old := byID[events[i].ID]
		if old == nil || !store.SameEvent(old, &events[i]) {
			return false
		}
	}
	return true
}
