package jobs

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/store"
)

// resyncNote begins the name of a note that a connection's people are to be
// made due. It stands until all are, whatever happens to the process.
const resyncNote = "resync "

// resync makes everybody due at a connection and takes the note away. It works
// in several transactions that wait for no disk; taking the note away does, and
// that makes those before it durable as well.
func (r *Registry) resync(ctx context.Context, id string) (int64, error) {
	n, err := r.o.Store.Resync(ctx, id)
	if err != nil {
		return n, err
	}
	if c := r.Config().Connections[id]; c != nil && c.AccountDestination() != nil {
		if _, err := r.o.Store.ResyncAccounts(ctx, id); err != nil {
			return n, err
		}
	}
	return n, r.o.Store.DropNote(ctx, resyncNote+id)
}

// Delivery is how far a connection's people are brought to what they should
// hold there.
type Delivery struct {
	People, Waiting int64
	// Adding: people are still being made due.
	Adding bool
}

// Delivery tells how far a connection is.
func (a *Admin) Delivery(ctx context.Context, id string) (Delivery, error) {
	s := a.Registry.o.Store
	counters, err := s.Counters(ctx)
	if err != nil {
		return Delivery{}, err
	}
	d := Delivery{People: counters[""]["people"]}
	if d.Waiting, err = s.SyncWaiting(ctx, id); err != nil {
		return d, err
	}
	_, err = s.Note(ctx, resyncNote+id)
	if d.Adding = err == nil; errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return d, err
}

// resyncAll ends what a process before this one began. Notes about connections
// that are gone, or push nowhere, go too.
func (p *Pipeline) resyncAll(ctx context.Context) error {
	notes, err := p.o.Store.Notes(ctx, resyncNote)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(notes)) {
		id := strings.TrimPrefix(name, resyncNote)
		if c := p.o.Registry.Config().Connections[id]; c == nil || !c.Push.Enabled {
			errs = append(errs, p.o.Store.DropNote(ctx, name))
			continue
		}
		n, err := p.o.Registry.resync(ctx, id)
		if err == nil {
			_, err = p.o.Works.follows(ctx, id, n, "stagebridge")
		}
		errs = append(errs, err)
		p.DuePush(id)
	}
	return errors.Join(errs...)
}
