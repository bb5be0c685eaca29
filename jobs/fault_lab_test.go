package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/genericwebhook"
	"github.com/stagebridge/stagebridge/connectors/hubspot"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// Credentials that must show up nowhere.
const (
	outSecret   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	outToken    = "a-token-nobody-may-see"
	vendorSpeak = "the vendor's own words"
)

// faults is a lab whose vendors are the real connectors, pushing to servers of
// the test; "crm" is the invented source.
type faults struct {
	*lab
	admin  *jobs.Admin
	pusher *jobs.Pusher
	moves  int
}

// requestTimeout of these tests; a silent vendor costs one.
const requestTimeout = 400 * time.Millisecond

func newFaults(t *testing.T, s *store.Store) *faults {
	t.Helper()
	f := &faults{lab: newLab(t, s)}
	vault, err := secret.NewVault(secret.New("0123456789abcdef0123"))
	if err != nil {
		t.Fatal(err)
	}
	classic, _ := plans.Source("classic")
	f.registry, err = jobs.NewRegistry(t.Context(), jobs.RegistryOptions{
		Store: s, Vault: vault, Instance: "lab", PublicURL: "http://lab.example.com", DefaultPlan: classic,
		HTTP: connectors.NewClient(connectors.ClientOptions{Timeout: requestTimeout, AllowPrivate: true}),
		Catalog: []connectors.Vendor{genericwebhook.Vendor(), hubspot.Vendor(),
			{Descriptor: labDescriptor, Open: func(connectors.Config) (connectors.Connector, error) { return f.vendor, nil }}},
		Parse: func(file string, src []byte) (*lifecycle.Plan, error) {
			return lifecycle.ParsePlan(file, src, plans.Vocabulary())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.now = time.Now()
	f.processor.Registry = f.registry
	f.admin = &jobs.Admin{Registry: f.registry}
	f.pusher = &jobs.Pusher{Store: s, Registry: f.registry, Limiter: jobs.NewLimiter(nil), Breakers: &jobs.Breakers{}, Request: requestTimeout,
		Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	f.connect("crm", connectors.PushConfig{})
	return f
}

// destination makes a connection that pushes.
func (f *faults) destination(id, connector string, settings, secrets map[string]string) {
	f.t.Helper()
	in := jobs.ConnectionInput{ID: id, Connector: connector, Settings: settings, Secrets: map[string]secret.Text{}, Push: &connectors.PushConfig{Enabled: true, Create: true}}
	for name, value := range secrets {
		in.Secrets[name] = secret.New(value)
	}
	if _, err := f.admin.Create(f.t.Context(), in); err != nil {
		f.t.Fatal(err)
	}
}

// move lets people do what changes their stage, each time further.
func (f *faults) move(people ...string) {
	f.t.Helper()
	kinds := []string{"signup", "demo", "order", "praise"}
	var all []told
	for _, p := range people {
		all = append(all, told{kinds[f.moves%4], f.now.Add(-time.Hour + time.Duration(f.moves)*time.Minute), fmt.Sprintf(`{"email":%q,"order":"1","amount":"5","score":70}`, p)})
	}
	f.moves++
	f.tell("crm", all...)
	f.process()
}

// push sends what is due and gives what the queue would be told.
func (f *faults) push(id string) error {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
	defer cancel()
	err := f.pusher.Send(ctx, id)
	if err != nil && (strings.Contains(err.Error(), outToken) || strings.Contains(err.Error(), outSecret)) {
		f.t.Errorf("a secret is in the error: %v", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		f.t.Errorf("the push does not end: %v", err)
	}
	return err
}

// due makes a person due at once, as the passing of time does.
func (f *faults) due(id, email string) {
	f.t.Helper()
	p, _ := f.person("email:" + email)
	if err := f.store.Derived(f.t.Context(), func(t *store.Tx) error {
		return t.WantPushTx(f.t.Context(), []string{id}, []lifecycle.ProfileID{p.ID}, 2)
	}); err != nil {
		f.t.Fatal(err)
	}
}

// state gives what is known of a person at a connection.
func (f *faults) state(id, email string) store.Sync {
	f.t.Helper()
	p, _ := f.person("email:" + email)
	all, err := f.store.SyncOf(f.t.Context(), []lifecycle.ProfileID{p.ID})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, x := range all[p.ID] {
		if x.Connection == id {
			if strings.Contains(x.Message, outToken) || strings.Contains(x.Message, outSecret) {
				f.t.Errorf("a secret is kept: %s", x.Message)
			}
			return x
		}
	}
	f.t.Fatalf("%s is not known at %s", email, id)
	return store.Sync{}
}
