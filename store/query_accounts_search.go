package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
)

const (
	// accountsWithin is among how many accounts one page of a search looks.
	accountsWithin = 20_000
	// behindBeginnings is the cursor of a page that was filled by beginnings
	// alone: it comes before every key.
	behindBeginnings = "!"
)

// searchAccounts gives, first, accounts whose key begins as the filter says,
// which an index finds, and then those that have the text anywhere, which are
// looked for in the order of keys. So somebody who knows how a domain begins has
// the account at once among millions.
func (s *Store) searchAccounts(ctx context.Context, f *AccountFilter) ([]*Account, string, error) {
	limit := page(f.Limit)
	first, err := s.accountsBeginning(ctx, f, limit)
	if err != nil {
		return nil, "", err
	}
	found, next, err := s.accountsLike(ctx, f, limit)
	if err != nil {
		return nil, "", err
	}
	found = slices.DeleteFunc(found, func(a *Account) bool {
		return slices.ContainsFunc(first, func(b *Account) bool { return a.Key == b.Key })
	})
	if f.After != "" {
		return found, next, nil
	}
	if room := limit - len(first); len(found) > room {
		if found, next = found[:room], behindBeginnings; room > 0 {
			next = found[room-1].Key
		}
	}
	return append(first, found...), next, nil
}

// accountsBeginning gives up to limit accounts whose key has one of the
// beginnings, in the order of these.
func (s *Store) accountsBeginning(ctx context.Context, f *AccountFilter, limit int) ([]*Account, error) {
	begin := slices.DeleteFunc(slices.Clone(f.Begin), func(text string) bool { return text == "" || strings.ContainsRune(text, 0) })
	begin = begin[:min(len(begin), mostArms)]
	if len(begin) == 0 {
		return nil, nil
	}
	stage, args := "", []any(nil)
	if f.Stage != "" {
		stage = " and stage = ?"
	}
	for _, text := range begin {
		args = append(args, text, text+"\U0010FFFF")
		if f.Stage != "" {
			args = append(args, string(f.Stage))
		}
		args = append(args, limit)
	}
	var keys []string
	rows, err := s.query(ctx, arms(len(begin), "key", "select key from accounts where key >= ? and key < ?"+stage+" order by key limit ?"), args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		arm, key := 0, ""
		err := rows.Scan(&arm, &key)
		if len(keys) < limit && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
		return err
	})
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	all, err := s.accountsWhere(ctx, "from accounts where "+s.d.oneOf("key", "text"), list(s.d, keys))
	slices.SortFunc(all, func(a, b *Account) int { return slices.Index(keys, a.Key) - slices.Index(keys, b.Key) })
	return all, err
}

// accountsLike looks for the text among the next accounts behind the cursor,
// and gives the cursor behind those it looked at where there are more.
func (s *Store) accountsLike(ctx context.Context, f *AccountFilter, limit int) ([]*Account, string, error) {
	within := f.Within
	if within <= 0 {
		within = accountsWithin
	}
	from, args := f.from()
	like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(f.Search)) + "%"
	found, err := s.accountsWhere(ctx, "from (select "+accountColumns+" "+from+" order by key limit ?) x"+
		` where lower(key) like ? escape '\' or lower(name) like ? escape '\' order by key limit ?`, append(slices.Clone(args), within, like, like, limit+1)...)
	if err != nil {
		return nil, "", err
	}
	if len(found) > limit {
		return found[:limit], found[limit-1].Key, nil
	}
	looked, last := 0, ""
	rows, err := s.query(ctx, "select count(*), coalesce(max(key), '') from (select key "+from+" order by key limit ?) x", append(args, within)...)
	if err == nil {
		err = scanOne(rows, &looked, &last)
	}
	if err != nil || looked < within {
		return found, "", err
	}
	return found, last, nil
}
