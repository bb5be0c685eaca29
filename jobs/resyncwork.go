package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/store"
)

// WorkResync is the kind of long work that brings everybody to a connection:
// its lane sends them, the work tells how far it is, and canceling it leaves
// out whoever was not sent yet.
const WorkResync = "resync"

// resyncLook is how often the work looks how many are left.
const resyncLook = 2 * time.Second

// Resynced is what a resync came to.
type Resynced struct {
	// People who were due; each was sent once, or is tried again by its own time.
	People int64 `json:"people"`
}

// resyncArgs are what the work is started with.
type resyncArgs struct {
	People int64 `json:"people"`
}

// ResyncKind is the long work of bringing everybody to a connection; its
// subject is the connection. It is at it for a moment at a time, since the lane
// does the sending: a vendor that takes a day holds nobody else up.
func ResyncKind(s *store.Store, r *Registry) WorkKind {
	return WorkKind{
		Name: WorkResync, Unit: "people",
		Run: func(ctx context.Context, t *Task) (any, error) { return resyncing(ctx, s, r, t) },
		Canceled: func(ctx context.Context, t *Task) error {
			_, err := s.StopBehind(ctx, t.Record().Subject)
			return err
		},
	}
}

func resyncing(ctx context.Context, s *store.Store, r *Registry, t *Task) (any, error) {
	var args resyncArgs
	if err := t.Args(&args); err != nil {
		return nil, err
	}
	one := t.Record()
	c, err := r.Find(ctx, one.Subject)
	if errors.Is(err, store.ErrNotFound) || err == nil && !c.Push.Enabled {
		return nil, fmt.Errorf("jobs: resync %s: the connection pushes nothing any more: %w", one.Subject, ErrPermanent)
	}
	if err != nil {
		return nil, err
	}
	left, err := s.SyncDue(ctx, one.Subject, one.Created) // and nobody who moved since
	if err != nil {
		return nil, err
	}
	total := max(args.People, one.Total, left)
	if err := t.At(total-left, total, nil); err != nil {
		return nil, err
	}
	if left == 0 {
		return Resynced{total}, nil
	}
	if took := s.Now().Sub(one.Created.Time()).Seconds(); took > 0 {
		t.pace(float64(total-left) / took)
	}
	return nil, &later{resyncLook}
}

// follows starts the work that tells how far a resync of so many people is.
func (w *Works) follows(ctx context.Context, connection string, people int64, author string) (store.Work, error) {
	if w == nil || w.Unit(WorkResync) == "" || people == 0 {
		return store.Work{}, nil
	}
	one, _, err := w.Start(ctx, WorkResync, connection, resyncArgs{people}, author, "")
	return one, err
}
