package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Person is a row of profiles.
type Person struct {
	ID lifecycle.ProfileID
	// Merged is the person this one was merged into; zero for a live one.
	Merged lifecycle.ProfileID
	// Contested, when not zero, names the set of people whose keys were seen
	// together but may not all belong to one person.
	Contested int64
	// Keys in the form of lifecycle.Key.String, strongest first.
	Keys []string
	// State is the profile as lifecycle encodes it; nil for a merged person.
	State []byte

	Stage     lifecycle.Stage
	Since     lifecycle.Instant
	NextCheck lifecycle.Instant
	LastSeen  lifecycle.Instant
}

// PersonIDs reserves n consecutive ids for new people. What is not used goes
// back with ReturnPersonIDs.
func (s *Store) PersonIDs(ctx context.Context, n int) (lifecycle.ProfileID, error) {
	first, err := s.take(ctx, "profiles", n)
	return lifecycle.ProfileID(first), err
}

// ReturnPersonIDs gives back the unused end of a reservation, when nobody has
// reserved since.
func (s *Store) ReturnPersonIDs(next, end lifecycle.ProfileID) {
	s.ids.mu.Lock()
	defer s.ids.mu.Unlock()
	if b := s.ids.state["profiles"]; b != nil && b.next == int64(end) {
		b.next = int64(next)
	}
}

// OwnersTx gives the owner of every key that has one, and locks those keys.
// The keys must be sorted and distinct.
func (t *Tx) OwnersTx(ctx context.Context, keys []string) (map[string]lifecycle.ProfileID, error) {
	owners := make(map[string]lifecycle.ProfileID, len(keys))
	if len(keys) == 0 {
		return owners, nil
	}
	rows, err := t.query(ctx, "select key, person from keys where "+t.s.d.oneOf("key", "text")+" order by key"+t.s.d.forUpdate, list(t.s.d, keys))
	err = each(rows, err, func(rows *sql.Rows) error {
		var k string
		var p int64
		if err := rows.Scan(&k, &p); err != nil {
			return err
		}
		owners[k] = lifecycle.ProfileID(p)
		return nil
	})
	return owners, err
}

// ClaimKeysTx writes new keys, sorted and distinct, with their owners. ErrRetry
// means that somebody else claimed one of them at the same time.
func (t *Tx) ClaimKeysTx(ctx context.Context, keys []string, owners []lifecycle.ProfileID) error {
	n, err := t.insert(ctx, "keys", "on conflict (key) do nothing", texts("key", keys), ints("person", owners))
	if err == nil && int(n) != len(keys) {
		return ErrRetry
	}
	return err
}

// MoveKeysTx gives existing keys another owner.
func (t *Tx) MoveKeysTx(ctx context.Context, keys []string, owners []lifecycle.ProfileID) error {
	_, err := t.update(ctx, "keys", "person = v.person", "keys.key = v.key", texts("key", keys), ints("person", owners))
	return err
}

const personColumns = "id, merged, contested, keys, state, stage, since, next_check, last_seen"

func scanPerson(rows *sql.Rows) (*Person, error) {
	var p Person
	var keys string
	err := rows.Scan(&p.ID, &p.Merged, &p.Contested, &keys, &p.State, &p.Stage, &p.Since, &p.NextCheck, &p.LastSeen)
	if keys != "" {
		p.Keys = strings.Split(keys, "\n")
	}
	return &p, err
}

// PeopleTx loads and locks people by id. Ids that do not exist are missing
// from the answer.
func (t *Tx) PeopleTx(ctx context.Context, ids []lifecycle.ProfileID) (map[lifecycle.ProfileID]*Person, error) {
	return peopleWhere(ctx, t, t.s.d.oneOf("id", "bigint")+" order by id"+t.s.d.forUpdate, list(t.s.d, ids))
}

// ContestedTx loads and locks all people of contested sets.
func (t *Tx) ContestedTx(ctx context.Context, sets []int64) (map[lifecycle.ProfileID]*Person, error) {
	return peopleWhere(ctx, t, "contested > 0 and "+t.s.d.oneOf("contested", "bigint")+" order by id"+t.s.d.forUpdate, list(t.s.d, sets))
}

func peopleWhere(ctx context.Context, q querier, where string, args ...any) (map[lifecycle.ProfileID]*Person, error) {
	people := map[lifecycle.ProfileID]*Person{}
	rows, err := q.query(ctx, "select "+personColumns+" from profiles where "+where, args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		p, err := scanPerson(rows)
		people[p.ID] = p
		return err
	})
	return people, err
}

