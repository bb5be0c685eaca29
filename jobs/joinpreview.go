package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// JoinPreview is what joining two people would do, found by doing it and
// taking it back.
type JoinPreview struct {
	// Survivor is who would be left, Absorbed who would become them.
	Survivor, Absorbed lifecycle.ProfileID
	Keys               []lifecycle.Key
	// Profile is the survivor's then; its Stage and Segments say where they would stand.
	Profile *lifecycle.Profile
	// Moved is how many events would become the survivor's.
	Moved int64
	// Reach lists, by connection, what vendors would be told.
	Reach []JoinReach
}

// JoinReach is what joining would mean at one connection.
type JoinReach struct {
	Connection string
	// Written: the survivor would be pushed there with everything.
	Written bool
	// Record is the vendor's id of the record written so far, if known; another
	// may be found by the keys.
	Record string
	// Left are the ids of records, written so far for the absorbed person, that
	// would be written no more and stay as they are.
	Left []string
}

// errPreviewed takes back a transaction that was made to see what it does.
var errPreviewed = errors.New("jobs: previewed")

// PreviewJoin says what Join would do. Nothing is kept of it; on SQLite nobody
// else writes meanwhile. Errors are those of Join.
func (a *Admin) PreviewJoin(ctx context.Context, id lifecycle.ProfileID, with lifecycle.Key) (*JoinPreview, error) {
	var out *JoinPreview
	var before map[lifecycle.ProfileID][]store.Sync
	var counts map[lifecycle.ProfileID]int64
	var both []lifecycle.ProfileID
	err := a.decideIdentity(ctx, func(ctx context.Context, t *store.Tx, e lifecycle.Event) ([]*lifecycle.Event, error) {
		events, people, err := a.joinEvents(ctx, t, e, id, with, "")
		if err != nil {
			return nil, err
		}
		both = people
		if before, err = t.SyncOfTx(ctx, both); err != nil {
			return nil, err
		}
		counts, err = t.CountEventsTx(ctx, both)
		return events, err
	}, func(ctx context.Context, t *store.Tx, w *work) error {
		out = &JoinPreview{Survivor: both[0], Absorbed: both[1], Moved: counts[both[1]]}
		rows, err := t.PeopleTx(ctx, both)
		if err != nil {
			return err
		}
		row := rows[out.Survivor]
		if row == nil || row.Merged != 0 {
			return fmt.Errorf("jobs: preview of a join: %d did not survive", out.Survivor)
		}
		out.Keys = parseKeys(row.Keys)
		if out.Profile, err = lifecycle.DecodeProfile(row.State); err != nil {
			return err
		}
		out.Reach = reach(w, before[out.Survivor], before[out.Absorbed])
		return errPreviewed
	})
	if err != nil && !errors.Is(err, errPreviewed) {
		return nil, err
	}
	return out, nil
}

// reach compares what connections were told of two people with whom they would
// be told of.
func reach(w *work, survivor, absorbed []store.Sync) []JoinReach {
	at := func(all []store.Sync, connection string) (record string) {
		if i := slices.IndexFunc(all, func(x store.Sync) bool { return x.Connection == connection }); i >= 0 {
			record = all[i].VendorID
		}
		return record
	}
	var all []JoinReach
	for _, c := range w.cfg.Pushing {
		one := JoinReach{Connection: c.ID, Written: slices.Contains(w.pushed, c.ID), Record: at(survivor, c.ID)}
		if left := at(absorbed, c.ID); left != "" && left != one.Record {
			one.Left = []string{left}
		}
		all = append(all, one)
	}
	return all
}
