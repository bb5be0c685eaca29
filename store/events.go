package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Stored is a canonical event as it is kept.
type Stored struct {
	Person lifecycle.ProfileID
	Event  lifecycle.Event
}

// businessHash is how an event's name and business key are indexed: any
// length, any bytes.
func businessHash(name lifecycle.EventName, key string) []byte {
	if key == "" {
		return nil
	}
	h := sha256.New()
	h.Write([]byte(name))
	h.Write([]byte{0})
	h.Write([]byte(key))
	return h.Sum(nil)[:16]
}

// AddEventsTx writes events; one that is there already stays as it is.
func (t *Tx) AddEventsTx(ctx context.Context, all []Stored) error {
	n := len(all)
	people, at, inbox := make([]int64, n), make([]int64, n), make([]int64, n)
	ids, business, data := make([][]byte, n), make([][]byte, n), make([][]byte, n)
	names, conns := make([]string, n), make([]string, n)
	for i := range all {
		e := &all[i].Event
		people[i], at[i], inbox[i] = int64(all[i].Person), int64(e.At), e.Inbox
		ids[i], business[i] = e.ID[:], businessHash(e.Name, e.BusinessKey)
		names[i], conns[i] = string(e.Name), e.Connection
		var err error
		if data[i], err = encodeEvent(e); err != nil {
			return fmt.Errorf("store: event %s: %w", e.ID, err)
		}
	}
	_, err := t.insert(ctx, "events", "on conflict (person, at, id) do nothing", ints("person", people), ints("at", at), blobs("id", ids),
		texts("name", names), texts("connection", conns), ints("inbox", inbox), blobs("business", business), blobs("data", data))
	return err
}

const eventColumns = "person, at, id, name, connection, inbox, data"

func scanEvent(rows *sql.Rows) (Stored, error) {
	var s Stored
	var id, data []byte
	if err := rows.Scan(&s.Person, &s.Event.At, &id, &s.Event.Name, &s.Event.Connection, &s.Event.Inbox, &data); err != nil {
		return s, err
	}
	s.Event.ID = lifecycle.EventID(id)
	if err := decodeEvent(data, &s.Event); err != nil {
		return s, fmt.Errorf("store: event %s: %w", s.Event.ID, err)
	}
	return s, nil
}

// fewPeople are read beside each other where there is one writer: they may have
// a long past, and everybody else waits for who is to be joined.
const fewPeople = 4

// EventsTx loads every event of the people, each one's in (time, id) order.
func (t *Tx) EventsTx(ctx context.Context, people []lifecycle.ProfileID) (map[lifecycle.ProfileID][]lifecycle.Event, error) {
	if len(people) == 0 {
		return map[lifecycle.ProfileID][]lifecycle.Event{}, nil
	}
	wanted := slices.Compact(slices.Sorted(slices.Values(people)))
	elsewhere, err := homesOf(ctx, t, t.s.d, wanted)
	if err != nil {
		return nil, err
	}
	sorted := elsewhere.with(wanted)
	if t.pg != nil || t.wrote || len(sorted) < 2 || len(sorted) > fewPeople {
		all, err := t.s.histories(ctx, t, sorted)
		return elsewhere.gather(all, wanted), err
	}
	// Nobody else writes while this transaction is under way, so as long as it
	// has written nothing itself a reader sees the same as it does.
	var beside map[lifecycle.ProfileID][]lifecycle.Event
	var failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		beside, failed = t.s.histories(ctx, t.s, sorted[:len(sorted)/2])
	}()
	all, err := t.s.histories(ctx, t, sorted[len(sorted)/2:])
	<-done
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	maps.Copy(all, beside)
	return elsewhere.gather(all, wanted), nil
}

// histories loads every event that stands under numbers, which are in order.
func (s *Store) histories(ctx context.Context, from querier, people []lifecycle.ProfileID) (map[lifecycle.ProfileID][]lifecycle.Event, error) {
	all := make(map[lifecycle.ProfileID][]lifecycle.Event, len(people))
	rows, err := from.query(ctx, "select "+eventColumns+" from events where "+s.d.oneOf("person", "bigint")+" order by person, at, id", list(s.d, people))
	h := histories{people: people, texts: map[string]string{}, fn: func(p lifecycle.ProfileID, events []lifecycle.Event) error {
		all[p] = slices.Clone(events)
		return nil
	}}
	if err := each(rows, err, h.row); err != nil {
		return nil, err
	}
	return all, h.flush()
}

// Evidence is the event that stands for a business key so far.
type Evidence struct {
	Person lifecycle.ProfileID
	Name   lifecycle.EventName
	Key    string
}

// EvidenceTx finds, of the (person, name, key) given, those that are stored,
// with the earliest event by (time, connection, id) of each.
func (t *Tx) EvidenceTx(ctx context.Context, want []Evidence) (map[Evidence]lifecycle.Event, error) {
	found := map[Evidence]lifecycle.Event{}
	if len(want) == 0 {
		return found, nil
	}
	type place struct {
		person lifecycle.ProfileID
		hash   [16]byte
	}
	asked := map[place]Evidence{}
	people := make([]lifecycle.ProfileID, 0, len(want))
	hashes := make([][]byte, 0, len(want))
	for _, w := range want {
		h := businessHash(w.Name, w.Key)
		asked[place{w.Person, [16]byte(h)}] = w
		people, hashes = append(people, w.Person), append(hashes, h)
	}
	elsewhere, err := homesOf(ctx, t, t.s.d, slices.Compact(slices.Sorted(slices.Values(people))))
	if err != nil {
		return nil, err
	}
	for i := range want {
		for _, home := range elsewhere.of(want[i].Person) {
			people, hashes = append(people, home), append(hashes, hashes[i])
		}
	}
	err = t.matching(ctx, "person, business, at, connection, id", "events", []column{ints("person", people), blobs("business", hashes)}, func(rows *sql.Rows) error {
		var person lifecycle.ProfileID
		var hash, id []byte
		var e lifecycle.Event
		if err := rows.Scan(&person, &hash, &e.At, &e.Connection, &id); err != nil {
			return err
		}
		e.ID = lifecycle.EventID(id)
		w, ok := asked[place{elsewhere.owner(person), [16]byte(hash)}]
		if !ok {
			return nil
		}
		if old, ok := found[w]; !ok || EarlierEvidence(&e, &old) {
			found[w] = e
		}
		return nil
	})
	return found, err
}

