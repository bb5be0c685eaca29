package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Account is what is kept of an account: what its people add up to, and where
// the plan puts it. One without people is not kept.
type Account struct {
	Key string
	// Stage is empty until the account was decided about for the first time.
	Stage lifecycle.Stage
	// Found is when it was found to be in Stage. Since when it has been is not
	// known: an account is what its people are now, and has no history in event
	// time. So it may differ with the order of arrival, and is told to nobody.
	Found  lifecycle.Instant
	People int64
	// Segments the account is in, sorted.
	Segments []lifecycle.Segment
	// Name is the company's name as it was told last of any of its people, and
	// NameAt when.
	Name   string
	NameAt lifecycle.Instant
	// Moves is the Seq of the newest move.
	Moves int64
	// Tally of all its people as lifecycle encodes it.
	Tally []byte
}

// AccountMember is what a person is to an account; see lifecycle.Member.
type AccountMember struct {
	Person  lifecycle.ProfileID
	Account string
	Domain  string
	Company string
	Since   lifecycle.Instant
	Tally   []byte
}

// AccountMove is one change of an account's stage or segments, in the order in
// which they were decided. A late event changes where the account is, and never
// what was decided before.
type AccountMove struct {
	Account  string
	Seq      int64
	From, To lifecycle.Stage
	// At is the time of what caused it, Decided when it was found.
	At, Decided lifecycle.Instant
	// Person whose change caused it, and the event that changed the person;
	// zero where time alone did.
	Person lifecycle.ProfileID
	Event  lifecycle.EventID
	Cause  AccountCause
}

// AccountCause is what is kept with a move.
type AccountCause struct {
	Condition string              `json:"condition,omitempty"`
	Plan      int64               `json:"plan,omitempty"`
	Entered   []lifecycle.Segment `json:"entered,omitempty"`
	Exited    []lifecycle.Segment `json:"exited,omitempty"`
	// Kind of the move, and Skipped the stages it jumped over; see
	// lifecycle.Plan.AccountMoveKind. Empty where it was made before there were kinds.
	Kind    lifecycle.Kind    `json:"kind,omitempty"`
	Skipped []lifecycle.Stage `json:"skipped,omitempty"`
}

// HasAccounts tells whether anybody belongs to an account, be it by a plan
// that is not in force any more.
func (s *Store) HasAccounts(ctx context.Context) (bool, error) {
	var one int
	rows, err := s.query(ctx, "select count(*) from (select 1 from account_people limit 1) x")
	if err == nil {
		err = scanOne(rows, &one)
	}
	if err != nil {
		return false, fmt.Errorf("store: accounts: %w", away(err))
	}
	return one > 0, nil
}

// MembersTx gives what people were to their accounts so far. Their profiles
// must be locked.
func (t *Tx) MembersTx(ctx context.Context, people []lifecycle.ProfileID) (map[lifecycle.ProfileID]AccountMember, error) {
	all := map[lifecycle.ProfileID]AccountMember{}
	if len(people) == 0 {
		return all, nil
	}
	rows, err := t.query(ctx, "select person, account, domain, company, since, tally from account_people where "+t.s.d.oneOf("person", "bigint"), list(t.s.d, people))
	err = each(rows, err, func(rows *sql.Rows) error {
		var m AccountMember
		err := rows.Scan(&m.Person, &m.Account, &m.Domain, &m.Company, &m.Since, &m.Tally)
		all[m.Person] = m
		return err
	})
	return all, err
}

// ChangeMembersTx writes what people are to their accounts from now on, and
// takes those who left out of all.
func (t *Tx) ChangeMembersTx(ctx context.Context, now []AccountMember, left []lifecycle.ProfileID) error {
	n := len(now)
	people, since, tallies := make([]int64, n), make([]int64, n), make([][]byte, n)
	accounts, domains, companies := make([]string, n), make([]string, n), make([]string, n)
	for i := range now {
		m := &now[i]
		people[i], accounts[i], domains[i], companies[i], since[i], tallies[i] = int64(m.Person), m.Account, m.Domain, m.Company, int64(m.Since), m.Tally
	}
	if _, err := t.insert(ctx, "account_people", `on conflict (person) do update set account = excluded.account, domain = excluded.domain,
		company = excluded.company, since = excluded.since, tally = excluded.tally`, ints("person", people), texts("account", accounts),
		texts("domain", domains), texts("company", companies), ints("since", since), blobs("tally", tallies)); err != nil {
		return err
	}
	if len(left) == 0 {
		return nil
	}
	_, err := t.exec(ctx, "delete from account_people where "+t.s.d.oneOf("person", "bigint"), list(t.s.d, left))
	return err
}

const accountColumns = "key, stage, since, people, segments, name, name_at, moves, tally"

// accountColumnsAgain are accountColumns with the moves of an account that was
// left by everybody before.
const accountColumnsAgain = `key, stage, since, people, segments, name, name_at,
	case when moves > 0 then moves else coalesce((select max(m.seq) from account_moves m where m.account = accounts.key), 0) end, tally`

