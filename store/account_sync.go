package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// AccountSync is what is known of an account at a connection; its fields mean
// what those of Sync mean for a person.
type AccountSync struct {
	Connection, Account string
	Version             int64
	State               string
	Due                 lifecycle.Instant
	Lease, Attempts     int64
	Reason, Message     string
	VendorID            string
	Pushed              lifecycle.Instant
	Known               string
}

// LeasedAccount is an account taken for a push; Row is nil where nobody belongs
// to it any more.
type LeasedAccount struct {
	AccountSync
	Row *Account
}

// AccountWriteBack is the end of a lease.
type AccountWriteBack struct {
	AccountSync
	// Retry is when to try again; zero ends the trying.
	Retry lifecycle.Instant
}

const accountSyncColumns = "connection, account, version, state, due_at, lease, attempts, reason, message, vendor_id, pushed_at, known"

func scanAccountSync(rows *sql.Rows) (AccountSync, error) {
	var x AccountSync
	err := rows.Scan(&x.Connection, &x.Account, &x.Version, &x.State, &x.Due, &x.Lease, &x.Attempts, &x.Reason, &x.Message, &x.VendorID, &x.Pushed, &x.Known)
	return x, err
}

// wantAgain is what becomes of a row whose desired state changed.
const wantAgain = ` on conflict (connection, account) do update set version = account_sync.version + 1, state = 'pending', attempts = 0,
	due_at = case when account_sync.lease > 0 then account_sync.due_at else excluded.due_at end`

// WantAccountsTx makes accounts due at connections, as WantPushTx does people.
func (t *Tx) WantAccountsTx(ctx context.Context, connections, accounts []string, due lifecycle.Instant) error {
	n := len(accounts)
	versions, states, dues := make([]int64, n), make([]string, n), make([]int64, n)
	for i := range n {
		versions[i], states[i], dues[i] = 1, SyncPending, int64(due)
	}
	_, err := t.insert(ctx, "account_sync", wantAgain, texts("connection", connections), texts("account", accounts),
		ints("version", versions), texts("state", states), ints("due_at", dues))
	return err
}

// resyncAccounts is how many accounts one transaction makes due.
const resyncAccounts = 5000

// ResyncAccounts makes all accounts due at a connection, with nothing known of
// what is there, and answers how many there are.
func (s *Store) ResyncAccounts(ctx context.Context, connection string) (int64, error) {
	var total int64
	for last := ""; ; {
		var n int64
		err := s.in(ctx, derived, func(t *Tx) error {
			var next sql.NullString
			const part = "(select key from accounts where stage <> '' and key > ? order by key limit ?) x"
			if err := t.one(ctx, "select max(key) from "+part, []any{last, resyncAccounts}, &next); err != nil || !next.Valid {
				return err
			}
			var err error
			n, err = t.exec(ctx, "insert into account_sync (connection, account, version, state, due_at) select cast(? as text), key, 1, 'pending', cast(? as bigint) from "+part+
				" where true"+wantAgain+", known = ''", connection, s.nowMicros(), last, resyncAccounts)
			last = next.String
			return err
		})
		if err != nil {
			return total, fmt.Errorf("store: resync accounts: %w", err)
		}
		total += n
		if n == 0 {
			return total, nil
		}
	}
}

