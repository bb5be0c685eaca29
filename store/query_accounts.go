package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// AccountFilter selects accounts.
type AccountFilter struct {
	// Stage takes only accounts in it; "" takes all.
	Stage lifecycle.Stage
	// Search is a part of the key or the name, whatever its case; "" takes all. It
	// is looked for among Within accounts at a time (zero: 20,000), so a page may
	// be short, or empty, and yet have a cursor that goes on.
	Search string
	Within int
	// Begin are beginnings of keys that a search may mean: those accounts come
	// first, wherever they are, and once.
	Begin []string
	// After is the cursor: the last key shown; "" begins.
	After string
	Limit int
}

// Accounts lists accounts by key, a page at a time, and gives the next cursor.
func (s *Store) Accounts(ctx context.Context, f AccountFilter) ([]*Account, string, error) {
	if f.Search != "" {
		all, next, err := s.searchAccounts(ctx, &f)
		if err != nil {
			return nil, "", fmt.Errorf("store: accounts: %w", away(err))
		}
		return all, next, nil
	}
	limit := page(f.Limit)
	from, args := f.from()
	all, err := s.accountsWhere(ctx, from+" order by key limit ?", append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("store: accounts: %w", away(err))
	}
	if len(all) <= limit {
		return all, "", nil
	}
	return all[:limit], all[limit-1].Key, nil
}

// from is the part of a statement that reads on behind the cursor.
func (f *AccountFilter) from() (string, []any) {
	if f.Stage != "" {
		return "from accounts where stage = ? and key > ?", []any{string(f.Stage), f.After}
	}
	return "from accounts where key > ?", []any{f.After}
}

// accountsWhere gives accounts; from is the statement behind its columns.
func (s *Store) accountsWhere(ctx context.Context, from string, args ...any) ([]*Account, error) {
	var all []*Account
	rows, err := s.query(ctx, "select "+accountColumns+" "+from, args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		a, err := scanAccount(rows)
		all = append(all, a)
		return err
	})
	return all, err
}

// Account gives one account; ErrNotFound where nobody belongs to it.
func (s *Store) Account(ctx context.Context, key string) (*Account, error) {
	var a *Account
	rows, err := s.query(ctx, "select "+accountColumns+" from accounts where key = ?", key)
	err = each(rows, err, func(rows *sql.Rows) error {
		var err error
		a, err = scanAccount(rows)
		return err
	})
	if err == nil && a == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("store: account: %w", away(err))
	}
	return a, nil
}

// AccountOf gives the key of the account that a person belongs to; "" for none.
func (s *Store) AccountOf(ctx context.Context, person lifecycle.ProfileID) (string, error) {
	key := ""
	rows, err := s.query(ctx, "select account from account_people where person = ?", int64(person))
	err = each(rows, err, func(rows *sql.Rows) error { return rows.Scan(&key) })
	if err != nil {
		return "", fmt.Errorf("store: account of a person: %w", away(err))
	}
	return key, nil
}

// AccountPeople gives the people of an account by id, after a person, and
// whether there are more.
func (s *Store) AccountPeople(ctx context.Context, key string, after lifecycle.ProfileID, limit int) ([]*Person, bool, error) {
	limit = page(limit)
	columns := "p." + strings.ReplaceAll(personColumns, ", ", ", p.")
	var all []*Person
	rows, err := s.query(ctx, "select "+columns+` from account_people m join profiles p on p.id = m.person
		where m.account = ? and m.person > ? order by m.person limit ?`, key, int64(after), limit+1)
	err = each(rows, err, func(rows *sql.Rows) error {
		p, err := scanPerson(rows)
		all = append(all, p)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("store: people of an account: %w", away(err))
	}
	if len(all) > limit {
		return all[:limit], true, nil
	}
	return all, false, nil
}

// AccountMoves gives an account's moves, newest first, before a Seq (zero: all).
func (s *Store) AccountMoves(ctx context.Context, key string, before int64, limit int) ([]AccountMove, error) {
	q, args := "select account, seq, from_stage, to_stage, at, decided, person, event, data from account_moves where account = ?", []any{key}
	if before > 0 {
		q, args = q+" and seq < ?", append(args, before)
	}
	var all []AccountMove
	rows, err := s.query(ctx, q+" order by seq desc limit ?", append(args, page(limit))...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var x AccountMove
		var event []byte
		var data string
		if err := rows.Scan(&x.Account, &x.Seq, &x.From, &x.To, &x.At, &x.Decided, &x.Person, &event, &data); err != nil {
			return err
		}
		copy(x.Event[:], event)
		all = append(all, x)
		return json.Unmarshal([]byte(data), &all[len(all)-1].Cause)
	})
	if err != nil {
		return nil, fmt.Errorf("store: moves of an account: %w", away(err))
	}
	return all, nil
}

// AccountDomains gives, for each account, the domain that most of its people
// have an address under, the first by name of several; accounts none of whose
// people have one are missing.
func (s *Store) AccountDomains(ctx context.Context, keys []string) (map[string]string, error) {
	all := map[string]string{}
	if len(keys) == 0 {
		return all, nil
	}
	most := map[string]int64{}
	rows, err := s.query(ctx, "select account, domain, count(*) from account_people where "+s.d.oneOf("account", "text")+" and domain <> '' group by account, domain", list(s.d, keys))
	err = each(rows, err, func(rows *sql.Rows) error {
		var key, domain string
		var n int64
		err := rows.Scan(&key, &domain, &n)
		if n > most[key] || n == most[key] && domain < all[key] {
			most[key], all[key] = n, domain
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: domains of accounts: %w", away(err))
	}
	return all, nil
}
