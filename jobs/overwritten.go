package jobs

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// change is a raw event by which a vendor says that somebody changed a record
// there, in a field that may be one of ours.
type change struct {
	conn *Conn
	at   lifecycle.Instant
	// fields that were changed; nil where the vendor does not name them, and
	// the stage that was claimed is all that is known.
	fields []store.LedgerEntry
	people []lifecycle.ProfileID
	claims map[lifecycle.ProfileID]lifecycle.Stage
}

// overwritten makes people due again whose records somebody at the vendor
// changed in what we write, unless it is changed to what we want it to be: a
// claim that loses must not leave the vendor with a value of its own.
func (p *Processor) overwritten(ctx context.Context, t *store.Tx, w *work, rows []store.Row) error {
	changes := changesOf(w, rows)
	if len(changes) == 0 {
		return nil
	}
	if err := keepOurFields(ctx, t, changes); err != nil {
		return err
	}
	profiles := map[lifecycle.ProfileID]*lifecycle.Profile{}
	attribute(changes, w.people, profiles)
	if err := findHolders(ctx, t, changes); err != nil {
		return err
	}
	if err := loadProfiles(ctx, t, changes, profiles); err != nil {
		return err
	}
	all := map[string]store.Overwritten{}
	for _, c := range changes {
		for _, id := range c.people {
			prof := profiles[id]
			if prof == nil || c.agrees(w.cfg.PlanOf(id), prof, c.claims[id]) {
				continue
			}
			key := stableID(c.conn.ID, id, 0)
			if have, ok := all[key]; !ok || have.At < c.at {
				all[key] = store.Overwritten{Connection: c.conn.ID, Person: id, At: c.at}
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	list := slices.SortedFunc(maps.Values(all), func(a, b store.Overwritten) int {
		return cmp.Or(strings.Compare(a.Connection, b.Connection), cmp.Compare(a.Person, b.Person))
	})
	for _, o := range list {
		if !slices.Contains(w.pushed, o.Connection) {
			w.pushed = append(w.pushed, o.Connection)
		}
	}
	return t.OverwrittenTx(ctx, list)
}

// changesOf picks the raw events that may tell of such a change, by inbox id.
// What is processed again was answered when it came.
func changesOf(w *work, rows []store.Row) map[int64]*change {
	var changes map[int64]*change
	for i := range rows {
		m := &w.rows[i]
		conn := w.cfg.Connections[rows[i].Connection]
		if conn == nil || rows[i].Replayed || m.hold != 0 || m.outcome.Status == store.Failed || conn.Destination() == nil || conn.takesEvents() {
			continue
		}
		claimed := slices.ContainsFunc(m.events, func(e lifecycle.Event) bool { return e.Claim != "" })
		if len(m.written) == 0 && !claimed {
			continue
		}
		if changes == nil {
			changes = map[int64]*change{}
		}
		at := rows[i].At
		if at == 0 {
			at = rows[i].Received
		}
		changes[rows[i].ID] = &change{conn: conn, at: at, fields: m.written, claims: map[lifecycle.ProfileID]lifecycle.Stage{}}
	}
	return changes
}

// keepOurFields drops changes of fields that no push writes.
func keepOurFields(ctx context.Context, t *store.Tx, changes map[int64]*change) error {
	var ask []string
	for _, c := range changes {
		if len(c.fields) > 0 && !slices.Contains(ask, c.conn.ID) {
			ask = append(ask, c.conn.ID)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	ours, err := t.WrittenFieldsTx(ctx, ask)
	if err != nil {
		return err
	}
	for id, c := range changes {
		if len(c.fields) == 0 {
			continue
		}
		c.fields = slices.DeleteFunc(slices.Clone(c.fields), func(f store.LedgerEntry) bool { return !ours[c.conn.ID][f.Field] })
		if len(c.fields) == 0 {
			delete(changes, id)
		}
	}
	return nil
}

// attribute finds the people of changes among those the batch is about.
func attribute(changes map[int64]*change, people []*person, profiles map[lifecycle.ProfileID]*lifecycle.Profile) {
	for _, p := range people {
		if p.gone {
			continue
		}
		for _, e := range p.fresh {
			c := changes[e.Inbox]
			if c == nil {
				continue
			}
			profiles[p.id] = p.prof
			if !slices.Contains(c.people, p.id) {
				c.people = append(c.people, p.id)
			}
			if e.Claim != "" {
				c.claims[p.id] = e.Claim
			}
		}
	}
}

// findHolders looks up whose records changes are about that no rule made an
// event of.
func findHolders(ctx context.Context, t *store.Tx, changes map[int64]*change) error {
	var keys []string
	for _, c := range changes {
		for _, f := range c.fields {
			if len(c.people) == 0 {
				keys = append(keys, c.keys(f.Record)...)
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	holders, err := t.HoldersTx(ctx, keys)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if len(c.people) > 0 {
			continue
		}
		for _, f := range c.fields {
			for _, key := range c.keys(f.Record) {
				if id, ok := holders[key]; ok && !slices.Contains(c.people, id) {
					c.people = append(c.people, id)
				}
			}
		}
	}
	return nil
}

// keys are those under which a person may be known whose record is named.
func (c *change) keys(record string) []string {
	keys := []string{lifecycle.Key{Namespace: c.conn.ID, Value: record}.String()}
	if k, ok := lifecycle.NormaliseKey(lifecycle.NamespaceEmail, record); ok && strings.Contains(record, "@") {
		keys = append(keys, k.String())
	}
	return keys
}

// loadProfiles reads the profiles of people whom the batch does not touch.
func loadProfiles(ctx context.Context, t *store.Tx, changes map[int64]*change, profiles map[lifecycle.ProfileID]*lifecycle.Profile) error {
	var missing []lifecycle.ProfileID
	for _, c := range changes {
		for _, id := range c.people {
			if profiles[id] == nil {
				missing = append(missing, id)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	people, err := t.PeopleTx(ctx, slices.Compact(missing))
	if err != nil {
		return err
	}
	for id, row := range people {
		if row.Merged != 0 || row.State == nil {
			continue
		}
		if profiles[id], err = lifecycle.DecodeProfile(row.State); err != nil {
			return err
		}
	}
	return nil
}

// agrees tells whether the record now holds what we want it to hold.
func (c *change) agrees(plan *lifecycle.Plan, prof *lifecycle.Profile, claim lifecycle.Stage) bool {
	d := want(c.conn, plan, prof, c.conn.managedNames())
	if !d.member {
		return true // not pushed, whatever it says there
	}
	if len(c.fields) == 0 {
		return d.state.Stage == "" || vendorStage(&c.conn.Push, claim) == d.state.Stage
	}
	for _, f := range c.fields {
		trait, isTrait := d.state.Traits[f.Field]
		switch {
		case isTrait && (sameValue(trait, f.Value) || trait == nil && f.Value == ""):
		case !isTrait && f.Value == d.state.Stage:
		default:
			return false
		}
	}
	return true
}

// noteFields remembers the names of the fields that a push wrote, before the
// push counts as done.
func (p *Pusher) noteFields(ctx context.Context, conn *Conn, ledger []store.LedgerEntry) error {
	var fresh []string
	for _, e := range ledger {
		if _, known := conn.written.Load(e.Field); !known && e.Field != "" && !slices.Contains(fresh, e.Field) {
			fresh = append(fresh, e.Field)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := p.Store.NoteWrittenFields(ctx, conn.ID, fresh); err != nil {
		return err
	}
	for _, name := range fresh {
		conn.written.Store(name, true)
	}
	return nil
}