func scanAccount(rows *sql.Rows) (*Account, error) {
	var a Account
	var segments string
	err := rows.Scan(&a.Key, &a.Stage, &a.Found, &a.People, &segments, &a.Name, &a.NameAt, &a.Moves, &a.Tally)
	for s := range strings.SplitSeq(segments, "\n") {
		if s != "" {
			a.Segments = append(a.Segments, lifecycle.Segment(s))
		}
	}
	return &a, err
}

// LockAccountsTx loads and locks accounts, making those that do not exist yet.
// The keys must be sorted and distinct; every transaction locks accounts after
// people, and in this order, so that none waits for another in a circle. One
// that people come back to goes on counting its moves.
func (t *Tx) LockAccountsTx(ctx context.Context, keys []string) (map[string]*Account, error) {
	if _, err := t.insert(ctx, "accounts", "on conflict (key) do nothing", texts("key", keys)); err != nil {
		return nil, err
	}
	all := make(map[string]*Account, len(keys))
	rows, err := t.query(ctx, "select "+accountColumnsAgain+" from accounts where "+t.s.d.oneOf("key", "text")+" order by key"+t.s.d.forUpdate, list(t.s.d, keys))
	err = each(rows, err, func(rows *sql.Rows) error {
		a, err := scanAccount(rows)
		all[a.Key] = a
		return err
	})
	if err == nil && len(all) != len(keys) {
		return nil, errAgain // the last person of one left it between the two statements
	}
	return all, err
}

// SaveAccountsTx writes accounts that LockAccountsTx gave. Those without people
// are forgotten, and where they stand at vendors with them; their moves stay.
func (t *Tx) SaveAccountsTx(ctx context.Context, all []*Account) error {
	var gone []string
	kept := make([]*Account, 0, len(all))
	for _, a := range all {
		if a.People <= 0 {
			gone = append(gone, a.Key)
			continue
		}
		kept = append(kept, a)
	}
	n := len(kept)
	keys, stages, segments, names, tallies := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([][]byte, n)
	since, people, nameAt, moves := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i, a := range kept {
		keys[i], stages[i], names[i], tallies[i] = a.Key, string(a.Stage), a.Name, a.Tally
		since[i], people[i], nameAt[i], moves[i] = int64(a.Found), a.People, int64(a.NameAt), a.Moves
		parts := make([]string, len(a.Segments))
		for j, s := range a.Segments {
			parts[j] = string(s)
		}
		segments[i] = strings.Join(parts, "\n")
	}
	if _, err := t.update(ctx, "accounts", `stage = v.stage, since = v.since, people = v.people, segments = v.segments, name = v.name,
		name_at = v.name_at, moves = v.moves, tally = v.tally`, "accounts.key = v.key", texts("key", keys), texts("stage", stages), ints("since", since),
		ints("people", people), texts("segments", segments), texts("name", names), ints("name_at", nameAt), ints("moves", moves), blobs("tally", tallies)); err != nil {
		return err
	}
	if len(gone) == 0 {
		return nil
	}
	for _, q := range []string{"delete from accounts where " + t.s.d.oneOf("key", "text"),
		"delete from account_sync where " + t.s.d.oneOf("account", "text")} {
		if _, err := t.exec(ctx, q, list(t.s.d, gone)); err != nil {
			return err
		}
	}
	return nil
}

// CompaniesTx gives the company's name that was told last of any of an
// account's people; accounts of which none was told are missing.
func (t *Tx) CompaniesTx(ctx context.Context, keys []string) (map[string]AccountMember, error) {
	all := map[string]AccountMember{}
	const newest = " from account_people m where m.account = a.key and m.company <> '' order by m.since desc, m.company desc limit 1)"
	rows, err := t.query(ctx, "select a.key, (select m.company"+newest+", (select m.since"+newest+" from accounts a where "+t.s.d.oneOf("a.key", "text"), list(t.s.d, keys))
	err = each(rows, err, func(rows *sql.Rows) error {
		var m AccountMember
		var company sql.NullString
		var since sql.NullInt64
		err := rows.Scan(&m.Account, &company, &since)
		if company.Valid {
			m.Company, m.Since = company.String, lifecycle.Instant(since.Int64)
			all[m.Account] = m
		}
		return err
	})
	return all, err
}

// AddAccountMovesTx writes moves.
func (t *Tx) AddAccountMovesTx(ctx context.Context, all []AccountMove) error {
	n := len(all)
	accounts, from, to, data := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	seq, at, decided, people, events := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([][]byte, n)
	for i := range all {
		x := &all[i]
		accounts[i], from[i], to[i], seq[i], at[i], decided[i], people[i] = x.Account, string(x.From), string(x.To), x.Seq, int64(x.At), int64(x.Decided), int64(x.Person)
		if x.Event != (lifecycle.EventID{}) {
			events[i] = slices.Clone(x.Event[:])
		}
		b, err := json.Marshal(x.Cause)
		if err != nil {
			return err
		}
		data[i] = string(b)
	}
	_, err := t.insert(ctx, "account_moves", "", texts("account", accounts), ints("seq", seq), texts("from_stage", from), texts("to_stage", to),
		ints("at", at), ints("decided", decided), ints("person", people), blobs("event", events), texts("data", data))
	return err
}
