package web

import (
	"context"
	"time"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// connectionWork is long work about a connection, as its page shows it.
type connectionWork struct {
	Title string
	Row   workRow
}

// workLookedAt is how many of the newest records of a kind are looked through
// for those of a connection, and workShown how long one that is over is shown.
const (
	workLookedAt = 50
	workShown    = 24 * time.Hour
)

// worksOf gives the newest resync and the newest pull of a connection, while
// they are live and for a day behind.
func (w *Web) worksOf(ctx context.Context, id string) ([]connectionWork, error) {
	var all []connectionWork
	for _, kind := range []struct{ name, title string }{{jobs.WorkResync, "Everybody is brought here"}, {jobs.WorkPull, "Taking over who is there"}} {
		newest, err := w.store.Works(ctx, store.WorkFilter{Kind: kind.name, Limit: workLookedAt})
		if err != nil {
			return nil, err
		}
		for i := range newest {
			one := &newest[i]
			if one.Subject != id {
				continue
			}
			if one.State.Live() || w.now().Sub(one.Finished.Time()) < workShown {
				all = append(all, connectionWork{kind.title, w.workRow(one)})
			}
			break
		}
	}
	return all, nil
}
