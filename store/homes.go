package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// movedAtMost is how many events go along to the survivor when people are
// merged. A longer past stays under the number that it came to, its home, and
// the table homes tells whose it is by now: to move ten thousand rows through
// three indexes takes longer than all else that a merge does. Everything that
// reads events by person asks for a person's homes, and what reads them
// otherwise asks for a home's owner. See docs/decisions/021.
const movedAtMost = 1000

// homes gives whose events are where: the owner by number.
type homes map[lifecycle.ProfileID]lifecycle.ProfileID

// homesOf finds where else people have events than under their own numbers.
func homesOf(ctx context.Context, q querier, d dialect, people []lifecycle.ProfileID) (homes, error) {
	return readHomes(ctx, q, d, "person", people)
}

// ownersOf finds whose the events are that stand under numbers.
func ownersOf(ctx context.Context, q querier, d dialect, numbers []lifecycle.ProfileID) (homes, error) {
	return readHomes(ctx, q, d, "home", numbers)
}

func readHomes(ctx context.Context, q querier, d dialect, by string, ids []lifecycle.ProfileID) (homes, error) {
	var all homes
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := q.query(ctx, "select home, person from homes where "+d.oneOf(by, "bigint"), list(d, ids))
	err = each(rows, err, func(rows *sql.Rows) error {
		var home, owner lifecycle.ProfileID
		err := rows.Scan(&home, &owner)
		if all == nil {
			all = homes{}
		}
		all[home] = owner
		return err
	})
	return all, err
}

// owner gives whose the events under a number are.
func (h homes) owner(number lifecycle.ProfileID) lifecycle.ProfileID {
	if owner, ok := h[number]; ok {
		return owner
	}
	return number
}

// of lists a person's homes other than their own number, in order.
func (h homes) of(person lifecycle.ProfileID) []lifecycle.ProfileID {
	var all []lifecycle.ProfileID
	for home, owner := range h {
		if owner == person {
			all = append(all, home)
		}
	}
	slices.Sort(all)
	return all
}

// with gives people and all their homes, in order.
func (h homes) with(people []lifecycle.ProfileID) []lifecycle.ProfileID {
	if len(h) == 0 {
		return people
	}
	all := slices.Clone(people)
	for home := range h {
		all = append(all, home)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// spread repeats what names events by person for each of their homes: it is not
// known under which of them an event stands.
func (h homes) spread(all []Stored) []Stored {
	if len(h) == 0 {
		return all
	}
	wide := slices.Clone(all)
	for i := range all {
		for _, home := range h.of(all[i].Person) {
			at := all[i]
			at.Person = home
			wide = append(wide, at)
		}
	}
	return wide
}

// gather puts the events of each person's homes together, in order; wanted are
// the people asked for.
func (h homes) gather(all map[lifecycle.ProfileID][]lifecycle.Event, wanted []lifecycle.ProfileID) map[lifecycle.ProfileID][]lifecycle.Event {
	for _, owner := range wanted {
		more := h.of(owner)
		if len(more) == 0 {
			continue
		}
		events := all[owner]
		for _, home := range more {
			events = append(events, all[home]...)
			delete(all, home)
		}
		inOrder(events)
		all[owner] = events
	}
	return all
}

// inHomes is a condition for the events of one person, wherever they stand; its
// parameters are the person, twice.
const inHomes = "person in (select cast(? as bigint) union all select home from homes where person = ?)"

// ownedEvents reads events with their owner in the place of the number under
// which they stand.
const ownedEvents = `select coalesce(h.person, e.person), e.at, e.id, e.name, e.connection, e.inbox, e.data
	from events e left join homes h on h.home = e.person`

// mergeEvents gives the events of losers to their survivors.
func (t *Tx) mergeEvents(ctx context.Context, losers, survivors []lifecycle.ProfileID) error {
	to := make(map[lifecycle.ProfileID]lifecycle.ProfileID, len(losers))
	for i := range losers {
		to[losers[i]] = survivors[i]
	}
	stay, err := homesOf(ctx, t, t.s.d, losers)
	if err != nil {
		return err
	}
	if stay == nil {
		stay = homes{}
	}
	for home, loser := range stay {
		stay[home] = to[loser]
	}
	long, err := t.longPast(ctx, losers)
	if err != nil {
		return err
	}
	for _, id := range long {
		stay[id] = to[id]
	}
	if err := t.setHomes(ctx, stay); err != nil {
		return err
	}
	var movedFrom, movedTo []lifecycle.ProfileID
	for i, id := range losers {
		if _, ok := stay[id]; !ok {
			movedFrom, movedTo = append(movedFrom, id), append(movedTo, survivors[i])
		}
	}
	return t.moveAllEvents(ctx, movedFrom, movedTo)
}

// longPast finds people with more events than are moved. What it reads of each
// is bounded.
func (t *Tx) longPast(ctx context.Context, people []lifecycle.ProfileID) ([]lifecycle.ProfileID, error) {
	from := "(select value as id from json_each(?)) as p"
	if t.s.d.postgres {
		from = "unnest(cast(? as bigint[])) as p(id)"
	}
	ids, err := scanIDs(t.query(ctx, "select p.id from "+from+" where (select count(*) from (select 1 from events e where e.person = p.id limit ?) as first) > ?",
		list(t.s.d, people), t.s.movedAtMost+1, t.s.movedAtMost))
	long := make([]lifecycle.ProfileID, len(ids))
	for i, id := range ids {
		long[i] = lifecycle.ProfileID(id)
	}
	return long, err
}

// setHomes writes down whose events are where.
func (t *Tx) setHomes(ctx context.Context, all homes) error {
	numbers := make([]lifecycle.ProfileID, 0, len(all))
	for home := range all {
		numbers = append(numbers, home)
	}
	slices.Sort(numbers)
	owners := make([]lifecycle.ProfileID, len(numbers))
	for i, home := range numbers {
		owners[i] = all[home]
	}
	_, err := t.insert(ctx, "homes", "on conflict (home) do update set person = excluded.person", ints("home", numbers), ints("person", owners))
	return err
}

// inOrder sorts the events of somebody that came from several homes.
func inOrder(events []lifecycle.Event) {
	slices.SortFunc(events, func(a, b lifecycle.Event) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(string(a.ID[:]), string(b.ID[:])))
	})
}
