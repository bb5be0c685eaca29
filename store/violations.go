package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Violation is one way in which events of a connection do not fit the tracking
// plan, with how often it was found.
type Violation struct {
	// Connection, Class, Event, Property and Rule are the key. Property is empty
	// where the event as a whole is concerned.
	Connection string
	Class      lifecycle.ViolationClass
	Event      lifecycle.EventName
	Property   string
	Rule       string
	// Action is what the plan asked for when the newest of them was found.
	Action lifecycle.Action
	// Count is how many events were found so when their raw event was processed
	// for the first time, Replayed how many when one was processed again. A raw
	// event that the vendor delivers twice is processed once.
	Count, Replayed int64
	// First and Last are the earliest and latest receipt of a raw event that it
	// was found in, so that a replay does not make it newer.
	First, Last lifecycle.Instant
	// Samples are raw events that it was found in, newest found first.
	Samples []int64
}

// MaxSamples is how many raw events are remembered of a violation.
const MaxSamples = 5

// sampleDigits is the length of a sample in the column of all: the id in hex
// with leading zeros, so that a longer list can be cut in the database.
const sampleDigits = 16

// key orders violations as the table does.
func (v *Violation) key() []string {
	return []string{v.Connection, string(v.Class), string(v.Event), v.Property, v.Rule}
}

// SameViolation tells whether two are counted together.
func SameViolation(a, b *Violation) bool { return slices.Equal(a.key(), b.key()) }

// AddViolationsTx adds to what was found so far. No two of all may be the same
// violation. It writes in the order of the keys, so that two transactions that
// find the same never wait for each other in a circle.
func (t *Tx) AddViolationsTx(ctx context.Context, all []Violation) error {
	n := len(all)
	if n == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b Violation) int { return slices.Compare(a.key(), b.key()) })
	conns, class, event, property := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	rule, action, samples := make([]string, n), make([]string, n), make([]string, n)
	count, replayed, first, last := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range all {
		v := &all[i]
		conns[i], class[i], event[i] = v.Connection, string(v.Class), clean(string(v.Event), maxText)
		property[i], rule[i], action[i] = clean(v.Property, maxText), clean(v.Rule, maxText), string(v.Action)
		count[i], replayed[i], first[i], last[i] = v.Count, v.Replayed, int64(v.First), int64(v.Last)
		samples[i] = sampleText(v.Samples)
	}
	_, err := t.insert(ctx, "violations", `on conflict (connection, class, event, property, rule) do update set
		count = violations.count + excluded.count, replayed = violations.replayed + excluded.replayed,
		action = case when excluded.last_seen >= violations.last_seen then excluded.action else violations.action end,
		first_seen = case when excluded.first_seen < violations.first_seen then excluded.first_seen else violations.first_seen end,
		last_seen = case when excluded.last_seen > violations.last_seen then excluded.last_seen else violations.last_seen end,
		samples = substr(excluded.samples || violations.samples, 1, `+strconv.Itoa(MaxSamples*sampleDigits)+`)`,
		texts("connection", conns), texts("class", class), texts("event", event), texts("property", property), texts("rule", rule),
		texts("action", action), ints("count", count), ints("replayed", replayed), ints("first_seen", first), ints("last_seen", last),
		texts("samples", samples))
	return err
}

func sampleText(ids []int64) string {
	var b strings.Builder
	for _, id := range ids[:min(len(ids), MaxSamples)] {
		fmt.Fprintf(&b, "%0*x", sampleDigits, id)
	}
	return b.String()
}

func sampleIDs(text string) []int64 {
	var ids []int64
	for ; len(text) >= sampleDigits; text = text[sampleDigits:] {
		id, err := strconv.ParseInt(text[:sampleDigits], 16, 64)
		if err == nil && !slices.Contains(ids, id) { // a replay finds the same again
			ids = append(ids, id)
		}
	}
	return ids
}

// ViolationFilter selects violations. A zero field takes all.
type ViolationFilter struct {
	Connection string
	Class      lifecycle.ViolationClass
	Event      lifecycle.EventName
	// After continues where a page ended; "" begins.
	After string
	Limit int
}

func (f *ViolationFilter) where() (string, []any) {
	where, args := "1 = 1", []any{}
	for _, c := range []struct{ column, value string }{{"connection", f.Connection}, {"class", string(f.Class)}, {"event", string(f.Event)}} {
		if c.value != "" {
			where, args = where+" and "+c.column+" = ?", append(args, clean(c.value, maxText))
		}
	}
	return where, args
}

// Violations lists what was found, by connection, class, event, property and
// rule, a page at a time; next is the cursor behind the page, empty at the end.
func (s *Store) Violations(ctx context.Context, f ViolationFilter) (all []Violation, next string, err error) {
	where, args := f.where()
	if f.After != "" {
		var after [5]string
		if err := decodeCursor(f.After, &after); err != nil {
			return nil, "", fmt.Errorf("store: violations: %w", err)
		}
		where += " and (connection, class, event, property, rule) > (?, ?, ?, ?, ?)"
		for _, part := range after {
			args = append(args, clean(part, maxText))
		}
	}
	limit := page(f.Limit)
	rows, err := s.query(ctx, `select connection, class, event, property, rule, action, count, replayed, first_seen, last_seen, samples
		from violations where `+where+" order by connection, class, event, property, rule limit ?", append(args, limit+1)...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var v Violation
		var samples string
		err := rows.Scan(&v.Connection, &v.Class, &v.Event, &v.Property, &v.Rule, &v.Action, &v.Count, &v.Replayed, &v.First, &v.Last, &samples)
		v.Samples = sampleIDs(samples)
		all = append(all, v)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("store: violations: %w", away(err))
	}
	if len(all) > limit {
		all = all[:limit]
		next = encodeCursor(all[limit-1].key())
	}
	return all, next, nil
}

// ForgetViolations removes what a filter selects and answers how many there
// were. What does not fit afterwards is counted from the start.
func (s *Store) ForgetViolations(ctx context.Context, f ViolationFilter) (int, error) {
	var n int64
	err := s.in(ctx, durable, func(t *Tx) error {
		where, args := f.where()
		var err error
		n, err = t.exec(ctx, "delete from violations where "+where, args...)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store: forget violations: %w", err)
	}
	return int(n), nil
}
