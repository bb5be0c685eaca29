package store_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// found writes what one batch would have found.
func found(t *testing.T, s *store.Store, all ...store.Violation) {
	t.Helper()
	if _, err := s.Append("crm", 1, []store.NewEvent{{Dedupe: [32]byte{byte(len(all))}, Type: "t", Body: []byte("{}")}}); err != nil {
		t.Fatal(err)
	}
	b, err := s.Take(t.Context(), "", 1)
	if err != nil || b == nil {
		t.Fatalf("take: %v, %v", b, err)
	}
	if err := b.Commit(t.Context(), func(tx *store.Tx) error { return tx.AddViolationsTx(t.Context(), all) }); err != nil {
		t.Fatal(err)
	}
}

func violation(property string, first, last lifecycle.Instant, samples ...int64) store.Violation {
	return store.Violation{Connection: "crm", Class: lifecycle.ViolationType, Event: "A:B", Property: property, Rule: "r", Action: lifecycle.Tag,
		Count: int64(len(samples)), First: first, Last: last, Samples: samples}
}

func TestViolationsAddUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		found(t, s, violation("x", 50, 60, 3, 2, 1), violation("y", 1, 1, 9))
		again := violation("x", 40, 55, 3, 7)
		again.Count, again.Replayed, again.Action = 0, 2, lifecycle.Allow
		found(t, s, again)
		found(t, s, violation("x", 70, 80, 12, 11, 10, 8, 6, 5))
		all, next, err := s.Violations(t.Context(), store.ViolationFilter{})
		if err != nil || next != "" {
			t.Fatal(next, err)
		}
		want := violation("x", 40, 80, 12, 11, 10, 8, 6)
		want.Count, want.Replayed = 9, 2
		if diff := cmp.Diff([]store.Violation{want, violation("y", 1, 1, 9)}, all); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}

		// Pages, filters, and texts that a database refuses.
		found(t, s, violation("bad\x00"+strings.Repeat("é", 300), 1, 1, 1), violation("z", 1, 1, 1))
		var seen []string
		for f := (store.ViolationFilter{Class: lifecycle.ViolationType, Limit: 1}); ; {
			page, next, err := s.Violations(t.Context(), f)
			if err != nil || len(page) != 1 {
				t.Fatal(page, err)
			}
			seen = append(seen, page[0].Property)
			if f.After = next; next == "" {
				break
			}
		}
		if len(seen) != 4 || seen[0] != "bad"+strings.Repeat("é", 98) {
			t.Errorf("pages: %q", seen)
		}
		if _, _, err := s.Violations(t.Context(), store.ViolationFilter{After: "?"}); !errors.Is(err, store.ErrCursor) {
			t.Errorf("a foreign cursor: %v", err)
		}
		if all, _, err := s.Violations(t.Context(), store.ViolationFilter{Event: "C:D"}); err != nil || len(all) != 0 {
			t.Errorf("of another event: %v, %v", all, err)
		}
		if n, err := s.ForgetViolations(t.Context(), store.ViolationFilter{Connection: "crm", Event: "A:B"}); err != nil || n != 4 {
			t.Errorf("forgotten: %d, %v", n, err)
		}
	})
}

// TestViolationsOfManyAtOnce: batches that find the same at once lose none.
func TestViolationsOfManyAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const workers, rounds = 4, 5
		for i := range workers * rounds {
			if _, err := s.Append("crm", 1, []store.NewEvent{{Dedupe: [32]byte{byte(i), 1}, Type: "t", Body: []byte("{}")}}); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for done := 0; done < rounds; {
					b, err := s.Take(t.Context(), "", 1)
					if err != nil {
						t.Error(err)
						return
					}
					if b == nil {
						return
					}
					rows := b.Rows
					err = b.Commit(t.Context(), func(tx *store.Tx) error {
						if err := tx.FinishTx(t.Context(), rows, []store.Outcome{{Status: store.Done}}); err != nil {
							return err
						}
						return tx.AddViolationsTx(t.Context(), []store.Violation{violation("y", 1, 1, rows[0].ID), violation("x", 1, 1, rows[0].ID)})
					})
					switch {
					case err == nil:
						done++
					case !errors.Is(err, store.ErrRetry):
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		all, _, err := s.Violations(t.Context(), store.ViolationFilter{})
		if err != nil || len(all) != 2 || all[0].Count != workers*rounds || all[1].Count != workers*rounds {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
