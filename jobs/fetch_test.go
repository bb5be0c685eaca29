package jobs_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// polled is a vendor that has to be asked: it holds people by number and gives
// up to three of them a page, with the last of the page before once more.
type polled struct {
	mu      sync.Mutex
	people  int
	fail    error
	cursors []string
}

func (v *polled) Descriptor() *connectors.Descriptor { return polledDescriptor }
func (v *polled) Interval() time.Duration            { return time.Minute }

func (v *polled) Fetch(_ context.Context, cursor string) (*connectors.Fetched, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cursors = append(v.cursors, cursor)
	if v.fail != nil {
		return nil, v.fail
	}
	from, _ := strconv.Atoi(cursor)
	to := min(from+3, v.people)
	page := &connectors.Fetched{Cursor: strconv.Itoa(to), More: to < v.people}
	for n := max(from-1, 0); n < to; n++ {
		page.Events = append(page.Events, connectors.RawEvent{
			Type: "signup", Dedupe: sha256.Sum256([]byte{byte(n)}), Body: fmt.Appendf(nil, `{"email":"p%d@example.com"}`, n),
		})
	}
	return page, nil
}

var polledDescriptor = &connectors.Descriptor{ID: "polled", Name: "Polled", Rules: []byte(labRules)}

func newPolled(t *testing.T, s *store.Store) (*polled, func(now time.Time) *jobs.Fetcher) {
	t.Helper()
	vendor := &polled{}
	vault, err := secret.NewVault(secret.New("0123456789abcdef0123"))
	if err != nil {
		t.Fatal(err)
	}
	classic, _ := plans.Source("classic")
	registry, err := jobs.NewRegistry(t.Context(), jobs.RegistryOptions{
		Store: s, Vault: vault, Instance: "lab", PublicURL: "http://lab.example.com", DefaultPlan: classic,
		Catalog: []connectors.Vendor{{Descriptor: polledDescriptor, Open: func(connectors.Config) (connectors.Connector, error) { return vendor, nil }}},
		Parse: func(file string, src []byte) (*lifecycle.Plan, error) {
			return lifecycle.ParsePlan(file, src, plans.Vocabulary())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SaveConnection(t.Context(), store.Connection{ID: "p", Connector: "polled", Settings: "{}", Push: "{}"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := registry.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return vendor, func(now time.Time) *jobs.Fetcher {
		return &jobs.Fetcher{Store: s, Registry: registry, Breakers: &jobs.Breakers{}, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	}
}

// TestFetchKeepsEachOnce reads page after page, fails in between, and goes on
// where the last kept page ended, in another process.
func TestFetchKeepsEachOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		vendor, fetcher := newPolled(t, s)
		now := time.Now()
		read := func(want int) {
			t.Helper()
			stats, err := s.InboxStats(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := int64(0)
			if x := stats["p"]; x != nil {
				got = x.Pending
			}
			if got != int64(want) {
				t.Errorf("the inbox holds %d, want %d", got, want)
			}
		}
		vendor.people = 7
		if err := fetcher(now).Fetch(t.Context(), "p"); err != nil {
			t.Fatal(err)
		}
		read(7)
		// The turn of this minute is taken, whichever process asks.
		vendor.people = 9
		if err := fetcher(now).Fetch(t.Context(), "p"); err != nil {
			t.Fatal(err)
		}
		read(7)
		if err := s.DropNote(t.Context(), "turn fetch p"); err != nil { // a minute later
			t.Fatal(err)
		}
		vendor.fail = &connectors.PushError{Reason: connectors.ReasonServer, Retryable: true}
		if err := fetcher(now).Fetch(t.Context(), "p"); err == nil {
			t.Error("the vendor's failure is not told")
		}
		vendor.fail = nil
		if err := s.DropNote(t.Context(), "turn fetch p"); err != nil {
			t.Fatal(err)
		}
		if err := fetcher(now).Fetch(t.Context(), "p"); err != nil {
			t.Fatal(err)
		}
		read(9)
		if last := vendor.cursors[len(vendor.cursors)-1]; last != "7" {
			t.Errorf("went on from %q, want 7", last)
		}
		if cursor, err := s.Cursor(t.Context(), "p"); err != nil || cursor != "9" {
			t.Errorf("cursor %q, %v", cursor, err)
		}
	})
}

// TestFetchStaleCursorKeepsNothing: a page that was fetched with a cursor that
// somebody has moved meanwhile is not kept.
func TestFetchStaleCursorKeepsNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		at, event := lifecycle.At(time.Now()), []store.NewEvent{{Type: "signup", Dedupe: [32]byte{1}, Body: []byte("{}")}}
		if _, err := s.AppendFetched("p", at, event, store.Cursor{Next: "1"}); err != nil {
			t.Fatal(err)
		}
		for _, was := range []string{"", "0", "2"} {
			stale := []store.NewEvent{{Type: "signup", Dedupe: [32]byte{2}, Body: []byte("{}")}}
			if _, err := s.AppendFetched("p", at, stale, store.Cursor{Was: was, Next: "3"}); err == nil {
				t.Errorf("a page from %q was kept", was)
			}
		}
		if _, err := s.AppendFetched("p", at, nil, store.Cursor{Was: "1", Next: "2"}); err != nil {
			t.Errorf("an empty page: %v", err)
		}
		if cursor, err := s.Cursor(t.Context(), "p"); err != nil || cursor != "2" {
			t.Errorf("cursor %q, %v", cursor, err)
		}
	})
}

func TestFetchDueOncePerInterval(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		_, fetcher := newPolled(t, s)
		now := time.Unix(1_795_000_000, 0)
		f := fetcher(now)
		f.Now = func() time.Time { return now }
		due := func() int { return len(f.Due(f.Registry.Config())) }
		for step, want := range []int{1, 0, 0, 1, 0} {
			if got := due(); got != want {
				t.Errorf("step %d: %d due, want %d", step, got, want)
			}
			now = now.Add(20 * time.Second)
		}
	})
}