// EarlierEvidence orders events of one business key by (time, connection, id):
// the first supplies time and value.
func EarlierEvidence(a, b *lifecycle.Event) bool {
	if a.At != b.At {
		return a.At < b.At
	}
	if a.Connection != b.Connection {
		return a.Connection < b.Connection
	}
	return string(a.ID[:]) < string(b.ID[:])
}

// RetractTx removes the events that inbox rows gave before, and answers whose
// they were: those people are to be derived anew (replay).
func (t *Tx) RetractTx(ctx context.Context, inbox []int64) ([]lifecycle.ProfileID, error) {
	seen := map[lifecycle.ProfileID]bool{}
	var numbers []lifecycle.ProfileID
	rows, err := t.query(ctx, "delete from events where inbox > 0 and "+t.s.d.oneOf("inbox", "bigint")+" returning person", list(t.s.d, inbox))
	err = each(rows, err, func(rows *sql.Rows) error {
		var p lifecycle.ProfileID
		err := rows.Scan(&p)
		if !seen[p] {
			seen[p] = true
			numbers = append(numbers, p)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	owners, err := ownersOf(ctx, t, t.s.d, numbers)
	people := make([]lifecycle.ProfileID, len(numbers))
	for i, number := range numbers {
		people[i] = owners.owner(number)
	}
	slices.Sort(people)
	return slices.Compact(people), err
}

// MovedEvent is an event that belongs to another person from now on.
type MovedEvent struct {
	From, To lifecycle.ProfileID
	At       lifecycle.Instant
	ID       lifecycle.EventID
}

// MoveEventsTx gives events to other people.
func (t *Tx) MoveEventsTx(ctx context.Context, all []MovedEvent) error {
	if len(all) == 0 {
		return nil
	}
	from := make([]lifecycle.ProfileID, len(all))
	for i := range all {
		from[i] = all[i].From
	}
	slices.Sort(from)
	elsewhere, err := homesOf(ctx, t, t.s.d, slices.Compact(from))
	if err != nil {
		return err
	}
	for _, m := range all[:len(all):len(all)] {
		for _, home := range elsewhere.of(m.From) {
			m.From = home
			all = append(all, m)
		}
	}
	if !t.s.d.postgres {
		return t.moveEventsSQLite(ctx, all)
	}
	return t.moveEventsPostgres(ctx, all)
}

func (t *Tx) moveEventsPostgres(ctx context.Context, all []MovedEvent) error {
	n := len(all)
	from, to, at, ids := make([]int64, n), make([]int64, n), make([]int64, n), make([][]byte, n)
	for i := range all {
		from[i], to[i], at[i], ids[i] = int64(all[i].From), int64(all[i].To), int64(all[i].At), all[i].ID[:]
	}
	_, err := t.update(ctx, "events", "person = v.to_person", "events.person = v.from_person and events.at = v.at and events.id = v.id",
		ints("from_person", from), ints("to_person", to), ints("at", at), blobs("id", ids))
	return err
}

// moveEventsSQLite looks every event up by its key. Left to itself, SQLite joins
// a list of keys to the table the other way round and reads all of it.
func (t *Tx) moveEventsSQLite(ctx context.Context, all []MovedEvent) error {
	slices.SortStableFunc(all, func(a, b MovedEvent) int { return cmp.Compare(a.To, b.To) })
	args := make([]any, 0, 3*mostRows+1)
	for from := 0; from < len(all); {
		same := from
		for same < len(all) && all[same].To == all[from].To {
			same++
		}
		n := chunkOf(same - from)
		args = append(args[:0], int64(all[from].To))
		for _, m := range all[from : from+n] {
			args = append(args, int64(m.From), int64(m.At), m.ID[:])
		}
		if _, err := t.exec(ctx, "update events set person = ? where (person, at, id) in ("+valuesList(3, n)+")", args...); err != nil {
			return err
		}
		from += n
	}
	return nil
}

// moveAllEvents gives what stands under losers to their survivors. SQLite writes a
// range anew and drops it faster than it finds each row again to change its key.
func (t *Tx) moveAllEvents(ctx context.Context, losers, survivors []lifecycle.ProfileID) error {
	if len(losers) == 0 {
		return nil
	}
	if t.s.d.postgres {
		_, err := t.update(ctx, "events", "person = v.survivor", "events.person = v.loser", ints("loser", losers), ints("survivor", survivors))
		return err
	}
	for i := range losers {
		if _, err := t.exec(ctx, `insert into events (person, at, id, name, connection, inbox, business, data)
			select ?, at, id, name, connection, inbox, business, data from events where person = ? order by at, id`, int64(survivors[i]), int64(losers[i])); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "delete from events where person = ?", int64(losers[i])); err != nil {
			return err
		}
	}
	return nil
}
