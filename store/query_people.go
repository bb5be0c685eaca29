package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// MaxPage is the most rows that a page of any list holds, DefaultPage how many
// it holds when the caller names no number.
const (
	MaxPage     = 500
	DefaultPage = 50
)

// page brings a caller's limit within its bounds.
func page(limit int) int {
	if limit <= 0 {
		return DefaultPage
	}
	return min(limit, MaxPage)
}

// PeopleFilter selects live people. At most one of Stage, Segment and Prefixes
// counts, in this order of precedence; with none of them everybody is listed.
type PeopleFilter struct {
	Stage lifecycle.Stage
	// Lifecycle is the one that Stage is of; empty: the main one.
	Lifecycle string
	Segment   lifecycle.Segment
	// Prefixes are beginnings of keys, for example "email:ann".
	Prefixes []string
	// After continues where the last page's PeoplePage.Next ended; "" begins.
	After string
	// Limit of the page; see MaxPage and DefaultPage.
	Limit int
}

// PeoplePage is a part of a list of people: the newest first, or in the order
// of the keys where the filter has prefixes.
type PeoplePage struct {
	People []*Person
	// Next continues the list; "" at its end.
	Next string
}

// maxMerges bounds how many merges in a row are followed to the survivor.
const maxMerges = 100

// Person gives a person by id. The id of a merged person answers with the
// survivor. The error is ErrNotFound for an id that never was.
func (s *Store) Person(ctx context.Context, id lifecycle.ProfileID) (*Person, error) {
	for range maxMerges {
		found, err := peopleWhere(ctx, s, "id = ?", int64(id))
		if err != nil {
			return nil, fmt.Errorf("store: person %d: %w", id, away(err))
		}
		p := found[id]
		if p == nil {
			break
		}
		if p.Merged == 0 {
			return p, nil
		}
		id = p.Merged
	}
	return nil, fmt.Errorf("store: person %d: %w", id, ErrNotFound)
}

// PersonByKey gives the person who owns a key in its normalised form, for
// example "email:ann@example.com".
func (s *Store) PersonByKey(ctx context.Context, key string) (*Person, error) {
	if clean(key, len(key)) != key {
		return nil, fmt.Errorf("store: person by key: %w", ErrNotFound)
	}
	var id lifecycle.ProfileID
	rows, err := s.query(ctx, "select person from keys where key = ?", key)
	if err == nil {
		err = scanOne(rows, &id)
	}
	if err != nil {
		return nil, fmt.Errorf("store: person by key: %w", away(err))
	}
	return s.Person(ctx, id)
}

// People lists people, a page at a time. A page costs the same wherever in
// the list it is. The error is ErrCursor for an After that no page gave.
func (s *Store) People(ctx context.Context, f PeopleFilter) (PeoplePage, error) {
	var out PeoplePage
	var err error
	f.Limit = page(f.Limit)
	if f.Stage == "" && f.Segment == "" && len(f.Prefixes) > 0 {
		out, err = s.peopleByPrefix(ctx, f)
	} else {
		out, err = s.peopleByID(ctx, f)
	}
	if err != nil {
		return PeoplePage{}, fmt.Errorf("store: people: %w", away(err))
	}
	return out, nil
}

// EachPerson calls fn for every live person, the newest first, a page at a
// time. It ends at the first error, which it gives as it is.
func (s *Store) EachPerson(ctx context.Context, fn func(*Person) error) error {
	f := PeopleFilter{Limit: MaxPage}
	for {
		found, err := s.People(ctx, f)
		if err != nil {
			return err
		}
		for _, p := range found.People {
			if err := fn(p); err != nil {
				return err
			}
		}
		if f.After = found.Next; f.After == "" {
			return nil
		}
	}
}

func (s *Store) peopleByID(ctx context.Context, f PeopleFilter) (PeoplePage, error) {
	before, err := cursorBefore(f.After)
	if err != nil {
		return PeoplePage{}, err
	}
	q, args := "select id from profiles where merged = 0 and id < ? order by id desc limit ?", []any{before, f.Limit + 1}
	switch {
	case f.Stage != "" && f.Lifecycle != "":
		q = "select person from standings where lifecycle = ? and stage = ? and person < ? order by person desc limit ?"
		args = append([]any{clean(f.Lifecycle, maxText), clean(string(f.Stage), maxText)}, args...)
	case f.Stage != "":
		q = "select id from profiles where stage = ? and merged = 0 and id < ? order by id desc limit ?"
		args = append([]any{clean(string(f.Stage), maxText)}, args...)
	case f.Segment != "":
		q = "select person from memberships where segment = ? and person < ? order by person desc limit ?"
		args = append([]any{clean(string(f.Segment), maxText)}, args...)
	}
	ids, err := scanIDs(s.query(ctx, q, args...))
	if err != nil {
		return PeoplePage{}, err
	}
	var out PeoplePage
	if len(ids) > f.Limit {
		ids = ids[:f.Limit]
		out.Next = cursorText(ids[len(ids)-1])
	}
	out.People, err = s.peopleInOrder(ctx, ids)
	return out, err
}

