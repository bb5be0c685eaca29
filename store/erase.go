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

// ReasonErased is why a raw event came to nothing: it is about somebody who
// was erased, and its bytes are gone.
const ReasonErased = "erased"

// RemoveEventsTx deletes events, by person, time and id.
func (t *Tx) RemoveEventsTx(ctx context.Context, all []Stored) error {
	owners := make([]lifecycle.ProfileID, len(all))
	for i := range all {
		owners[i] = all[i].Person
	}
	slices.Sort(owners)
	elsewhere, err := homesOf(ctx, t, t.s.d, slices.Compact(owners))
	if err != nil {
		return err
	}
	all = elsewhere.spread(all)
	people, at, ids := make([]int64, len(all)), make([]int64, len(all)), make([][]byte, len(all))
	for i := range all {
		e := &all[i].Event
		people[i], at[i], ids[i] = int64(all[i].Person), int64(e.At), e.ID[:]
	}
	if len(all) == 0 {
		return nil
	}
	_, err = t.remove(ctx, "events", ints("person", people), ints("at", at), blobs("id", ids))
	return err
}

// MergedTx gives everybody who became a person, directly or over others.
func (t *Tx) MergedTx(ctx context.Context, person lifecycle.ProfileID) ([]lifecycle.ProfileID, error) {
	var all []lifecycle.ProfileID
	seen := map[int64]bool{int64(person): true}
	for next := []int64{int64(person)}; len(next) > 0; {
		found, err := scanIDs(t.query(ctx, "select loser from merges where "+t.s.d.oneOf("survivor", "bigint")+" order by loser", list(t.s.d, next)))
		if err != nil {
			return nil, err
		}
		next = slices.DeleteFunc(found, func(id int64) bool { return seen[id] })
		for _, id := range next {
			seen[id] = true
			all = append(all, lifecycle.ProfileID(id))
		}
	}
	return all, nil
}

// SettleTx takes everybody out of a contested set, whose refusals go: who is
// who in it is to be found out anew.
func (t *Tx) SettleTx(ctx context.Context, set int64) error {
	if _, err := t.exec(ctx, "update profiles set contested = 0 where contested > 0 and contested = ?", set); err != nil {
		return err
	}
	return t.ReplaceRefusalsTx(ctx, []int64{set}, nil)
}

// ForgetPeopleTx removes what DropPeopleTx leaves of people: who became them,
// what was decided about their keys, and that they moved an account.
func (t *Tx) ForgetPeopleTx(ctx context.Context, people []lifecycle.ProfileID, keys []string) error {
	ids, texts := list(t.s.d, people), list(t.s.d, keys)
	in := func(column string) string { return t.s.d.oneOf(column, "bigint") }
	of := func(column string) string { return t.s.d.oneOf(column, "text") }
	for _, q := range []string{
		"delete from events where " + in("person"),
		"delete from homes where " + in("home"),
		"delete from transitions where " + in("person"),
		"delete from sync where " + in("person"), // also of connections that are gone
		"delete from account_people where " + in("person"),
		"delete from standings where " + in("person"),
		"delete from merges where " + in("loser"),
		"delete from profiles where " + in("id"),
		"update account_moves set person = 0, event = null where " + in("person"),
	} {
		if _, err := t.exec(ctx, q, ids); err != nil {
			return err
		}
	}
	for _, q := range []string{
		"delete from reviews where " + of("key"), "delete from reviews where " + of("with_key"),
		"delete from refusals where " + of("key"), "delete from refusals where " + of("with_key"),
	} {
		if _, err := t.exec(ctx, q, texts); err != nil {
			return err
		}
	}
	return nil
}

// ForgetDecisionsTx blanks what the audit log tells of decisions about people:
// who decided and when stays, what it was goes.
func (t *Tx) ForgetDecisionsTx(ctx context.Context, people []lifecycle.ProfileID) (int64, error) {
	subjects := make([]string, len(people))
	for i, id := range people {
		subjects[i] = fmt.Sprint("person:", id)
	}
	return t.exec(ctx, "update audit set before = '', after = '' where "+t.s.d.oneOf("subject", "text")+" and (before <> '' or after <> '')", list(t.s.d, subjects))
}

// RowsOfTx gives the raw events that the events and moves of people came from.
func (t *Tx) RowsOfTx(ctx context.Context, people []lifecycle.ProfileID) ([]int64, error) {
	return scanIDs(t.query(ctx, "select distinct inbox from events where inbox > 0 and "+t.s.d.oneOf("person", "bigint"), list(t.s.d, people)))
}

