package storetest

import (
	"context"
	"errors"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

func configStale(b *bench) {
	before, err := b.ConfigVersion(b.Context())
	b.must(err)
	c := b.connect("crm")
	if _, err := b.SaveConnection(b.Context(), store.Connection{ID: "crm", Connector: "lab", Settings: "{}", Push: "{}"}, nil); !errors.Is(err, store.ErrExists) {
		b.Errorf("a second of that name: %v", err)
	}
	newer, err := b.SaveConnection(b.Context(), c, &store.Versioned{Source: "rules: []"})
	b.must(err)
	if _, err := b.SaveConnection(b.Context(), c, nil); !errors.Is(err, store.ErrStale) {
		b.Errorf("a change of an old version: %v", err)
	}
	if _, err := b.PublishRules(b.Context(), "crm", newer.Rules, store.Versioned{Source: "rules: [] # two"}); err != nil {
		b.Error(err)
	}
	if _, err := b.PublishRules(b.Context(), "crm", newer.Rules, store.Versioned{Source: "late"}); !errors.Is(err, store.ErrStale) {
		b.Errorf("rules on top of old ones: %v", err)
	}
	version, err := b.PublishPlan(b.Context(), 0, store.Versioned{Source: "name: one"})
	b.must(err)
	if _, err := b.PublishPlan(b.Context(), 0, store.Versioned{Source: "name: two"}); !errors.Is(err, store.ErrStale) {
		b.Errorf("a plan on top of none: %v", err)
	}
	plan, err := b.Plan(b.Context())
	if err != nil || plan.Version != version || plan.Source != "name: one" {
		b.Errorf("plan %+v, %v", plan, err)
	}
	// What was refused left no trace: four changes went through.
	if after, err := b.ConfigVersion(b.Context()); err != nil || after != before+4 {
		b.Errorf("configuration version %d after %d, %v", after, before, err)
	}
	if all, err := b.RulesVersions(b.Context(), "crm"); err != nil || len(all) != 2 {
		b.Errorf("rules %+v, %v", all, err)
	}
}

func mergePeople(b *bench) {
	b.connect("crm")
	p := b.people(3)
	event := func(of lifecycle.ProfileID, n byte) store.Stored {
		return store.Stored{Person: of, Event: lifecycle.Event{ID: lifecycle.EventID{n}, Name: "A:B", At: lifecycle.Instant(n)}}
	}
	b.want("crm", p...)
	b.write(func(ctx context.Context, t *store.Tx) error {
		return errors.Join(
			t.AddEventsTx(ctx, []store.Stored{event(p[0], 3), event(p[1], 1), event(p[1], 2)}),
			t.ChangeMembershipsTx(ctx, []store.Membership{{Segment: "vip", Person: p[1], Since: 1}}, nil))
	})
	b.write(func(ctx context.Context, t *store.Tx) error {
		return errors.Join(merge(ctx, t, p[1], p[0]), t.MoveKeysTx(ctx, []string{"user:b"}, p[:1]))
	})
	b.write(func(ctx context.Context, t *store.Tx) error { return merge(ctx, t, p[0], p[2]) }) // a chain
	survivor, err := b.Person(b.Context(), p[1])
	b.must(err)
	if survivor.ID != p[2] {
		b.Errorf("%d answers with %d, want %d", p[1], survivor.ID, p[2])
	}
	b.write(func(ctx context.Context, t *store.Tx) error {
		all, err := t.EventsTx(ctx, p)
		var order []lifecycle.Instant
		for _, e := range all[p[2]] {
			order = append(order, e.At)
		}
		if diff := cmp.Diff([]lifecycle.Instant{1, 2, 3}, order); diff != "" || len(all[p[0]])+len(all[p[1]]) > 0 {
			b.Errorf("events of the survivor (-want +got):\n%s", diff)
		}
		return err
	})
	if members, err := b.People(b.Context(), store.PeopleFilter{Segment: "vip"}); err != nil || len(members.People) != 0 {
		b.Errorf("in the segment: %+v, %v", members, err)
	}
	if all := b.lease("crm", 1, future); all[0].Person != p[2] {
		b.Errorf("due is %d", all[0].Person)
	}
}

func contested(b *bench) {
	p := b.people(3)
	b.write(func(ctx context.Context, t *store.Tx) error {
		people, err := t.PeopleTx(ctx, p)
		if err != nil {
			return err
		}
		people[p[0]].Contested, people[p[2]].Contested = int64(p[0]), int64(p[0])
		refusal := store.Refusal{Contested: int64(p[0]), Event: lifecycle.EventID{1}, Key: "user:a", With: "user:c", Reason: "limit", At: 4}
		return errors.Join(t.SavePeopleTx(ctx, []*store.Person{people[p[0]], people[p[2]]}),
			t.ReplaceRefusalsTx(ctx, []int64{int64(p[0])}, []store.Refusal{refusal}),
			t.ReplaceRefusalsTx(ctx, []int64{int64(p[0])}, []store.Refusal{refusal})) // written anew, not twice
	})
	b.write(func(ctx context.Context, t *store.Tx) error {
		set, err := t.ContestedTx(ctx, []int64{int64(p[0])})
		if len(set) != 2 || set[p[0]] == nil || set[p[2]] == nil {
			b.Errorf("the set is %v", set)
		}
		return err
	})
}

func claimTwice(b *bench) {
	p := b.people(2)
	err := b.Derived(b.Context(), func(t *store.Tx) error { return t.ClaimKeysTx(b.Context(), []string{"user:a", "user:z"}, p) })
	if !errors.Is(err, store.ErrRetry) {
		b.Errorf("a key that has an owner was claimed: %v", err)
	}
	b.write(func(ctx context.Context, t *store.Tx) error {
		owners, err := t.OwnersTx(ctx, []string{"user:a", "user:b", "user:z"})
		if diff := cmp.Diff(map[string]lifecycle.ProfileID{"user:a": p[0], "user:b": p[1]}, owners); diff != "" {
			b.Errorf("owners (-want +got):\n%s", diff)
		}
		return err
	})
}
