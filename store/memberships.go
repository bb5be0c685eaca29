package store

import (
	"context"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Membership is a person in a segment.
type Membership struct {
	Segment lifecycle.Segment
	Person  lifecycle.ProfileID
	Since   lifecycle.Instant
}

// ChangeMembershipsTx adds and removes memberships. No pair may be in both.
func (t *Tx) ChangeMembershipsTx(ctx context.Context, added, removed []Membership) error {
	segments, people, since := memberColumns(added)
	if _, err := t.insert(ctx, "memberships", "on conflict (segment, person) do update set since = excluded.since",
		texts("segment", segments), ints("person", people), ints("since", since)); err != nil {
		return err
	}
	by := map[lifecycle.Segment][]lifecycle.ProfileID{}
	for _, m := range removed {
		by[m.Segment] = append(by[m.Segment], m.Person)
	}
	for segment, people := range by {
		if _, err := t.exec(ctx, "delete from memberships where segment = ? and "+t.s.d.oneOf("person", "bigint"), string(segment), list(t.s.d, people)); err != nil {
			return err
		}
	}
	return nil
}

func memberColumns(all []Membership) ([]string, []int64, []int64) {
	segments, people, since := make([]string, len(all)), make([]int64, len(all)), make([]int64, len(all))
	for i, m := range all {
		segments[i], people[i], since[i] = string(m.Segment), int64(m.Person), int64(m.Since)
	}
	return segments, people, since
}