// keyRounds bounds how often one page looks further when most of what it finds
// does not match; the page is then short, and its Next goes on.
const keyRounds = 4

// peopleByPrefix walks the keys. A person with several matching keys is shown
// at the first of them only, whatever page that is on.
func (s *Store) peopleByPrefix(ctx context.Context, f PeopleFilter) (PeoplePage, error) {
	prefixes := slices.Clone(f.Prefixes)
	for i, p := range prefixes {
		prefixes[i] = clean(p, 2*maxText)
	}
	slices.Sort(prefixes)
	prefixes = slices.Compact(prefixes)
	var out PeoplePage
	after := clean(f.After, 2*maxText)
	for rounds := 0; ; rounds++ {
		prefixes = slices.DeleteFunc(prefixes, func(p string) bool {
			return p == "" || after > p && !strings.HasPrefix(after, p) // that part of the keys is behind us
		})
		if len(prefixes) == 0 {
			return out, nil
		}
		if rounds == keyRounds {
			out.Next = after
			return out, nil
		}
		found, err := s.keysFrom(ctx, prefixes[:min(len(prefixes), mostArms)], after, f.Limit+1)
		if err != nil {
			return PeoplePage{}, err
		}
		more := false
		for _, keys := range found {
			for _, k := range keys {
				if k.key <= after {
					continue // of a beginning that holds another one
				}
				if len(out.People) == f.Limit {
					out.Next = after
					return out, nil
				}
				after = k.key
				if k.person != nil && firstMatch(k.person.Keys, f.Prefixes) == k.key {
					out.People = append(out.People, k.person)
				}
			}
			if more = len(keys) > f.Limit; more {
				break // and those of this beginning come before all others
			}
			prefixes = prefixes[1:]
		}
	}
}

// keyed is a key and who it is of; nil for nobody any more.
type keyed struct {
	key    string
	id     int64
	person *Person
}

// keysFrom gives, for each of some beginnings, the keys that come after one, in
// their order, and whose each is.
func (s *Store) keysFrom(ctx context.Context, prefixes []string, after string, limit int) ([][]keyed, error) {
	var args []any
	for _, prefix := range prefixes {
		args = append(args, prefix, prefix+"\U0010FFFF", after, limit)
	}
	all := make([][]keyed, len(prefixes))
	var ids []int64
	rows, err := s.query(ctx, arms(len(prefixes), "key, person", "select key, person from keys where key >= ? and key < ? and key > ? order by key limit ?"), args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var arm int
		var k keyed
		err := rows.Scan(&arm, &k.key, &k.id)
		all[arm], ids = append(all[arm], k), append(ids, k.id)
		return err
	})
	if err != nil || len(ids) == 0 {
		return all, err
	}
	found, err := peopleWhere(ctx, s, s.d.oneOf("id", "bigint"), list(s.d, ids))
	for _, keys := range all {
		for i := range keys {
			keys[i].person = found[lifecycle.ProfileID(keys[i].id)]
		}
		slices.SortFunc(keys, func(a, b keyed) int { return cmp.Compare(a.key, b.key) })
	}
	return all, err
}

// firstMatch gives the smallest of the keys that begins with one of the prefixes.
func firstMatch(keys, prefixes []string) string {
	first := ""
	for _, key := range keys {
		matches := slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
		if matches && (first == "" || key < first) {
			first = key
		}
	}
	return first
}

func (s *Store) peopleInOrder(ctx context.Context, ids []int64) ([]*Person, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := peopleWhere(ctx, s, s.d.oneOf("id", "bigint"), list(s.d, ids))
	if err != nil {
		return nil, err
	}
	people := make([]*Person, 0, len(ids))
	for _, id := range ids {
		if p := found[lifecycle.ProfileID(id)]; p != nil {
			people = append(people, p)
		}
	}
	return people, nil
}
