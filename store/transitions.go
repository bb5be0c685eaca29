package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Transition is one change of a person's stage or segments as it is kept.
//
// A person's history is what events, plan and clock say happened; when a late
// event changes it, the old rows stop being history and new ones are written,
// which keep Decided where the old history had the same move.
// What was decided and told to others is never rewritten: it stays as a row
// with Announce set, and a late event that changes the present stage adds one
// more of kind correction.
type Transition struct {
	Person lifecycle.ProfileID
	Seq    int64
	// Lifecycle is that of lifecycle.Transition; empty: the main one.
	Lifecycle string
	History   bool
	Announce  bool
	From, To  lifecycle.Stage
	Kind      string
	At        lifecycle.Instant
	Decided   lifecycle.Instant
	Cause     Cause
}

// Cause is why a transition happened.
type Cause struct {
	Event     string              `json:"event,omitempty"` // hex
	Inbox     int64               `json:"inbox,omitempty"`
	Condition string              `json:"condition,omitempty"`
	Plan      int64               `json:"plan,omitempty"`
	Entered   []lifecycle.Segment `json:"entered,omitempty"`
	Exited    []lifecycle.Segment `json:"exited,omitempty"`
	// Skipped are the path stages that the move jumped over.
	Skipped []lifecycle.Stage `json:"skipped,omitempty"`
}

// AddTransitionsTx writes transitions.
func (t *Tx) AddTransitionsTx(ctx context.Context, all []Transition) error {
	n := len(all)
	people, seq, history, announce := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	from, to, kind, data := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	at, decided := make([]int64, n), make([]int64, n)
	for i := range all {
		x := &all[i]
		people[i], seq[i], history[i], announce[i] = int64(x.Person), x.Seq, bit(x.History), bit(x.Announce)
		from[i], to[i], kind[i], at[i], decided[i] = string(x.From), string(x.To), x.Kind, int64(x.At), int64(x.Decided)
		b, err := json.Marshal(x.Cause)
		if err != nil {
			return err
		}
		data[i] = string(b)
	}
	columns := []column{ints("person", people), ints("seq", seq), ints("history", history), ints("announce", announce),
		texts("from_stage", from), texts("to_stage", to), texts("kind", kind), ints("at", at), ints("decided", decided), texts("data", data)}
	_, err := t.insert(ctx, "transitions", "", append(columns, lifecycleColumn(all)...)...)
	return err
}

// LastSeqTx gives the highest number of each person's transitions; zero for none.
func (t *Tx) LastSeqTx(ctx context.Context, people []lifecycle.ProfileID) (map[lifecycle.ProfileID]int64, error) {
	last := map[lifecycle.ProfileID]int64{}
	rows, err := t.query(ctx, "select person, max(seq) from transitions where "+t.s.d.oneOf("person", "bigint")+" group by person", list(t.s.d, people))
	err = each(rows, err, func(rows *sql.Rows) error {
		var p lifecycle.ProfileID
		var n int64
		err := rows.Scan(&p, &n)
		last[p] = n
		return err
	})
	return last, err
}

const transitionColumns = "person, seq, history, announce, from_stage, to_stage, kind, at, decided, data, lifecycle"

func scanTransition(rows *sql.Rows) (Transition, error) {
	var x Transition
	var history, announce int64
	var data string
	if err := rows.Scan(&x.Person, &x.Seq, &history, &announce, &x.From, &x.To, &x.Kind, &x.At, &x.Decided, &data, &x.Lifecycle); err != nil {
		return x, err
	}
	x.History, x.Announce = history != 0, announce != 0
	return x, json.Unmarshal([]byte(data), &x.Cause)
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
