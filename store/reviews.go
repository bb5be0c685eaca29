package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Verdicts on two keys that the guards of identity kept apart.
const (
	ReviewOpen     = "open" // nobody has said anything
	ReviewRejected = "rejected"
)

// Review is two keys that were seen together and kept apart, for somebody to
// look at.
type Review struct {
	Refusal
	// Person owns With, Other owns Key; zero where nobody does.
	Person, Other lifecycle.ProfileID
	// Name, Connection and Inbox are those of the event that named the two.
	Name       lifecycle.EventName
	Connection string
	Inbox      int64
	// Verdict is ReviewOpen, or what Author said at Decided, and Note why.
	Verdict, Author, Note string
	Decided               lifecycle.Instant
}

// ReviewFilter chooses reviews.
type ReviewFilter struct {
	// Verdict is ReviewOpen, ReviewRejected, or empty for both.
	Verdict string
	After   string
	Limit   int
}

// ReviewPage is a page of reviews; Next is empty at the end.
type ReviewPage struct {
	Items []Review
	Next  string
}

// reviewPosition is the place of a review in their list.
type reviewPosition struct {
	At    lifecycle.Instant
	Event string // hex
	Key   string
}

// reviewQuery leaves out what is kept apart because somebody decided so. The
// event is with the person of its anchor, which With is; see reviewedAtHome.
const reviewQuery = `select r.contested, r.event, r.key, r.with_key, r.reason, r.at, coalesce(k.person, 0), coalesce(o.person, 0),
	coalesce(e.name, ''), coalesce(e.connection, ''), coalesce(e.inbox, 0),
	coalesce(v.verdict, u.verdict, ''), coalesce(v.author, u.author, ''), coalesce(v.reason, u.reason, ''), coalesce(v.at, u.at, 0)
	from refusals r
	left join keys k on k.key = r.with_key
	left join keys o on o.key = r.key
	left join events e on e.person = k.person and e.at = r.at and e.id = r.event
	left join reviews v on v.key = r.key and v.with_key = r.with_key and v.verdict = 'rejected'
	left join reviews u on u.key = r.with_key and u.with_key = r.key and u.verdict = 'rejected'
	where r.reason <> 'split'`

// Reviews lists what the guards of identity kept apart, oldest evidence first.
func (s *Store) Reviews(ctx context.Context, f ReviewFilter) (ReviewPage, error) {
	var at reviewPosition
	if err := decodeCursor(f.After, &at); err != nil {
		return ReviewPage{}, err
	}
	event, err := hex.DecodeString(at.Event)
	if err != nil {
		return ReviewPage{}, ErrCursor
	}
	q, args := reviewQuery, []any{}
	switch f.Verdict {
	case ReviewOpen:
		q += " and v.verdict is null and u.verdict is null"
	case ReviewRejected:
		q += " and (v.verdict is not null or u.verdict is not null)"
	}
	if f.After != "" {
		q += " and (r.at, r.event, r.key) > (?, ?, ?)"
		args = append(args, int64(at.At), event, at.Key)
	}
	limit := page(f.Limit)
	all, err := s.reviews(ctx, q+" order by r.at, r.event, r.key limit ?", append(args, limit+1)...)
	if err != nil {
		return ReviewPage{}, fmt.Errorf("store: reviews: %w", away(err))
	}
	found := ReviewPage{Items: all}
	if len(all) > limit {
		found.Items = all[:limit]
		last := found.Items[limit-1]
		found.Next = encodeCursor(reviewPosition{last.At, last.Event.String(), last.Key})
	}
	return found, nil
}

// Review gives one by its event and refused key; ErrNotFound when the two are
// not kept apart any more.
func (s *Store) Review(ctx context.Context, event lifecycle.EventID, key string) (*Review, error) {
	all, err := s.reviews(ctx, reviewQuery+" and r.event = ? and r.key = ?", event[:], key)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("store: review of %s: %w", strings.ToValidUTF8(key, ""), away(err))
	}
	return &all[0], nil
}

func (s *Store) reviews(ctx context.Context, q string, args ...any) ([]Review, error) {
	var all []Review
	rows, err := s.query(ctx, q, args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var r Review
		var event []byte
		err := rows.Scan(&r.Contested, &event, &r.Key, &r.With, &r.Reason, &r.At, &r.Person, &r.Other, &r.Name, &r.Connection, &r.Inbox,
			&r.Verdict, &r.Author, &r.Note, &r.Decided)
		copy(r.Event[:], event)
		if r.Verdict == "" {
			r.Verdict = ReviewOpen
		}
		all = append(all, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, s.reviewedAtHome(ctx, all)
}

// reviewedAtHome adds the events that do not stand under their person's number.
func (s *Store) reviewedAtHome(ctx context.Context, all []Review) error {
	var people, at []int64
	var ids [][]byte
	for i := range all {
		if r := &all[i]; r.Name == "" && r.Person != 0 {
			people, at, ids = append(people, int64(r.Person)), append(at, int64(r.At)), append(ids, r.Event[:])
		}
	}
	if len(people) == 0 {
		return nil
	}
	rows, err := s.query(ctx, "select e.at, e.id, e.name, e.connection, e.inbox from events e join homes h on h.home = e.person where "+
		s.d.oneOf("h.person", "bigint")+" and "+s.d.oneOf("e.at", "bigint")+" and "+s.d.oneOf("e.id", "bytea"), list(s.d, people), list(s.d, at), list(s.d, ids))
	return each(rows, err, func(rows *sql.Rows) error {
		var e lifecycle.Event
		var id []byte
		if err := rows.Scan(&e.At, &id, &e.Name, &e.Connection, &e.Inbox); err != nil {
			return err
		}
		for i := range all {
			if r := &all[i]; r.At == e.At && string(r.Event[:]) == string(id) {
				r.Name, r.Connection, r.Inbox = e.Name, e.Connection, e.Inbox
			}
		}
		return nil
	})
}

// Reject notes that two keys are rightly kept apart, so that nobody is asked
// about them again, whatever events name them together. It changes nothing else.
func (s *Store) Reject(ctx context.Context, key, with, author, reason string) error {
	return s.verdict(ctx, key, with, ReviewRejected, author, reason)
}

// verdict keeps what was said last of two keys.
func (s *Store) verdict(ctx context.Context, key, with, verdict, author, reason string) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		_, err := t.exec(ctx, `insert into reviews (key, with_key, verdict, author, reason, at) values (?, ?, ?, ?, ?, ?)
			on conflict (key, with_key) do update set verdict = excluded.verdict, author = excluded.author, reason = excluded.reason, at = excluded.at`,
			key, with, verdict, clean(author, maxText), clean(reason, 2000), s.nowMicros())
		return err
	})
	if err != nil {
		return fmt.Errorf("store: review %s: %w", verdict, err)
	}
	return nil
}
