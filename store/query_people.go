package store

import (
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

// maxRounds bounds how often one page looks further when most of what it
// finds does not match; the page is then short, and its Next goes on.
const maxRounds = 20

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
	for rounds := 0; len(prefixes) > 0; {
		prefix := prefixes[0]
		if prefix == "" || after > prefix && !strings.HasPrefix(after, prefix) {
			prefixes = prefixes[1:] // that part of the keys is behind us
			continue
		}
		keys, people, err := s.keysFrom(ctx, prefix, after, f.Limit+1)
		if err != nil {
			return PeoplePage{}, err
		}
		for i, key := range keys {
			if len(out.People) == f.Limit {
				out.Next = after
				return out, nil
			}
			after = key
			if p := people[i]; p != nil && firstMatch(p.Keys, f.Prefixes) == key {
				out.People = append(out.People, p)
			}
		}
		if len(keys) <= f.Limit {
			prefixes = prefixes[1:]
			continue
		}
		if rounds++; rounds == maxRounds {
			out.Next = after
			return out, nil
		}
	}
	return out, nil
}

// keysFrom gives keys with a prefix that come after one, in their order, and
// whose each is.
func (s *Store) keysFrom(ctx context.Context, prefix, after string, limit int) ([]string, []*Person, error) {
	var keys []string
	var ids []int64
	rows, err := s.query(ctx, "select key, person from keys where key >= ? and key < ? and key > ? order by key limit ?",
		prefix, prefix+"\U0010FFFF", after, limit)
	err = each(rows, err, func(rows *sql.Rows) error {
		var key string
		var id int64
		err := rows.Scan(&key, &id)
		keys, ids = append(keys, key), append(ids, id)
		return err
	})
	if err != nil || len(keys) == 0 {
		return nil, nil, err
	}
	found, err := peopleWhere(ctx, s, s.d.oneOf("id", "bigint"), list(s.d, ids))
	if err != nil {
		return nil, nil, err
	}
	people := make([]*Person, len(ids))
	for i, id := range ids {
		people[i] = found[lifecycle.ProfileID(id)]
	}
	return keys, people, nil
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
