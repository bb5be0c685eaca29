// Package demo is a small world to see the bridge at work in: simulated
// vendors on this machine, and a story of people who visit, subscribe, buy,
// come back and leave. Nothing in it reaches a real vendor.
package demo

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/connectors/mailchimp/mailchimpsim"
	"github.com/stagebridge/stagebridge/connectors/standin"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// Ids of the connections.
const (
	HubSpot    = "hubspot-demo"
	Newsletter = "newsletter-demo"
	// Shop sends what the product itself knows; it receives nothing.
	Shop = "shop-demo"
	// Warehouse gets every move.
	Warehouse = "warehouse-demo"
)

// World is the simulated vendors, each at an address of its own.
type World struct {
	HubSpot   *hubspotsim.Sim
	Mailchimp *mailchimpsim.Sim
	Sink      *standin.Sink

	// others are the stand-ins of further vendors by connection, see openAll.
	others  map[string]standin.Simulated
	servers []*standin.Server
	labels  map[string]string
	urls    map[string]string
	keys    map[string]secret.Text
	client  *http.Client
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

// Open starts the vendors of the story, and with all those of every connector.
func Open(all bool) (*World, error) {
	w := &World{labels: map[string]string{}, urls: map[string]string{}, keys: map[string]secret.Text{}, cancel: func() {}}
	for _, id := range []string{Shop, Warehouse} {
		w.keys[id] = signingKey()
	}
	for _, id := range []string{"hubspot client", "hubspot token", "hubspot developer", "mailchimp"} {
		w.keys[id] = secret.New(rand.Text())
	}
	w.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	w.HubSpot = hubspotsim.New(hubspotsim.Options{
		ClientSecret: w.keys["hubspot client"], Token: w.keys["hubspot token"], DeveloperKey: w.keys["hubspot developer"],
	})
	w.Mailchimp = mailchimpsim.New(mailchimpsim.Options{Key: w.keys["mailchimp"].Reveal(), Probe: true})
	var err error
	if w.Sink, err = standin.NewSink(standin.SinkOptions{Secrets: []secret.Text{w.keys[Warehouse]}}); err != nil {
		return nil, err
	}
	err = errors.Join(
		w.start(HubSpot, "HubSpot", w.HubSpot.Handler()),
		w.start(Newsletter, "Mailchimp", w.Mailchimp.Handler()),
		w.start(Warehouse, "Receiver", w.Sink),
	)
	if all {
		err = errors.Join(err, w.openAll())
	}
	return w, err
}

func signingKey() secret.Text {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	return secret.New("whsec_" + base64.StdEncoding.EncodeToString(raw[:]))
}

func (w *World) start(id, name string, h http.Handler) error {
	s, err := standin.Start(standin.Options{Name: name, Handler: h})
	if err != nil {
		return err
	}
	w.servers = append(w.servers, s)
	w.urls[id], w.labels[id] = s.URL(), s.Label()
	return nil
}

// Run lets the vendors send what happens at them, until Close.
func (w *World) Run(ctx context.Context) {
	ctx, w.cancel = context.WithCancel(ctx)
	w.wg.Go(func() { w.HubSpot.Run(ctx) })
	w.wg.Go(func() { w.Mailchimp.Run(ctx) })
}

// Close ends them.
func (w *World) Close() error {
	w.cancel()
	w.HubSpot.Close()
	w.Mailchimp.Close()
	w.wg.Wait()
	w.client.CloseIdleConnections()
	var errs []error
	for _, s := range w.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// Label names a connection's other side, and says that it is simulated.
func (w *World) Label(connection string) string {
	if l := w.labels[connection]; l != "" {
		return l
	}
	return "Shop (simulated)"
}

// Connect makes the connections and lets each vendor that can be told by API
// where to send its webhooks be told so.
func (w *World) Connect(ctx context.Context, admin *jobs.Admin) error {
	for _, in := range []jobs.ConnectionInput{{
		ID: HubSpot, Connector: "hubspot",
		Settings: map[string]string{"base_url": w.urls[HubSpot], "app_id": fmt.Sprint(hubspotsim.DefaultAppID)},
		Secrets: map[string]secret.Text{
			"client_secret": w.keys["hubspot client"], "access_token": w.keys["hubspot token"], "developer_api_key": w.keys["hubspot developer"],
		},
		Push: &connectors.PushConfig{Enabled: true, Create: true},
	}, {
		ID: Newsletter, Connector: "mailchimp",
		Settings: map[string]string{"base_url": w.urls[Newsletter], "audience_id": "a1b2c3d4e5"},
		Secrets:  map[string]secret.Text{"api_key": w.keys["mailchimp"]},
		Push:     &connectors.PushConfig{Enabled: true, Create: true, Traits: map[string]string{"COMPANY": "company"}},
	}, {
		ID: Warehouse, Connector: "generic-webhook",
		Settings: map[string]string{"url": w.urls[Warehouse] + "/lifecycle"},
		Secrets:  map[string]secret.Text{"signing_secret": w.keys[Warehouse]},
		// The story goes back some months, so its moves do too.
		Push: &connectors.PushConfig{Enabled: true, Since: lifecycle.At(time.Now().AddDate(-1, 0, 0))},
	}, {
		ID: Shop, Connector: "generic-webhook",
		Secrets: map[string]secret.Text{"signing_secret": w.keys[Shop]},
		Push:    &connectors.PushConfig{},
	}} {
		in.Author = "demo"
		if _, err := admin.Create(ctx, in); err != nil {
			return fmt.Errorf("demo: connect %s: %w", in.ID, err)
		}
	}
	for _, id := range []string{HubSpot, Newsletter} {
		if _, err := admin.Register(ctx, id, nil, "demo"); err != nil {
			return fmt.Errorf("demo: register %s: %w", id, err)
		}
	}
	return w.connectAll(ctx, admin)
}

// do sends a request and wants a 2xx.
func (w *World) do(r *http.Request) error {
	res, err := w.client.Do(r)
	if err != nil {
		return fmt.Errorf("demo: send: %w", err)
	}
	defer res.Body.Close()
	words, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err != nil {
		return fmt.Errorf("demo: send: %w", err)
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("demo: the bridge answered with %s: %s", res.Status, words)
	}
	return nil
}
