package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/store"
)

// ErrCannot is the answer when a connector lacks the capability asked for.
var ErrCannot = errors.New("this connector cannot do that")

// Check asks the vendor whether the credentials work. It answers with the
// connector's sentence. Errors: ErrCannot, *Invalid when the connection cannot
// be opened, *connectors.PushError.
func (a *Admin) Check(ctx context.Context, id string) (string, error) {
	c, err := a.opened(ctx, id)
	if err != nil {
		return "", err
	}
	checker, ok := c.Open.(connectors.Checker)
	if !ok {
		return "", fmt.Errorf("jobs: check %s: %w", id, ErrCannot)
	}
	return checker.Check(ctx)
}

// Register makes the vendor call the connection, for the given event types or,
// with none, for those of the default rules. Secrets that the vendor gives out
// are stored. Errors as those of Check.
func (a *Admin) Register(ctx context.Context, id string, types []string, author string) (*connectors.Registration, error) {
	c, err := a.opened(ctx, id)
	if err != nil {
		return nil, err
	}
	registrar, ok := c.Open.(connectors.Registrar)
	if !ok {
		return nil, fmt.Errorf("jobs: register %s: %w", id, ErrCannot)
	}
	made, err := registrar.Register(ctx, types)
	if err != nil {
		return nil, err
	}
	if len(made.Secrets) > 0 {
		// The vendor tells them once: they are kept even if the caller has gone.
		_, err = a.Update(context.WithoutCancel(ctx), ConnectionInput{ID: id, Secrets: made.Secrets, Author: author})
	}
	return made, err
}

// Resync makes everybody due at a connection with nothing taken as known
// there. It answers how many people that are; work of the kind WorkResync tells
// how far they are, and cancels it.
func (a *Admin) Resync(ctx context.Context, id string) (int64, error) {
	if _, err := a.Registry.Find(ctx, id); err != nil {
		return 0, err
	}
	if err := a.Registry.o.Store.SetNote(ctx, resyncNote+id, "asked"); err != nil {
		return 0, err
	}
	n, err := a.Registry.resync(ctx, id)
	a.wake(id)
	if err == nil {
		_, err = a.Works.follows(ctx, id, n, store.AuthorOf(ctx).Name)
	}
	return n, errors.Join(err, a.Registry.o.Store.NoteAudit(ctx, "sync.all", "connection:"+id, nil, map[string]int64{"people": n}))
}

// RetrySync makes people due again whose delivery failed, was skipped or could
// not be confirmed; with dryRun it only counts them. A filter without
// connections means all.
func (a *Admin) RetrySync(ctx context.Context, f store.SyncFilter, dryRun bool) (int64, error) {
	switch f.State {
	case "":
		f.State = store.SyncFailed
	case store.SyncFailed, store.SyncSkipped, store.SyncUnconfirmed:
	default:
		return 0, &Invalid{[]error{&connectors.SettingError{Field: "state", Detail: "want failed, skipped or unconfirmed"}}}
	}
	if len(f.Connections) == 0 {
		f.Connections = a.Registry.IDs()
	}
	n, err := a.Registry.o.Store.RetrySync(ctx, f, dryRun)
	if !dryRun && n > 0 {
		for _, id := range f.Connections {
			a.wake(id)
		}
		err = errors.Join(err, a.Registry.o.Store.NoteAudit(ctx, "sync.retry", "sync", nil, map[string]any{"connections": f.Connections, "state": f.State, "people": n}))
	}
	return n, err
}

// opened gives a connection whose connector is open.
func (a *Admin) opened(ctx context.Context, id string) (*Conn, error) {
	c, err := a.fresh(ctx, id)
	if err != nil {
		return nil, err
	}
	if c.Open == nil {
		var wrong Invalid
		wrong.add(c.Err)
		return nil, &wrong
	}
	return c, nil
}
