package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

func TestUsersAndSessions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		if _, err := s.User(ctx, "admin"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("no user yet: %v", err)
		}
		u := store.User{Name: "admin", Password: "hash", Role: "admin"}
		if err := s.AddUser(ctx, u); err != nil {
			t.Fatal(err)
		}
		if err := s.AddUser(ctx, u); !errors.Is(err, store.ErrExists) {
			t.Errorf("twice: %v", err)
		}
		hash := []byte(strings.Repeat("h", 32))
		if err := s.StartSession(ctx, hash, "admin", 0); err != nil {
			t.Fatal(err)
		}
		before, err := s.Session(ctx, hash)
		if err != nil || before.Name != "admin" || before.Seen == 0 {
			t.Errorf("session: %+v, %v", before, err)
		}
		if err := s.SeeSession(ctx, hash); err != nil {
			t.Fatal(err)
		}
		if err := s.StartSession(ctx, []byte("other"), "admin", before.Seen+1<<40); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Session(ctx, hash); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an expired session is dropped when another begins: %v", err)
		}
		if err := s.SetPassword(ctx, "admin", "new"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Session(ctx, []byte("other")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a new password ends the sessions: %v", err)
		}
		if u, err := s.User(ctx, "admin"); err != nil || u.Password != "new" {
			t.Errorf("user: %+v, %v", u, err)
		}
		from := store.WithAuthor(ctx, store.Author{Name: "admin", Address: "192.0.2.7", Agent: "browser"})
		if err := s.StartSession(from, []byte("first"), "admin", 0); err != nil {
			t.Fatal(err)
		}
		first, err := s.Session(ctx, []byte("first"))
		if err != nil || first.Address != "192.0.2.7" || first.Agent != "browser" || first.ID == "" {
			t.Errorf("session %+v, %v", first, err)
		}
		if turned, err := s.TurnSession(ctx, []byte("first"), []byte("second"), first.Seen+1<<40); err != nil || !turned {
			t.Errorf("turned %v, %v", turned, err)
		}
		if turned, err := s.TurnSession(ctx, []byte("first"), []byte("third"), first.Seen+1<<40); err != nil || turned {
			t.Errorf("turned twice: %v, %v", turned, err)
		}
		for _, token := range []string{"first", "second"} {
			if x, err := s.Session(ctx, []byte(token)); err != nil || x.ID != first.ID {
				t.Errorf("by the %s token: %+v, %v", token, x, err)
			}
		}
		if turned, err := s.TurnSession(ctx, []byte("second"), []byte("third"), 1); err != nil || !turned {
			t.Errorf("turned again %v, %v", turned, err)
		}
		for _, token := range []string{"first", "second"} {
			if _, err := s.Session(ctx, []byte(token)); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the %s token still opens: %v", token, err)
			}
		}
		if err := s.StartSession(from, []byte("beside"), "admin", 0); err != nil {
			t.Fatal(err)
		}
		if all, err := s.SessionsOf(ctx, "admin", 0); err != nil || len(all) != 2 {
			t.Errorf("sessions %+v, %v", all, err)
		}
		if n, err := s.EndSessionsOf(ctx, "somebody", first.ID, ""); err != nil || n != 0 {
			t.Errorf("ended a session of somebody else: %d, %v", n, err)
		}
		if n, err := s.EndSessionsOf(ctx, "admin", "", first.ID); err != nil || n != 1 {
			t.Errorf("ended all others: %d, %v", n, err)
		}
		if n, err := s.EndSessionsOf(ctx, "admin", first.ID, ""); err != nil || n != 1 {
			t.Errorf("ended one: %d, %v", n, err)
		}
		if err := s.SetPassword(ctx, "nobody", "x"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
		if err := s.EndSession(ctx, hash); err != nil {
			t.Errorf("ending what is not there: %v", err)
		}
	})
}

func TestRejections(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for i := range 100 {
					s.NoteRejection("crm", store.Rejection{At: lifecycle.Instant(i), Reason: "stale", Detail: "x\x00\xff", Method: "POST"})
				}
			})
		}
		wg.Wait()
		s.NoteRejection("crm", store.Rejection{At: 1000, Reason: "bad_signature", Address: "192.0.2.1"})
		if err := s.FlushRejections(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			s.NoteRejection("crm", store.Rejection{At: lifecycle.Instant(2000 + i), Reason: "stale"})
		}
		for i := range 2_000 { // more connections than are kept do no harm
			s.NoteRejection(fmt.Sprint("other-", i), store.Rejection{At: 1, Reason: "stale"})
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.RunRejections(ctx) // writes what is left when it is told to end
		facts, err := s.Rejections(t.Context(), "crm")
		if err != nil || len(facts) != 20 || facts[0].At != 2004 || facts[5].Reason != "bad_signature" || facts[5].Address != "192.0.2.1" {
			t.Errorf("facts: %+v, %v", facts, err)
		}
		stats, err := s.InboxStats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if x := stats["crm"]; x.Rejected != 806 || x.Rejections["stale"] != 805 || x.Rejections["bad_signature"] != 1 {
			t.Errorf("stats: %+v", x)
		}
		if len(stats) > 1_000 {
			t.Errorf("%d connections were noted", len(stats))
		}
	})
}
