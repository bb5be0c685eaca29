package store

import (
	"context"
	"database/sql"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// announcedOnly are the kinds of moves that say how we came to know better. They
// are told to others and never part of a history, which has what was true instead.
func announcedOnly() []string {
	return []string{string(lifecycle.KindCorrection), string(lifecycle.KindMerge), string(lifecycle.KindPublish), string(lifecycle.KindRollback)}
}

// timelineTold lists what was decided about a person and announced, and is not
// part of the history as it stands now, by the time of the decision: how a late
// event, a join or a plan changed it, and moves that turned out not to be so.
// What the history still has is left to timelineMoves.
func (s *Store) timelineTold(ctx context.Context, person lifecycle.ProfileID, at *timelinePosition, limit int) ([]TimelineItem, error) {
	var items []TimelineItem
	rows, err := s.query(ctx, "select "+transitionColumns+` from
		(select `+transitionColumns+` from transitions where person = ? and history = 0 and announce = 1 and (decided, seq) < (?, ?)) t
		left join (select distinct lifecycle as l, from_stage as f, to_stage as g, at as a from transitions where person = ? and history = 1) h
		on h.l = t.lifecycle and h.f = t.from_stage and h.g = t.to_stage and h.a = t.at
		where h.a is null or `+s.d.oneOf("t.kind", "text")+" order by t.decided desc, t.seq desc limit ?",
		int64(person), at.ToldAt, at.Told, int64(person), list(s.d, announcedOnly()), limit)
	err = each(rows, err, func(rows *sql.Rows) error {
		x, err := scanTransition(rows)
		items = append(items, TimelineItem{At: x.Decided, Move: &x})
		return err
	})
	return items, err
}
