package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// TimelineItem is one thing that happened to a person: exactly one of Event,
// Move and Push is set.
type TimelineItem struct {
	// At is when it was so, or when it was decided for a Move outside the history.
	At    lifecycle.Instant
	Event *lifecycle.Event
	// Move is part of the history as it stands now, or, with History false, what
	// was decided and announced at the time.
	Move *Transition
	// Push is the newest delivery to a connection; older ones are not kept.
	Push *Sync
}

// timelinePosition is how far each of the four streams has been shown.
type timelinePosition struct {
	EventAt int64  `json:"a"`
	EventID []byte `json:"e"`
	Move    int64  `json:"m"`
	ToldAt  int64  `json:"d"`
	Told    int64  `json:"t"`
	PushAt  int64  `json:"p"`
	Push    string `json:"c"`
}

// Timeline lists what happened to a live person, newest first: canonical
// events, the moves that are the person's history now, what was decided and
// announced beside them, and the last delivery to each connection. next continues it, "" at the end.
func (s *Store) Timeline(ctx context.Context, person lifecycle.ProfileID, after string, limit int) (items []TimelineItem, next string, err error) {
	at := timelinePosition{EventAt: math.MaxInt64, EventID: []byte{}, Move: math.MaxInt64, ToldAt: math.MaxInt64, Told: math.MaxInt64, PushAt: math.MaxInt64}
	if err := decodeCursor(after, &at); err != nil {
		return nil, "", fmt.Errorf("store: timeline: %w", err)
	}
	limit = page(limit)
	events, err := s.timelineEvents(ctx, person, &at, limit+1)
	if err == nil {
		var moves, told, pushes []TimelineItem
		if moves, err = s.timelineMoves(ctx, person, &at, limit+1); err == nil {
			told, err = s.timelineTold(ctx, person, &at, limit+1)
		}
		if err == nil {
			pushes, err = s.timelinePushes(ctx, person, &at)
		}
		// The order of the arguments decides at one instant: what was caused
		// stands above its cause. Sorting is stable, so each stream keeps its own.
		items = slices.Concat(pushes, told, moves, events)
	}
	if err != nil {
		return nil, "", fmt.Errorf("store: timeline of %d: %w", person, away(err))
	}
	slices.SortStableFunc(items, func(a, b TimelineItem) int { return cmp.Compare(b.At, a.At) })
	if len(items) <= limit {
		return items, "", nil
	}
	items = items[:limit]
	for i := range items {
		at.pass(&items[i])
	}
	return items, encodeCursor(at), nil
}

// pass moves the position behind an item.
func (p *timelinePosition) pass(it *TimelineItem) {
	switch {
	case it.Event != nil:
		p.EventAt, p.EventID = int64(it.At), it.Event.ID[:]
	case it.Move != nil && !it.Move.History:
		p.ToldAt, p.Told = int64(it.At), it.Move.Seq
	case it.Move != nil:
		p.Move = it.Move.Seq
	default:
		p.PushAt, p.Push = int64(it.At), it.Push.Connection
	}
}

// manyHomes is more than one statement joins: SQLite takes five hundred.
const manyHomes = 100

func (s *Store) timelineEvents(ctx context.Context, person lifecycle.ProfileID, at *timelinePosition, limit int) ([]TimelineItem, error) {
	elsewhere, err := homesOf(ctx, s, s.d, []lifecycle.ProfileID{person})
	if err != nil {
		return nil, err
	}
	// Of each home no more is read than the page holds.
	const of = "select " + eventColumns + " from events where person = ? and (at, id) < (?, ?) order by at desc, id desc limit ?"
	text, args := of, []any{int64(person), at.EventAt, at.EventID, limit}
	switch n := len(elsewhere); {
	case n > manyHomes:
		text = "select " + eventColumns + " from events where " + inHomes + " and (at, id) < (?, ?) order by at desc, id desc limit ?"
		args = append([]any{int64(person)}, args...)
	case n > 0:
		text = "select * from (" + of + ") as home"
		for _, home := range elsewhere.of(person) {
			text += " union all select * from (" + of + ") as home"
			args = append(args, int64(home), at.EventAt, at.EventID, limit)
		}
		text, args = "select "+eventColumns+" from ("+text+") as homes order by at desc, id desc limit ?", append(args, limit)
	}
	var items []TimelineItem
	rows, err := s.query(ctx, text, args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		e, err := scanEvent(rows)
		items = append(items, TimelineItem{At: e.Event.At, Event: &e.Event})
		return err
	})
	return items, err
}

func (s *Store) timelineMoves(ctx context.Context, person lifecycle.ProfileID, at *timelinePosition, limit int) ([]TimelineItem, error) {
	var items []TimelineItem
	rows, err := s.query(ctx, "select "+transitionColumns+" from transitions where person = ? and seq < ? and history = 1 order by seq desc limit ?",
		int64(person), at.Move, limit)
	err = each(rows, err, func(rows *sql.Rows) error {
		x, err := scanTransition(rows)
		items = append(items, TimelineItem{At: x.At, Move: &x})
		return err
	})
	return items, err
}

func (s *Store) timelinePushes(ctx context.Context, person lifecycle.ProfileID, at *timelinePosition) ([]TimelineItem, error) {
	all, err := s.syncOf(ctx, []lifecycle.ProfileID{person})
	if err != nil {
		return nil, err
	}
	var items []TimelineItem
	for _, x := range all[person] {
		pushed := int64(x.Pushed)
		if pushed > 0 && (pushed < at.PushAt || pushed == at.PushAt && x.Connection > at.Push) {
			items = append(items, TimelineItem{At: x.Pushed, Push: &x})
		}
	}
	return items, nil
}
