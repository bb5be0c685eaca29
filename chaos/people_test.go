//go:build !race

package chaos_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/catalog"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// person is somebody as the store holds them.
type person struct {
	row     *store.Person
	profile *lifecycle.Profile
}

// everybody reads all live people of the stopped program.
func everybody(t *testing.T, s *services, p *program) []person {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{URL: s.postgres, Dir: p.data})
	if err != nil {
		t.Fatal(err)
	}
	people := peopleOf(t, st)
	if err := st.Close(); err != nil {
		t.Error(err)
	}
	return people
}

func peopleOf(t *testing.T, s *store.Store) []person {
	t.Helper()
	var all []person
	for after := ""; ; {
		page, err := s.People(t.Context(), store.PeopleFilter{After: after, Limit: store.MaxPage})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.People {
			profile, err := lifecycle.DecodeProfile(row.State)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, person{row, profile})
		}
		if after = page.Next; after == "" {
			return all
		}
	}
}

// undisturbed processes the same events in one quiet run in this process and
// compares everything that the order of arrival must not change.
func undisturbed(t *testing.T, story []event, got []person) {
	t.Helper()
	s := storetest.SQLite(t)
	vault, err := secret.NewVault(secret.New("0123456789abcdef0123"))
	if err != nil {
		t.Fatal(err)
	}
	classic, _ := plans.Source(plans.Default)
	if _, err := s.PublishPlan(t.Context(), 0, store.Versioned{Source: string(classic)}); err != nil {
		t.Fatal(err)
	}
	registry, err := jobs.NewRegistry(t.Context(), jobs.RegistryOptions{
		Store: s, Vault: vault, Catalog: catalog.All(), PublicURL: "http://127.0.0.1", Instance: "undisturbed",
		Parse: func(file string, source []byte) (*lifecycle.Plan, error) {
			return lifecycle.ParsePlan(file, source, plans.Vocabulary())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	admin := &jobs.Admin{Registry: registry}
	conn, err := admin.Create(t.Context(), jobs.ConnectionInput{ID: "app", Connector: "generic-webhook", Secrets: map[string]secret.Text{"signing_secret": secret.New(signingSecret)}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range story {
		now := time.Now()
		receipt, err := conn.Open.(connectors.Source).Receive(&connectors.Request{Method: http.MethodPost, Header: sign(&story[i], now), Body: story[i].body, Received: now})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Append("app", lifecycle.At(now), jobs.Keep(receipt.Events, jobs.Origin{})); err != nil {
			t.Fatal(err)
		}
	}
	p := &jobs.Processor{Store: s, Registry: registry, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := describe(peopleOf(t, s))
	have := describe(got)
	t.Logf("%d people, %d of them in contested sets", len(want), strings.Count(strings.Join(want, "\n"), "contested true"))
	if slices.Equal(want, have) {
		return
	}
	diff := cmp.Diff(want, have)
	t.Errorf("people differ from an undisturbed run (-undisturbed +got):\n%s", diff[:min(len(diff), 6000)])
}

// describe tells of each person what the order of arrival must not change.
func describe(people []person) []string {
	all := make([]string, len(people))
	for i, p := range people {
		var b strings.Builder
		f := p.profile
		fmt.Fprintf(&b, "%v: %s since %d path %s seen %d-%d from %s traits %v segments %v contested %v facts", p.row.Keys, f.Stage, f.Since, f.Path,
			f.FirstSeen, f.LastSeen, f.Source, f.Values(), f.Segments, p.row.Contested != 0)
		for fact := range f.Facts() {
			fmt.Fprintf(&b, " %s=%d/%d/%d/%v/%v", fact.Name, fact.Count, fact.First, fact.Last, fact.Sums, fact.Newest)
		}
		for v := range f.Visits() {
			fmt.Fprintf(&b, " %v", v)
		}
		if p.row.Stage != f.Stage || p.row.Since != f.Since {
			fmt.Fprintf(&b, " COLUMNS DIFFER: %s since %d", p.row.Stage, p.row.Since)
		}
		all[i] = b.String()
	}
	slices.Sort(all)
	return all
}
