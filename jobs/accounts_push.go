package jobs

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// sendAccounts pushes the accounts that are due at a connection, in the lane of
// its people and with the same breaker, rate, retries and states.
func (p *Pusher) sendAccounts(ctx context.Context, conn *Conn) error {
	dest := conn.AccountDestination()
	if dest == nil {
		return nil
	}
	managed, err := p.manageAccounts(ctx, conn)
	if err != nil {
		return err
	}
	limits := dest.AccountLimits()
	return p.turns(ctx, conn, limits, func() {}, p.Store.AccountsDue, func(until lifecycle.Instant) (int, func() (worst, err error), error) {
		leased, err := p.Store.LeaseAccounts(ctx, conn.ID, max(1, limits.Batch), until)
		return len(leased), func() (error, error) { return p.accountBatch(ctx, conn, dest, managed, leased) }, err
	})
}

// manageAccounts is manage for the segments of accounts.
func (p *Pusher) manageAccounts(ctx context.Context, conn *Conn) ([]string, error) {
	var names []string
	for _, plan := range p.Registry.Config().plans() {
		for _, s := range plan.AccountSegments() {
			if Pushes(conn.Push.Accounts, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	return p.Store.Manage(ctx, store.AccountsOf(conn.ID), names)
}

// accountBatch pushes leased accounts and writes back what became of each.
func (p *Pusher) accountBatch(ctx context.Context, conn *Conn, dest connectors.AccountDestination, managed []string, leased []store.LeasedAccount) (worst, err error) {
	domains, err := p.domains(ctx, leased)
	if err != nil {
		return nil, err
	}
	backs := make([]store.AccountWriteBack, len(leased))
	var updates []connectors.AccountUpdate
	var which []int
	for i := range leased {
		x := &leased[i]
		if x.Row == nil {
			backs[i] = p.accountBack(x, nil, connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "nobody belongs to this account any more"})
			continue
		}
		u, same, err := p.accountUpdate(conn, x, managed, domains[x.Account])
		if err != nil {
			return nil, err
		}
		if same {
			backs[i] = p.accountBack(x, nil, connectors.Result{Outcome: connectors.OK, VendorID: x.VendorID})
			continue
		}
		updates, which = append(updates, *u), append(which, i)
	}
	var ledger []store.LedgerEntry
	if len(updates) > 0 {
		call, cancel := context.WithTimeout(ctx, p.timeout())
		results := pushHalving(call, dest.PushAccounts, updates)
		cancel()
		for j, r := range results {
			backs[which[j]] = p.accountBack(&leased[which[j]], &updates[j], r)
			for _, f := range r.Written {
				ledger = append(ledger, store.LedgerEntry{Connection: conn.ID, Record: f.Record, Field: f.Name, Value: f.Value})
			}
			if f := failureOf(r); f != nil {
				worst = f
			}
		}
	}
	return worst, p.Store.WriteBackAccounts(context.WithoutCancel(ctx), backs, ledger)
}

// domains gives the domain to look each account up by.
func (p *Pusher) domains(ctx context.Context, leased []store.LeasedAccount) (map[string]string, error) {
	found := map[string]string{}
	var ask []string
	for i := range leased {
		key := leased[i].Account
		if kind, _, value := lifecycle.AccountKey(key); kind == "domain" {
			found[key] = value
		} else {
			ask = append(ask, key)
		}
	}
	told, err := p.Store.AccountDomains(ctx, ask)
	for key, domain := range told {
		found[key] = domain
	}
	return found, err
}

// accountUpdate makes the update of an account; same tells that the vendor is
// known to hold what is wanted.
func (p *Pusher) accountUpdate(conn *Conn, x *store.LeasedAccount, managed []string, domain string) (u *connectors.AccountUpdate, same bool, err error) {
	tally, err := lifecycle.DecodeTally(x.Row.Tally)
	if err != nil {
		return nil, false, fmt.Errorf("jobs: push account %s: %w", x.Account, err)
	}
	plan := p.Registry.Config().AccountPlan(x.Row.People, tally)
	u = &connectors.AccountUpdate{
		Key: x.Account, ID: stableAccountID(conn.ID, x.Account, x.Version), VendorID: x.VendorID, Domain: domain, Name: x.Row.Name,
		Want: wantAccount(conn, plan, x.Row, managed),
	}
	if kind, connection, id := lifecycle.AccountKey(x.Account); u.VendorID == "" && kind == "group" && connection == conn.ID {
		u.VendorID = id
	}
	if x.Known == "" {
		return u, false, nil
	}
	var k connectors.State
	if err := json.Unmarshal([]byte(x.Known), &k); err != nil {
		return u, false, nil // not known, so everything is sent
	}
	u.Known = &k
	return u, sameState(&u.Want, &k), nil
}

// accountBack is writeBack for an account. A job that the vendor made of the
// push is not followed: whether it did its work is not confirmed.
func (p *Pusher) accountBack(x *store.LeasedAccount, u *connectors.AccountUpdate, r connectors.Result) store.AccountWriteBack {
	if r.Outcome == connectors.Submitted {
		r.Outcome, r.Message = connectors.Unconfirmed, "taken as the job "+r.Job
	}
	w := store.AccountWriteBack{AccountSync: x.AccountSync}
	now := p.Now()
	f := fateOf(r, x.Attempts, now)
	w.State, w.Attempts, w.Retry, w.Reason, w.Message = f.state, f.attempts, f.retry, string(r.Reason), r.Message
	if r.VendorID != "" {
		w.VendorID = r.VendorID
	}
	switch {
	case f.arrived && u != nil:
		s := u.Want
		if s.Stage == "" && u.Known != nil {
			s.Stage = u.Known.Stage
		}
		w.Pushed = lifecycle.At(now)
		if b, err := json.Marshal(s); err == nil {
			w.Known = string(b)
		}
	case f.unknown || len(r.Written) > 0 && !f.arrived:
		w.Known = ""
	}
	return w
}

func stableAccountID(connection, account string, version int64) string {
	return stableID(connection+"\x00"+account, 0, version)
}

// RetryAccounts makes accounts due again whose delivery failed, was skipped or
// could not be confirmed; with dryRun it only counts them. The state "" means
// failed, the connection "" all.
func (a *Admin) RetryAccounts(ctx context.Context, connection, state string, dryRun bool) (int64, error) {
	switch state {
	case "":
		state = store.SyncFailed
	case store.SyncFailed, store.SyncSkipped, store.SyncUnconfirmed:
	default:
		return 0, &Invalid{[]error{&connectors.SettingError{Field: "state", Detail: "want failed, skipped or unconfirmed"}}}
	}
	connections := []string{connection}
	if connection == "" {
		connections = a.Registry.IDs()
	}
	var total int64
	for _, id := range connections {
		n, err := a.Registry.o.Store.RetryAccounts(ctx, id, state, dryRun)
		if err != nil {
			return total, err
		}
		total += n
		if n > 0 && !dryRun {
			a.wake(id)
		}
	}
	return total, nil
}
