package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// MoveName is what a move says, whenever it was found: of whom, in which
// lifecycle, from where to where, and when that was.
type MoveName struct {
	Person    lifecycle.ProfileID
	Lifecycle string
	From, To  lifecycle.Stage
	At        lifecycle.Instant
	// Segments spells those that changed where the stage did not, since several
	// such moves are told apart by nothing else.
	Segments string
}

// Name gives what the move says.
func (x *Transition) Name() MoveName {
	n := MoveName{Person: x.Person, Lifecycle: x.Lifecycle, From: x.From, To: x.To, At: x.At}
	if x.From == x.To {
		var b strings.Builder
		for _, s := range x.Cause.Entered {
			b.WriteString("+" + string(s) + "\n")
		}
		for _, s := range x.Cause.Exited {
			b.WriteString("-" + string(s) + "\n")
		}
		n.Segments = b.String()
	}
	return n
}

// foundAtOnce is how much later than it happened a move may be found without
// that being worth a word: webhooks take their time.
const foundAtOnce = lifecycle.Instant(time.Hour / time.Microsecond)

// FoundLater tells whether the move was found long after it had happened.
func (x *Transition) FoundLater() bool { return x.Decided-x.At >= foundAtOnce }

// Overruled tells whether the move was announced and turned out not to be so. A
// correction and its like are not: they say what changed, and when.
func (x *Transition) Overruled() bool {
	return !x.History && !slices.Contains(announcedOnly(), x.Kind)
}

// ForgetHistoryTx ends the history of people who are derived anew. What was
// announced stays; the rest goes. It answers when each move of theirs had been
// found first, so that the history which follows can say so of those that it
// has in common with the old one.
func (t *Tx) ForgetHistoryTx(ctx context.Context, people []lifecycle.ProfileID) (map[MoveName]lifecycle.Instant, error) {
	found := map[MoveName]lifecycle.Instant{}
	note := func(rows *sql.Rows) error {
		x, err := scanTransition(rows)
		name := x.Name()
		if first, there := found[name]; !there || x.Decided < first {
			found[name] = x.Decided
		}
		return err
	}
	ids := list(t.s.d, people)
	for _, q := range []string{"delete from transitions where announce = 0 and ", "update transitions set history = 0 where "} {
		rows, err := t.query(ctx, q+t.s.d.oneOf("person", "bigint")+" returning "+transitionColumns, ids)
		if err := each(rows, err, note); err != nil {
			return nil, err
		}
	}
	return found, nil
}