// eraseChunk is how many raw events one statement of an erasure names.
const eraseChunk = 1000

// EraseRowsTx empties raw events that have an outcome: bytes, headers and the
// vendor's record go, and with them the words of the outcome. What was parked
// counts as ignored from then on. Rows without an outcome stay as they are:
// processing looks at them. It answers how many were emptied.
func (t *Tx) EraseRowsTx(ctx context.Context, ids []int64) (int64, error) {
	var n int64
	for chunk := range slices.Chunk(ids, eraseChunk) {
		emptied, err := t.eraseRows(ctx, chunk)
		n += emptied
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (t *Tx) eraseRows(ctx context.Context, ids []int64) (int64, error) {
	var have []int64
	rows, err := t.query(ctx, "select id, connection, status from outcomes where "+t.s.d.oneOf("id", "bigint")+" order by id"+t.s.d.forUpdate, list(t.s.d, ids))
	err = each(rows, err, func(rows *sql.Rows) error {
		var id, status int64
		var connection string
		if err := rows.Scan(&id, &connection, &status); err != nil {
			return err
		}
		have = append(have, id)
		if status == Failed || status == Quarantined {
			t.CountTx(connection, StatusName(status), -1)
			t.CountTx(connection, StatusName(Ignored), 1)
		}
		return nil
	})
	if err != nil || len(have) == 0 {
		return 0, err
	}
	parked := fmt.Sprintf("status in (%d, %d)", Failed, Quarantined)
	if _, err := t.exec(ctx, "update outcomes set detail = '', step = case when "+parked+" then '' else step end, reason = case when "+parked+
		" then '"+ReasonErased+"' else reason end, status = case when "+parked+fmt.Sprintf(" then %d else status end where ", Ignored)+
		t.s.d.oneOf("id", "bigint"), list(t.s.d, have)); err != nil {
		return 0, err
	}
	return int64(len(have)), t.empty(ctx, have)
}

// emptyAsked empties the rows whose outcome says so.
func (t *Tx) emptyAsked(ctx context.Context, rows []int64, outcomes []Outcome) error {
	var ids []int64
	for i := range outcomes {
		if outcomes[i].Empty {
			ids = append(ids, rows[i])
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return t.empty(ctx, ids)
}

// EraseRows is EraseRowsTx in a transaction of its own.
func (s *Store) EraseRows(ctx context.Context, ids []int64) (n int64, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	err = s.in(ctx, durable, func(t *Tx) error {
		n, err = t.EraseRowsTx(ctx, ids)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store: erase raw events: %w", err)
	}
	return n, nil
}

// RawText is what of a raw event may name somebody.
type RawText struct {
	ID         int64
	Connection string
	// At is the event's own time, or else when it was received.
	At lifecycle.Instant
	// Pending ones have no outcome yet.
	Pending bool
	Texts   [4][]byte // body, meta, the vendor's record, the words of the outcome
}

// RawTexts reads raw events of which anything is left, by number, up to limit
// of them after one; the texts are fn's only until it returns. It answers the
// last one looked at, zero at the end.
func (s *Store) RawTexts(ctx context.Context, after int64, limit int, fn func(*RawText)) (last int64, err error) {
	rows, err := s.query(ctx, `select i.id, i.connection, case when i.event_at > 0 then i.event_at else i.received_at end, o.id is null, i.body, i.meta, r.record, o.detail
		from inbox i left join outcomes o on o.id = i.id left join records r on r.id = i.id where i.id > ? order by i.id limit ?`, after, limit)
	err = each(rows, err, func(rows *sql.Rows) error {
		var x RawText
		var meta, detail sql.RawBytes
		var body, record sql.RawBytes
		if err := rows.Scan(&x.ID, &x.Connection, &x.At, &x.Pending, &body, &meta, &record, &detail); err != nil {
			return err
		}
		last, x.Texts = x.ID, [4][]byte{body, meta, record, detail}
		fn(&x)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("store: raw texts: %w", away(err))
	}
	return last, nil
}

// textTable is a table with texts in which somebody may be named.
type textTable struct {
	name string
	key  []string
	read []string
	// blank is what a matching row is set to; empty: it can only be told of.
	blank string
	where string
}

// textTables are all but those that hold people and raw events.
var textTables = [...]textTable{
	{"audit", []string{"at", "id"}, []string{"before", "after"}, "before = '', after = ''", "before <> '' or after <> ''"},
	{"work", []string{"id"}, []string{"args", "place", "result", "error", "reason"}, "args = '{}', place = '', result = '', error = '', reason = ''", "finished_at > 0"},
	{"sync", []string{"connection", "person"}, []string{"message"}, "message = ''", "message <> ''"},
	{"account_sync", []string{"connection", "account"}, []string{"message"}, "message = ''", "message <> ''"},
	{"rejections", []string{"connection", "at", "id"}, []string{"detail", "agent"}, "detail = '', agent = '', address = ''", "detail <> '' or agent <> ''"},
	{"certificates", []string{"erasure", "connection"}, []string{"message", "proof"}, "message = '', proof = ''", "message <> '' or proof <> ''"},
	{"notices", []string{"connection", "kind", "subject"}, []string{"detail"}, "detail = ''", "detail <> ''"},
	{"rules", []string{"connection", "version"}, []string{"source", "note"}, "", ""},
	{"plans", []string{"version"}, []string{"source", "note"}, "", ""},
	{"connections", []string{"id"}, []string{"settings", "push", "applied"}, "", ""},
}

// textPage is how many rows of a table are looked at in one go.
const textPage = 500

// EraseTexts looks through every other table with texts and blanks those that
// names recognises. It answers how many were blanked by table, and the places
// that only a person can mend: texts of rules, plans and connections.
func (s *Store) EraseTexts(ctx context.Context, names func(text string) bool) (blanked map[string]int64, mend []string, err error) {
	blanked = map[string]int64{}
	for i := range textTables {
		t := &textTables[i]
		found, err := s.textsNaming(ctx, t, names)
		if err != nil {
			return nil, nil, fmt.Errorf("store: erase texts of %s: %w", t.name, away(err))
		}
		if t.blank == "" {
			for _, key := range found {
				mend = append(mend, strings.TrimSuffix(fmt.Sprintln(append([]any{t.name}, key...)...), "\n"))
			}
			continue
		}
		if err := s.blank(ctx, t, found); err != nil {
			return nil, nil, fmt.Errorf("store: erase texts of %s: %w", t.name, err)
		}
		if len(found) > 0 {
			blanked[t.name] = int64(len(found))
		}
	}
	return blanked, mend, nil
}

func (s *Store) textsNaming(ctx context.Context, t *textTable, names func(string) bool) (found [][]any, err error) {
	keys := strings.Join(t.key, ", ")
	where := "(" + cmp.Or(t.where, "1 = 1") + ")"
	var after []any
	for {
		q := "select " + keys + ", " + strings.Join(t.read, ", ") + " from " + t.name + " where " + where
		if after != nil {
			q += " and (" + keys + ") > (" + placeholders(len(t.key)) + ")"
		}
		n := 0
		rows, err := s.query(ctx, q+" order by "+keys+" limit ?", append(slices.Clone(after), textPage)...)
		err = each(rows, err, func(rows *sql.Rows) error {
			key, texts := make([]any, len(t.key)), make([]string, len(t.read))
			into := make([]any, 0, len(key)+len(texts))
			for i := range key {
				into = append(into, &key[i])
			}
			for i := range texts {
				into = append(into, &texts[i])
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			n++
			after = key
			if slices.ContainsFunc(texts, names) {
				found = append(found, key)
			}
			return nil
		})
		if err != nil || n < textPage {
			return found, err
		}
	}
}

func (s *Store) blank(ctx context.Context, t *textTable, found [][]any) error {
	for chunk := range slices.Chunk(found, textPage) {
		err := s.in(ctx, durable, func(tx *Tx) error {
			for _, key := range chunk {
				if _, err := tx.exec(ctx, "update "+t.name+" set "+t.blank+" where ("+strings.Join(t.key, ", ")+") = ("+placeholders(len(t.key))+")", key...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// EachKey gives every key there is, with its owner, in order.
func (s *Store) EachKey(ctx context.Context, fn func(key string, owner lifecycle.ProfileID) error) error {
	for after := ""; ; {
		n := 0
		rows, err := s.query(ctx, "select key, person from keys where key > ? order by key limit ?", after, eraseChunk)
		type owned struct {
			key string
			by  lifecycle.ProfileID
		}
		var page []owned
		err = each(rows, err, func(rows *sql.Rows) error {
			var o owned
			err := rows.Scan(&o.key, &o.by)
			page, after = append(page, o), o.key
			n++
			return err
		})
		if err != nil {
			return fmt.Errorf("store: keys: %w", away(err))
		}
		for _, o := range page {
			if err := fn(o.key, o.by); err != nil {
				return err
			}
		}
		if n < eraseChunk {
			return nil
		}
	}
}
