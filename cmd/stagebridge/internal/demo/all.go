package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/catalog"
	"github.com/stagebridge/stagebridge/connectors/standin"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// openAll starts a stand-in of every further vendor that takes pushes: those of
// the story are there, with people and webhooks that belong to it.
func (w *World) openAll() error {
	w.others = map[string]standin.Simulated{}
	all := catalog.StandIns()
	delete(all, "hubspot")
	delete(all, "mailchimp")
	for _, vendor := range catalog.All() {
		sim := all[vendor.Descriptor.ID]
		if sim == nil {
			continue
		}
		can, err := connectors.CapabilitiesOf(vendor)
		if err != nil {
			return err
		}
		if !can.Destination {
			continue
		}
		connection := vendor.Descriptor.ID + "-demo"
		w.others[connection] = sim
		if err := w.start(connection, vendor.Descriptor.Name, sim); err != nil {
			return err
		}
	}
	return nil
}

// connectAll makes their connections.
func (w *World) connectAll(ctx context.Context, admin *jobs.Admin) error {
	for _, connection := range slices.Sorted(maps.Keys(w.others)) {
		settings, secrets := w.others[connection].Connection(w.urls[connection])
		in := jobs.ConnectionInput{
			ID: connection, Connector: connection[:len(connection)-len("-demo")], Settings: settings, Secrets: map[string]secret.Text{}, Author: "demo",
			Push: &connectors.PushConfig{Enabled: true, Create: true, Since: lifecycle.At(time.Now().AddDate(-1, 0, 0))},
		}
		for name, value := range secrets {
			in.Secrets[name] = secret.New(value)
		}
		if _, err := admin.Create(ctx, in); err != nil {
			return fmt.Errorf("demo: connect %s: %w", in.ID, err)
		}
	}
	return nil
}

// Received is what the stand-in of one vendor got.
type Received struct {
	Connection string
	Writes     int
	// Held are the people of whom it holds something.
	Held int
	// Sync counts people by the state that the bridge knows.
	Sync map[string]int64
}

// Others gathers what the further vendors got, by connection, and holds it
// against the story: each got writes, none has anybody refused, and whoever is
// held by e-mail address is in the stage that the story ends with.
func (w *World) Others(ctx context.Context, s *store.Store) ([]Received, error) {
	sync, err := s.SyncCounts(ctx)
	if err != nil {
		return nil, err
	}
	want := map[string]string{}
	for _, p := range Cast() {
		want[p.Email] = p.Stage
	}
	var all []Received
	var wrong []error
	for _, connection := range slices.Sorted(maps.Keys(w.others)) {
		sim := w.others[connection]
		r := Received{Connection: connection, Writes: sim.Writes(), Sync: sync[connection]}
		for _, h := range sim.Held() {
			if h.Stage == "" && len(h.Segments) == 0 {
				continue
			}
			r.Held++
			if stage, known := want[h.Person]; known && h.Stage != "" && h.Stage != stage {
				wrong = append(wrong, fmt.Errorf("%s holds %s for %s, want %s", w.Label(connection), h.Stage, h.Person, stage))
			}
		}
		if r.Writes == 0 {
			wrong = append(wrong, fmt.Errorf("%s got nothing", w.Label(connection)))
		}
		all = append(all, r)
	}
	return all, errors.Join(wrong...)
}
