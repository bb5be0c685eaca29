package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// desk is an Admin on an empty store, with an invented vendor that shows what
// it was opened with.
type desk struct {
	*jobs.Admin
	store  *store.Store
	opened connectors.Config
	woken  []string
}

// deskConn can be pushed to, or not, and nothing else.
type deskConn struct{ d *connectors.Descriptor }

func (c deskConn) Descriptor() *connectors.Descriptor { return c.d }

type deskSink struct{ deskConn }

func (deskSink) Limits() connectors.Limits {
	return connectors.Limits{Batch: 1, Concurrency: 1, Takes: connectors.TakesState}
}
func (deskSink) Push(context.Context, []connectors.Update) ([]connectors.Result, error) {
	return nil, errors.New("nothing is pushed here")
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{store: storetest.SQLite(t)}
	vault, err := secret.NewVault(secret.New("0123456789abcdef0123"))
	if err != nil {
		t.Fatal(err)
	}
	sink := &connectors.Descriptor{
		ID: "sink", Name: "Sink", Rules: []byte(labRules),
		Secrets:  []connectors.FieldSpec{{Name: "token", Required: "destination"}, {Name: "signing", Help: "x"}},
		Settings: []connectors.FieldSpec{{Name: "base_url", Default: "https://api.example.com"}, {Name: "size"}},
	}
	source := &connectors.Descriptor{ID: "tap", Name: "Tap", Rules: []byte(labRules)}
	classic, _ := plans.Source("classic")
	registry, err := jobs.NewRegistry(t.Context(), jobs.RegistryOptions{
		Store: d.store, Vault: vault, Instance: "desk", PublicURL: "https://bridge.example.com", DefaultPlan: classic,
		Catalog: []connectors.Vendor{
			{Descriptor: sink, Open: func(cfg connectors.Config) (connectors.Connector, error) {
				d.opened = cfg
				return deskSink{deskConn{sink}}, nil
			}},
			{Descriptor: source, Open: func(connectors.Config) (connectors.Connector, error) { return deskConn{source}, nil }},
		},
		Parse: func(file string, src []byte) (*lifecycle.Plan, error) {
			return lifecycle.ParsePlan(file, src, plans.Vocabulary())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Admin = &jobs.Admin{Registry: registry, Wake: func(id string) { d.woken = append(d.woken, id) }}
	return d
}

func secrets(pairs ...string) map[string]secret.Text {
	m := map[string]secret.Text{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = secret.New(pairs[i+1])
	}
	return m
}

// held reads what the connector was opened with: current first.
func (d *desk) held(name string) []string {
	var plain []string
	for _, s := range d.opened.Secrets[name] {
		plain = append(plain, s.Reveal())
	}
	return plain
}

func TestAdminRotatesSecrets(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	in := jobs.ConnectionInput{ID: "crm", Connector: "sink", Secrets: secrets("token", "one", "signing", "s")}
	if _, err := d.Create(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		in   jobs.ConnectionInput
		want []string
	}{
		{"not named", jobs.ConnectionInput{Settings: map[string]string{"size": "2"}}, []string{"one"}},
		{"as shown", jobs.ConnectionInput{Secrets: secrets("token", secret.Redacted)}, []string{"one"}},
		{"the same again", jobs.ConnectionInput{Secrets: secrets("token", "one")}, []string{"one"}},
		{"a new one", jobs.ConnectionInput{Secrets: secrets("token", "two")}, []string{"two", "one"}},
		{"the new one again", jobs.ConnectionInput{Secrets: secrets("token", "two")}, []string{"two", "one"}},
		{"the next", jobs.ConnectionInput{Secrets: secrets("token", "three")}, []string{"three", "two"}},
		{"back to the one before", jobs.ConnectionInput{Secrets: secrets("token", "two")}, []string{"two", "three"}},
		{"the end of the rotation", jobs.ConnectionInput{ForgetPrevious: true}, []string{"two"}},
		{"taken away", jobs.ConnectionInput{Secrets: secrets("token", "")}, nil},
	} {
		c.in.ID = "crm"
		conn, err := d.Update(t.Context(), c.in)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, d.held("token")); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if strings.Contains(string(conn.Secrets), "two") {
			t.Errorf("%s: a secret is kept in the clear", c.name)
		}
		if !slices.Equal(d.held("signing"), []string{"s"}) {
			t.Errorf("%s: another secret changed: %v", c.name, d.held("signing"))
		}
	}
}

// TestAdminDropsSecretsWithTheHost: whoever may change where a connection
// calls must not thereby get its credentials.
func TestAdminDropsSecretsWithTheHost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, to string
		push     bool
		secrets  map[string]secret.Text
		wrong    bool
		want     []string
	}{
		{name: "another path", to: "https://api.example.com/v2", want: []string{"one"}},
		{name: "the same, spelt otherwise", to: "HTTPS://API.example.com", want: []string{"one"}},
		{name: "another host", to: "https://evil.example.com"},
		{name: "another port", to: "https://api.example.com:8443"},
		{name: "another scheme", to: "http://api.example.com"},
		{name: "no address at all", to: "evil"},
		{name: "another host, new secrets", to: "https://eu.example.com", secrets: secrets("token", "two"), want: []string{"two"}},
		{name: "another host, the secrets as shown", to: "https://eu.example.com", secrets: secrets("token", secret.Redacted)},
		{name: "another host, a secret is needed", to: "https://eu.example.com", push: true, wrong: true},
		{name: "another host, the needed one comes along", to: "https://eu.example.com", push: true, secrets: secrets("token", "two"), want: []string{"two"}},
	} {
		d := newDesk(t)
		push := &connectors.PushConfig{Enabled: c.push}
		if _, err := d.Create(t.Context(), jobs.ConnectionInput{ID: "crm", Connector: "sink", Secrets: secrets("token", "one", "signing", "s"), Push: push}); err != nil {
			t.Fatal(err)
		}
		_, err := d.Update(t.Context(), jobs.ConnectionInput{ID: "crm", Settings: map[string]string{"base_url": c.to}, Secrets: c.secrets})
		var wrong *jobs.Invalid
		if errors.As(err, &wrong) != c.wrong || err != nil && !c.wrong {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.wrong {
			if conn := d.Registry.Config().Connections["crm"]; conn.Version != 1 {
				t.Errorf("%s: was saved all the same", c.name)
			}
			continue
		}
		if diff := cmp.Diff(c.want, d.held("token")); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestAdminCollectsMistakes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	rules := "rules:\n  - { name: a }\n  - { nam: b }\n"
	for _, c := range []struct {
		name   string
		in     jobs.ConnectionInput
		fields []string
	}{
		{"id and connector", jobs.ConnectionInput{ID: "A_b", Connector: "none"}, []string{"id", "connector"}},
		{"no connector", jobs.ConnectionInput{ID: "crm"}, []string{"connector"}},
		{"settings, secrets and push", jobs.ConnectionInput{ID: "crm", Connector: "sink", Settings: map[string]string{"color": "x"}, Secrets: secrets("key", "x"),
			Push: &connectors.PushConfig{Enabled: true, Segments: "some", Unmapped: "drop"}}, []string{"token", "color", "key", "push.unmapped", "push.segments"}},
		{"push where nothing is taken", jobs.ConnectionInput{ID: "crm", Connector: "tap", Push: &connectors.PushConfig{Enabled: true}}, []string{"push.enabled"}},
	} {
		_, err := d.Create(t.Context(), c.in)
		var wrong *jobs.Invalid
		if !errors.As(err, &wrong) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var fields []string
		for _, m := range wrong.Mistakes {
			var s *connectors.SettingError
			if errors.As(m, &s) {
				fields = append(fields, s.Field)
			}
		}
		if diff := cmp.Diff(c.fields, fields); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	_, err := d.Create(t.Context(), jobs.ConnectionInput{ID: "crm", Connector: "sink", Rules: &rules})
	if err == nil || !strings.Contains(err.Error(), "rules/crm.yaml:2") || !strings.Contains(err.Error(), "rules/crm.yaml:3") {
		t.Errorf("rules: %v", err)
	}
	if ids := d.Registry.IDs(); len(ids) != 0 {
		t.Errorf("something was saved: %v", ids)
	}
}

// TestAdminResyncsWhatThePushBlockChanges: people known before a connection
// pushes are brought there too.
func TestAdminResyncsWhatThePushBlockChanges(t *testing.T) {
	t.Parallel()
	l := newLab(t, storetest.SQLite(t))
	l.connect("crm", connectors.PushConfig{})
	l.tell("crm", told{"signup", l.now, `{"email":"ann@example.com"}`}, told{"signup", l.now, `{"email":"bob@example.com"}`})
	l.process()
	a := &jobs.Admin{Registry: l.registry}
	due := func() int64 {
		t.Helper()
		counts, err := l.store.SyncCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return counts["crm"][store.SyncPending]
	}
	update := func(in jobs.ConnectionInput) {
		t.Helper()
		in.ID = "crm"
		if _, err := a.Update(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	if n := due(); n != 0 {
		t.Errorf("%d due before anything is pushed", n)
	}
	update(jobs.ConnectionInput{Push: &connectors.PushConfig{Enabled: true}})
	if n := due(); n != 2 {
		t.Errorf("%d due after pushing was switched on, want 2", n)
	}
	versions := func() (all []int64) {
		t.Helper()
		page, err := l.store.SyncList(t.Context(), store.SyncFilter{Connections: []string{"crm"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range page.Rows {
			all = append(all, x.Version)
		}
		return all
	}
	before := versions()
	update(jobs.ConnectionInput{Push: &connectors.PushConfig{Enabled: true}})
	if diff := cmp.Diff(before, versions()); diff != "" {
		t.Errorf("an unchanged push block makes people due: %s", diff)
	}
	update(jobs.ConnectionInput{Push: &connectors.PushConfig{Enabled: true, Segments: "none"}})
	if cmp.Equal(before, versions()) {
		t.Error("another selection of segments makes nobody due")
	}
}

func TestAdminPausesAndDeletes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if _, err := d.Create(t.Context(), jobs.ConnectionInput{ID: "crm", Connector: "sink"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Create(t.Context(), jobs.ConnectionInput{ID: "crm", Connector: "sink"}); !errors.Is(err, store.ErrExists) {
		t.Errorf("twice: %v", err)
	}
	if c, err := d.Pause(t.Context(), "crm", true); err != nil || !c.Paused {
		t.Errorf("pause: %v", err)
	}
	if c, err := d.Pause(t.Context(), "crm", false); err != nil || c.Paused || !slices.Contains(d.woken, "crm") {
		t.Errorf("resume: %v, woken %v", err, d.woken)
	}
	if _, err := d.Update(t.Context(), jobs.ConnectionInput{ID: "crm", Version: 1}); !errors.Is(err, store.ErrStale) {
		t.Errorf("an old version: %v", err)
	}
	for _, act := range []func() error{
		func() error { _, err := d.Check(t.Context(), "crm"); return err },
		func() error { _, err := d.Register(t.Context(), "crm", nil, "x"); return err },
	} {
		if err := act(); !errors.Is(err, jobs.ErrCannot) {
			t.Errorf("what the connector cannot do: %v", err)
		}
	}
	if err := d.Delete(t.Context(), "crm"); err != nil {
		t.Error(err)
	}
	for _, act := range []func() error{
		func() error { return d.Delete(t.Context(), "crm") },
		func() error { _, err := d.Update(t.Context(), jobs.ConnectionInput{ID: "crm"}); return err },
		func() error { _, err := d.Resync(t.Context(), "crm"); return err },
		func() error { _, err := d.Rules(t.Context(), "crm"); return err },
	} {
		if err := act(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("after the deletion: %v", err)
		}
	}
}

func TestAdminPreviewsRules(t *testing.T) {
	t.Parallel()
	l := newLab(t, storetest.SQLite(t))
	l.connect("crm", connectors.PushConfig{})
	l.tell("crm", told{"signup", l.now, `{"email":"ann@example.com"}`}, told{"order", l.now, `{"email":"ann@example.com","order":"7","amount":"1"}`}, told{"other", l.now, `{}`})
	a := &jobs.Admin{Registry: l.registry}
	draft := strings.Replace(labRules, `type: order`, `type: invoice`, 1)
	all, err := a.PreviewRules(t.Context(), "crm", []byte(draft), 10)
	if err != nil || len(all) != 3 {
		t.Fatal(all, err)
	}
	for _, p := range all {
		want := p.Row.Type == "order"
		if p.Changed != want || want && (len(p.Now.Events) != 1 || p.Draft.Outcome.Status != store.Ignored) {
			b, _ := json.Marshal(p)
			t.Errorf("%s: %s", p.Row.Type, b)
		}
	}
	if got := l.registry.Config().Connections["crm"].RulesSource; string(got) != labRules {
		t.Error("a preview changed what is in force")
	}
	if _, err := a.PreviewRules(t.Context(), "crm", []byte("rules: 7"), 10); !errors.As(err, new(*jobs.Invalid)) {
		t.Errorf("a draft with mistakes: %v", err)
	}
}

// TestAdminRetriesTheRefused: whoever a vendor refused is due again once the
// connection's settings or credentials are others.
func TestAdminRetriesTheRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, storetest.SQLite(t))
	l.connect("crm", connectors.PushConfig{Enabled: true})
	l.vendor.fail = func([]connectors.Update) ([]connectors.Result, error) {
		return nil, &connectors.PushError{Reason: connectors.ReasonAuth, Status: 401, Act: "lab: push"}
	}
	l.tell("crm", told{"signup", l.now.Add(-time.Hour), `{"email":"ann@example.com"}`})
	l.process()
	pusher := &jobs.Pusher{Store: l.store, Registry: l.registry, Limiter: jobs.NewLimiter(nil), Breakers: &jobs.Breakers{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	_ = pusher.Send(t.Context(), "crm") // its failure is the case
	counts := func() map[string]int64 {
		t.Helper()
		all, err := l.store.SyncCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all["crm"]
	}
	if c := counts(); c[store.SyncFailed] != 1 {
		t.Fatalf("after a 401: %v", c)
	}
	admin := &jobs.Admin{Registry: l.registry}
	if _, err := admin.Update(t.Context(), jobs.ConnectionInput{ID: "crm", Settings: map[string]string{"public_url": "https://example.com/hooks"}}); err != nil {
		t.Fatal(err)
	}
	if c := counts(); c[store.SyncFailed] != 0 || c[store.SyncPending] != 1 {
		t.Errorf("after the settings changed: %v", c)
	}
}
