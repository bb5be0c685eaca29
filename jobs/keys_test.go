package jobs_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

var (
	keyOne = secret.New("0123456789abcdef-one")
	keyTwo = secret.New("0123456789abcdef-two")
)

// replica is one process of an installation, as far as its credentials go.
type replica struct {
	*jobs.Admin
	keys   *jobs.Keys
	opened map[string]string // the token that each connection was opened with
}

// newReplica starts a process with some keys; the error is that of its check.
func newReplica(t *testing.T, s *store.Store, keys ...secret.Text) (*replica, error) {
	t.Helper()
	vault, err := secret.NewVault(keys[0], keys[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{keys: &jobs.Keys{Store: s, Vault: vault, Notes: []string{"applied "}}, opened: map[string]string{}}
	if err := r.keys.Check(t.Context()); err != nil {
		return nil, err
	}
	d := &connectors.Descriptor{ID: "sink", Name: "Sink", Rules: []byte(labRules), Secrets: []connectors.FieldSpec{{Name: "token"}}, Settings: []connectors.FieldSpec{{Name: "size"}}}
	classic, _ := plans.Source("classic")
	registry, err := jobs.NewRegistry(t.Context(), jobs.RegistryOptions{
		Store: s, Vault: vault, Instance: "keys", PublicURL: "https://bridge.example.com", DefaultPlan: classic,
		Catalog: []connectors.Vendor{{Descriptor: d, Open: func(cfg connectors.Config) (connectors.Connector, error) {
			r.opened[cfg.ID] = cfg.Secret("token").Reveal()
			return deskSink{deskConn{d}}, nil
		}}},
		Parse: func(file string, src []byte) (*lifecycle.Plan, error) {
			return lifecycle.ParsePlan(file, src, plans.Vocabulary())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Admin = &jobs.Admin{Registry: registry}
	return r, nil
}

func (r *replica) connect(ctx context.Context, id, token string) error {
	_, err := r.Create(ctx, jobs.ConnectionInput{ID: id, Connector: "sink", Secrets: secrets("token", token)})
	return err
}

// TestKeysRotate goes through a change of key with two processes side by side,
// and through what may go wrong in it.
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		start := func(keys ...secret.Text) *replica {
			t.Helper()
			r, err := newReplica(t, s, keys...)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		old := start(keyOne)
		for i := range 3 {
			if err := old.connect(ctx, fmt.Sprint("crm-", i), fmt.Sprint("token-", i)); err != nil {
				t.Fatal(err)
			}
		}
		note, err := old.keys.Vault.Seal([]byte("remembered"), "applied x")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SetNote(ctx, "applied x", base64.StdEncoding.EncodeToString(note)); err != nil {
			t.Fatal(err)
		}
		// The first replica is started with the new key; nothing is sealed with it
		// yet, so that the other one reads what this one writes.
		next := start(keyTwo, keyOne)
		if err := next.connect(ctx, "made-between", "token-b"); err != nil {
			t.Fatal(err)
		}
		if err := old.Registry.Refresh(ctx); err != nil || old.opened["made-between"] != "token-b" {
			t.Errorf("the old replica opened it with %q, %v", old.opened["made-between"], err)
		}
		n, err := next.keys.Rotate(ctx, 0)
		if err != nil || n != 6 { // with the key of what was erased
			t.Fatalf("%d values sealed anew, %v", n, err)
		}
		if n, err := next.keys.Rotate(ctx, 0); err != nil || n != 0 {
			t.Errorf("once more: %d, %v", n, err)
		}
		state, err := next.keys.State(ctx)
		if err != nil || state.Sealing != state.Newest || len(state.Values) != 1 || state.Values[state.Newest] != 6 {
			t.Errorf("state %+v, %v", state, err)
		}
		// A process that was forgotten goes on with what it has opened, and changes
		// nothing that it cannot read.
		if err := old.Registry.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
		c, err := old.Registry.Find(ctx, "crm-1")
		if err != nil || c.Err != nil || c.Open == nil || old.opened["crm-1"] != "token-1" {
			t.Errorf("the forgotten process has %+v, %v", c.Err, err)
		}
		if _, err := old.Update(ctx, jobs.ConnectionInput{ID: "crm-1", Connector: "sink", Settings: map[string]string{"size": "2"}}); err == nil {
			t.Error("a change went through that would have lost the credentials")
		}
		alone := start(keyTwo)
		if alone.opened["crm-2"] != "token-2" || alone.opened["made-between"] != "token-b" {
			t.Errorf("with the new key alone: %v", alone.opened)
		}
		if plain, err := s.Note(ctx, "applied x"); err != nil || plain == base64.StdEncoding.EncodeToString(note) {
			t.Errorf("the note was left: %v", err)
		}
		log, err := s.AuditLog(ctx, store.AuditFilter{Action: "secrets.rotate", Limit: 5})
		if err != nil || len(log) != 1 || !strings.Contains(log[0].After, state.Newest) {
			t.Errorf("audit log %+v, %v", log, err)
		}
		// What the forgotten process still makes is found, told of at the next start
		// and sealed by the next run.
		if err := old.connect(ctx, "late", "token-l"); err != nil {
			t.Fatal(err)
		}
		var missing *jobs.KeyError
		if _, err := newReplica(t, s, keyTwo); !errors.As(err, &missing) || len(missing.Names) != 1 || missing.Names[0] != "connection:late" || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("a start without the key of one connection: %v", err)
		}
		if n, err := start(keyTwo, keyOne).keys.Rotate(ctx, 0); err != nil || n != 1 {
			t.Errorf("the last value: %d, %v", n, err)
		}
		if start(keyTwo).opened["late"] != "token-l" {
			t.Error("the last value is not what it was")
		}
	})
}

// TestWrongKeyChangesNothing: neither a start nor a rotation with keys that do
// not fit writes anything.
func TestWrongKeyChangesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		right, err := newReplica(t, s, keyOne)
		if err != nil {
			t.Fatal(err)
		}
		if err := right.connect(ctx, "crm", "token"); err != nil {
			t.Fatal(err)
		}
		stored := func() string {
			rows, err := s.Connections(ctx)
			if err != nil {
				t.Fatal(err)
			}
			notes, err := s.Notes(ctx, "")
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(rows, notes)
		}
		before := stored()
		var refused *jobs.KeyError
		if _, err := newReplica(t, s, keyTwo); !errors.As(err, &refused) || !errors.Is(err, secret.ErrKey) || strings.Contains(err.Error(), keyTwo.Reveal()) {
			t.Errorf("a start with another key: %v", err)
		}
		vault, err := secret.NewVault(keyTwo)
		if err != nil {
			t.Fatal(err)
		}
		other := &jobs.Keys{Store: s, Vault: vault}
		if _, err := other.Rotate(ctx, 0); !errors.As(err, &refused) {
			t.Errorf("a rotation from another key: %v", err)
		}
		if after := stored(); after != before {
			t.Errorf("stored was\n%s\nand is\n%s", before, after)
		}
		// Whoever lost the key can begin again, on purpose.
		if n, err := other.Forget(ctx); err != nil || n != 2 { // with the key of what was erased
			t.Fatalf("forgotten %d, %v", n, err)
		}
		again, err := newReplica(t, s, keyTwo)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Update(ctx, jobs.ConnectionInput{ID: "crm", Connector: "sink", Secrets: secrets("token", "entered again")}); err != nil || again.opened["crm"] != "entered again" {
			t.Errorf("entered again: %v, %v", again.opened, err)
		}
	})
}