// SavePeopleTx writes people, new or not.
func (t *Tx) SavePeopleTx(ctx context.Context, people []*Person) error {
	for _, p := range people {
		t.changed(p.ID)
	}
	n := len(people)
	ids, merged, contested := make([]int64, n), make([]int64, n), make([]int64, n)
	keys, stages, states := make([]string, n), make([]string, n), make([][]byte, n)
	since, next, last := make([]int64, n), make([]int64, n), make([]int64, n)
	for i, p := range people {
		ids[i], merged[i], contested[i], keys[i] = int64(p.ID), int64(p.Merged), p.Contested, strings.Join(p.Keys, "\n")
		stages[i], states[i], since[i], next[i], last[i] = string(p.Stage), p.State, int64(p.Since), int64(p.NextCheck), int64(p.LastSeen)
	}
	_, err := t.insert(ctx, "profiles", `on conflict (id) do update set merged = excluded.merged, contested = excluded.contested,
		keys = excluded.keys, state = excluded.state, stage = excluded.stage, since = excluded.since,
		next_check = excluded.next_check, last_seen = excluded.last_seen`,
		ints("id", ids), ints("merged", merged), ints("contested", contested), texts("keys", keys), blobs("state", states),
		texts("stage", stages), ints("since", since), ints("next_check", next), ints("last_seen", last))
	return err
}

// DueTx takes up to limit people whose next check is due at now.
func (t *Tx) DueTx(ctx context.Context, now lifecycle.Instant, limit int) (map[lifecycle.ProfileID]*Person, error) {
	return peopleWhere(ctx, t, "next_check > 0 and next_check <= ? order by next_check limit ?"+t.s.d.skipLocked, int64(now), limit)
}

// MergeTx records that losers are now their survivors.
func (t *Tx) MergeTx(ctx context.Context, losers, survivors []lifecycle.ProfileID, at []lifecycle.Instant, events []lifecycle.EventID, inbox []int64) error {
	ids := make([][]byte, len(events))
	for i := range events {
		ids[i] = events[i][:]
	}
	if _, err := t.insert(ctx, "merges", "on conflict (loser) do update set survivor = excluded.survivor, at = excluded.at",
		ints("loser", losers), ints("survivor", survivors), ints("at", at), blobs("event", ids), ints("inbox", inbox)); err != nil {
		return err
	}
	// A write-back under way ends first, else each of the two would take the row
	// for the other's to remove.
	if _, err := scanIDs(t.query(ctx, "select person from sync where "+anyConnection+t.s.d.oneOf("person", "bigint")+" order by connection, person"+t.s.d.forUpdate,
		list(t.s.d, losers))); err != nil {
		return err
	}
	for _, q := range []string{
		"delete from memberships where ",
		"delete from conflicts where ",
		// One that is leased stays until its write-back: see passToSurvivors.
		"delete from sync where lease <= 0 and " + anyConnection,
		"update transitions set history = 0 where ",
	} {
		if _, err := t.exec(ctx, q+t.s.d.oneOf("person", "bigint"), list(t.s.d, losers)); err != nil {
			return err
		}
	}
	return t.mergeEvents(ctx, losers, survivors)
}

// Refusal is two keys seen together that were not joined.
type Refusal struct {
	Contested int64
	Event     lifecycle.EventID
	Key, With string
	Reason    string
	At        lifecycle.Instant
}

// ReplaceRefusalsTx writes the refusals of contested sets anew.
func (t *Tx) ReplaceRefusalsTx(ctx context.Context, sets []int64, all []Refusal) error {
	if _, err := t.exec(ctx, "delete from refusals where "+t.s.d.oneOf("contested", "bigint"), list(t.s.d, sets)); err != nil {
		return err
	}
	n := len(all)
	set, events, keys, with, reasons, at := make([]int64, n), make([][]byte, n), make([]string, n), make([]string, n), make([]string, n), make([]int64, n)
	for i := range all {
		r := &all[i]
		set[i], events[i], keys[i], with[i], reasons[i], at[i] = r.Contested, r.Event[:], r.Key, r.With, r.Reason, int64(r.At)
	}
	_, err := t.insert(ctx, "refusals", "on conflict (event, key) do nothing", ints("contested", set), blobs("event", events),
		texts("key", keys), texts("with_key", with), texts("reason", reasons), ints("at", at))
	return err
}

// DropKeysTx forgets keys that no edge gives to anybody any more.
func (t *Tx) DropKeysTx(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	_, err := t.exec(ctx, "delete from keys where "+t.s.d.oneOf("key", "text"), list(t.s.d, keys))
	return err
}

// DropPeopleTx removes people of whom no event is left, with all that was
// derived of them.
func (t *Tx) DropPeopleTx(ctx context.Context, people []lifecycle.ProfileID) error {
	t.changed(people...)
	ids := list(t.s.d, people)
	for _, q := range []string{"delete from memberships where ", "delete from conflicts where ", "delete from sync where " + anyConnection, "delete from transitions where ", "delete from keys where ", "delete from homes where "} {
		if _, err := t.exec(ctx, q+t.s.d.oneOf("person", "bigint"), ids); err != nil {
			return err
		}
	}
	_, err := t.exec(ctx, "delete from profiles where "+t.s.d.oneOf("id", "bigint"), ids)
	return err
}
