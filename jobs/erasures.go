package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// OpenErasure opens a request to erase a person, which somebody has to confirm.
// Where one of the person is live already, that is the answer, and fresh is
// false. The error is store.ErrNotFound for nobody.
func (a *Admin) OpenErasure(ctx context.Context, id lifecycle.ProfileID, reason, author string) (e *store.Erasure, fresh bool, err error) {
	p, err := a.Registry.o.Store.Person(ctx, id)
	if err != nil {
		return nil, false, err
	}
	e = &store.Erasure{Person: p.ID, State: store.ErasureOpen, Author: author, Reason: reason}
	err = a.Registry.o.Store.Durable(ctx, func(t *store.Tx) error {
		if err := t.OpenErasureTx(ctx, e); err != nil {
			return err
		}
		return t.Audit(ctx, "erasure.open", fmt.Sprint("erasure:", e.ID), nil, map[string]any{"person": e.Person})
	})
	if errors.Is(err, store.ErrExists) {
		e, err = a.Registry.o.Store.LiveErasure(ctx, p.ID)
		return e, false, err
	}
	return e, err == nil, err
}

// ConfirmErasure has an open request carried out, as long work whose record it
// answers: all that is known of the person up to now goes. The error is
// store.ErrStale when it is not open.
func (a *Admin) ConfirmErasure(ctx context.Context, id int64, author string) (store.Work, error) {
	err := a.Registry.o.Store.DecideErasure(ctx, id, store.ErasureConfirmed, author, lifecycle.At(a.Registry.o.Now()))
	if err != nil {
		return store.Work{}, err
	}
	return startErasing(ctx, a.Works, author)
}

// RejectErasure ends an open request; nothing is erased.
func (a *Admin) RejectErasure(ctx context.Context, id int64, author string) error {
	return a.Registry.o.Store.DecideErasure(ctx, id, store.ErasureRejected, author, lifecycle.At(a.Registry.o.Now()))
}

// RetryErasure asks the vendors again that refused an erasure or could not be
// reached, and answers their connections.
func (a *Admin) RetryErasure(ctx context.Context, id int64) ([]string, error) {
	if _, err := a.Registry.o.Store.Erasure(ctx, id); err != nil {
		return nil, err
	}
	return a.Registry.o.Store.RetryCertificates(ctx, id)
}

// SettingErasures is the setting of a connection that says whether its
// requests for erasure wait for a person.
const (
	SettingErasures    = connectors.SettingErasures
	erasuresAutomatic  = "automatic"
	automaticErasureBy = "automatic, by the setting of connection "
)

// openErasures opens a request for everybody of whom the batch told that they
// asked to be erased. What only says that a record is gone opens none.
func (p *Processor) openErasures(ctx context.Context, t *store.Tx, w *work) error {
	for _, person := range w.people {
		for _, e := range person.fresh {
			if e.Name != eventErasure || person.gone || person.known[e.ID] {
				continue
			}
			r := &store.Erasure{Person: person.id, State: store.ErasureOpen, Connection: e.Connection, Event: e.ID, Inbox: e.Inbox,
				Author: "connection " + e.Connection, Reason: "the person asked for it there"}
			if w.cfg.Connections[e.Connection].erasesByItself() {
				r.State, r.DecidedBy, r.Decided = store.ErasureConfirmed, automaticErasureBy+e.Connection, max(w.now, e.At)
			}
			if err := t.OpenErasureTx(ctx, r); err != nil && !errors.Is(err, store.ErrExists) {
				return err
			}
		}
	}
	return nil
}

// erasesByItself reports a connection whose requests need no person's word: it
// is set so, and its requests are proved by a secret.
func (c *Conn) erasesByItself() bool {
	return c != nil && c.Settings[SettingErasures] == erasuresAutomatic && len(c.Connection.Secrets) > 0
}

// WorkErase is the kind of long work that carries erasures out.
const WorkErase = "erase"

func startErasing(ctx context.Context, works *Works, author string) (store.Work, error) {
	if works == nil {
		return store.Work{}, errors.New("jobs: erase: long work is not done here")
	}
	one, _, err := works.Start(ctx, WorkErase, "", struct{}{}, author, "")
	return one, err
}

// erasing has confirmed requests carried out, and vendors asked that are due.
func (p *Pipeline) erasing(ctx context.Context) error {
	due, err := p.o.Store.CertificatesDue(ctx)
	if err != nil {
		return err
	}
	p.askToErase(due)
	if err := p.o.Store.ForgetCertificates(ctx, lifecycle.At(p.o.Now().Add(-certificateKept))); err != nil {
		return err
	}
	if p.o.Works == nil {
		return nil
	}
	some, err := p.o.Store.ErasuresDue(ctx)
	if err != nil || !some {
		return err
	}
	_, err = startErasing(ctx, p.o.Works, "stagebridge")
	return err
}

// askToErase has the lanes of connections ask their vendors.
func (p *Pipeline) askToErase(connections []string) {
	for _, c := range connections {
		p.asking.Store(c, true)
		p.DuePush(c)
	}
}

// eraseAt asks a connection's vendor, where somebody is due there. Whether that
// is so is in memory, so that a push costs no more for it.
func (p *Pipeline) eraseAt(ctx context.Context, connection string) error {
	if _, due := p.asking.LoadAndDelete(connection); !due {
		return nil
	}
	return p.pusher.Erase(ctx, connection)
}
