package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Merged is somebody who became another person.
type Merged struct {
	Loser, Survivor lifecycle.ProfileID
	// At, Event and Inbox tell of the event that joined the two; zero where no
	// single one did.
	At    lifecycle.Instant
	Event lifecycle.EventID
	Inbox int64
}

// MergedInto lists whom a person was made of, oldest number first, up to limit.
func (s *Store) MergedInto(ctx context.Context, person lifecycle.ProfileID, limit int) ([]Merged, error) {
	var all []Merged
	rows, err := s.query(ctx, "select m.loser, m.survivor, m.at, m.event, m.inbox from merges m join profiles p on p.id = m.loser where m.survivor = ? and p.merged = m.survivor order by m.loser limit ?", int64(person), limit)
	err = each(rows, err, func(rows *sql.Rows) error {
		var m Merged
		var event []byte
		err := rows.Scan(&m.Loser, &m.Survivor, &m.At, &event, &m.Inbox)
		copy(m.Event[:], event)
		all = append(all, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: merged into %d: %w", person, away(err))
	}
	return all, nil
}

// ContestedWith lists the people of a contested set, by number, up to limit.
func (s *Store) ContestedWith(ctx context.Context, set int64, limit int) ([]lifecycle.ProfileID, error) {
	ids, err := scanIDs(s.query(ctx, "select id from profiles where contested > 0 and contested = ? order by id limit ?", set, limit))
	if err != nil {
		return nil, fmt.Errorf("store: contested set %d: %w", set, away(err))
	}
	people := make([]lifecycle.ProfileID, len(ids))
	for i, id := range ids {
		people[i] = lifecycle.ProfileID(id)
	}
	return people, nil
}

// SyncOfTx gives what is known of people at every connection.
func (t *Tx) SyncOfTx(ctx context.Context, people []lifecycle.ProfileID) (map[lifecycle.ProfileID][]Sync, error) {
	all := map[lifecycle.ProfileID][]Sync{}
	rows, err := t.query(ctx, "select "+syncColumns+" from sync where "+anyConnection+t.s.d.oneOf("person", "bigint")+" order by person, connection", list(t.s.d, people))
	err = each(rows, err, func(rows *sql.Rows) error {
		x, err := scanSync(rows)
		all[x.Person] = append(all[x.Person], x)
		return err
	})
	return all, err
}

// CountEventsTx counts the events of people.
func (t *Tx) CountEventsTx(ctx context.Context, people []lifecycle.ProfileID) (map[lifecycle.ProfileID]int64, error) {
	counts := map[lifecycle.ProfileID]int64{}
	elsewhere, err := homesOf(ctx, t, t.s.d, people)
	if err != nil {
		return nil, err
	}
	rows, err := t.query(ctx, "select person, count(*) from events where "+t.s.d.oneOf("person", "bigint")+" group by person", list(t.s.d, elsewhere.with(people)))
	err = each(rows, err, func(rows *sql.Rows) error {
		var p lifecycle.ProfileID
		var n int64
		err := rows.Scan(&p, &n)
		counts[elsewhere.owner(p)] += n
		return err
	})
	return counts, err
}