// LeaseAccounts takes accounts that are due at a connection, as Lease does people.
func (s *Store) LeaseAccounts(ctx context.Context, connection string, limit int, until lifecycle.Instant) ([]LeasedAccount, error) {
	var taken []LeasedAccount
	err := s.in(ctx, durable, func(t *Tx) error {
		taken = taken[:0]
		rows, err := t.query(ctx, `update account_sync set due_at = ?, known = case when lease > 0 then '' else known end, lease = abs(lease) + 1
			where connection = ? and account in (select account from account_sync where connection = ? and due_at > 0 and due_at <= ?
			order by due_at, account limit ?`+s.d.skipLocked+`) returning `+accountSyncColumns, int64(until), connection, connection, s.nowMicros(), limit)
		var keys []string
		err = each(rows, err, func(rows *sql.Rows) error {
			x, err := scanAccountSync(rows)
			taken, keys = append(taken, LeasedAccount{AccountSync: x}), append(keys, x.Account)
			return err
		})
		if err != nil || len(taken) == 0 {
			return err
		}
		found := map[string]*Account{}
		rows, err = t.query(ctx, "select "+accountColumns+" from accounts where "+s.d.oneOf("key", "text"), list(s.d, keys))
		err = each(rows, err, func(rows *sql.Rows) error {
			a, err := scanAccount(rows)
			found[a.Key] = a
			return err
		})
		for i := range taken {
			taken[i].Row = found[taken[i].Account]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: lease accounts: %w", err)
	}
	return taken, nil
}

// WriteBackAccounts ends leases, as WriteBackAll does those of people.
func (s *Store) WriteBackAccounts(ctx context.Context, all []AccountWriteBack, ledger []LedgerEntry) error {
	n := len(all)
	conns, accounts, version, lease := make([]string, n), make([]string, n), make([]int64, n), make([]int64, n)
	state, due, attempts, pushed := make([]string, n), make([]int64, n), make([]int64, n), make([]int64, n)
	reason, message, vendor, known := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	now, nows := s.nowMicros(), make([]int64, n)
	for i := range all {
		w := &all[i]
		conns[i], accounts[i], version[i], lease[i] = w.Connection, w.Account, w.Version, w.Lease
		state[i], due[i], attempts[i], pushed[i], nows[i] = w.State, int64(w.Retry), w.Attempts, int64(w.Pushed), now
		reason[i], message[i], vendor[i], known[i] = w.Reason, clean(w.Message, 2000), clean(w.VendorID, maxText), w.Known
	}
	err := s.in(ctx, derived, func(t *Tx) error {
		if _, err := t.update(ctx, "account_sync", `state = case when account_sync.version = v.version then v.state else 'pending' end,
			due_at = case when account_sync.version = v.version then v.due_at else v.now end,
			attempts = case when account_sync.version = v.version then v.attempts else 0 end,
			lease = -v.lease, reason = v.reason, message = v.message, vendor_id = v.vendor_id, known = v.known, pushed_at = v.pushed_at`,
			"account_sync.connection = v.connection and account_sync.account = v.account and account_sync.lease = v.lease",
			texts("connection", conns), texts("account", accounts), ints("version", version), ints("lease", lease), texts("state", state),
			ints("due_at", due), ints("attempts", attempts), texts("reason", reason), texts("message", message), texts("vendor_id", vendor),
			texts("known", known), ints("pushed_at", pushed), ints("now", nows)); err != nil {
			return err
		}
		return t.addLedger(ctx, ledger, now)
	})
	if err != nil {
		return fmt.Errorf("store: write back accounts: %w", err)
	}
	return nil
}

// AccountsDue tells whether an account is due at a connection now.
func (s *Store) AccountsDue(ctx context.Context, connection string) (bool, error) {
	n := 0
	rows, err := s.query(ctx, "select count(*) from (select 1 from account_sync where connection = ? and due_at > 0 and due_at <= ? limit 1) x", connection, s.nowMicros())
	if err == nil {
		err = scanOne(rows, &n)
	}
	if err != nil {
		return false, fmt.Errorf("store: accounts due: %w", away(err))
	}
	return n > 0, nil
}

// AccountSyncOf gives where accounts stand at all connections, by account.
func (s *Store) AccountSyncOf(ctx context.Context, keys []string) (map[string][]AccountSync, error) {
	all := map[string][]AccountSync{}
	if len(keys) == 0 {
		return all, nil
	}
	rows, err := s.query(ctx, "select "+accountSyncColumns+" from account_sync where "+s.d.oneOf("account", "text")+" order by account, connection", list(s.d, keys))
	err = each(rows, err, func(rows *sql.Rows) error {
		x, err := scanAccountSync(rows)
		all[x.Account] = append(all[x.Account], x)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: sync of accounts: %w", away(err))
	}
	return all, nil
}

// AccountsOf names a connection's accounts where people and accounts are kept
// apart in one table; no connection can be called so.
func AccountsOf(connection string) string { return connection + "#accounts" }

// RetryAccounts makes accounts of a state (failed, skipped, unconfirmed) at a
// connection due now, and answers how many; with dryRun it only counts them.
func (s *Store) RetryAccounts(ctx context.Context, connection, state string, dryRun bool) (int64, error) {
	const which = "connection = ? and state = ? and lease <= 0"
	var n int64
	err := s.in(ctx, durable, func(t *Tx) error {
		if dryRun {
			return t.one(ctx, "select count(*) from account_sync where "+which, []any{connection, state}, &n)
		}
		var err error
		n, err = t.exec(ctx, "update account_sync set state = 'pending', attempts = 0, due_at = ? where "+which, s.nowMicros(), connection, state)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store: retry accounts: %w", err)
	}
	return n, nil
}
