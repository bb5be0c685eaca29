package jobs

import (
	"cmp"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// dropErased takes the events away that name somebody erased.
func (m *mapped) dropErased(b *Blocks) {
	if m.erased > 0 {
		m.events = slices.DeleteFunc(m.events, func(e lifecycle.Event) bool { return b.drops(&e) })
	}
}

// forgetErased sees to it that nothing stays of a row but what it tells of
// others: a row of which an event was left out loses its bytes, and so does
// one that came to nothing but names somebody erased since. What is parked
// would wait for the bytes, so such a row is ignored.
func (m *mapped) forgetErased(b *Blocks, row *store.Row) {
	if b.empty() {
		return
	}
	o := &m.outcome
	if m.erased == 0 {
		at := cmp.Or(row.At, row.Received)
		if o.Status == store.Done || m.hold != 0 || !slices.ContainsFunc([][]byte{row.Body, []byte(row.Meta), row.Record}, func(text []byte) bool { return b.names(text, row.Connection, at) }) {
			return
		}
	}
	if o.Status == store.Done && len(m.events) > 0 {
		o.Empty, o.Detail = true, "what it told of somebody who was erased was left out, and its bytes are gone"
		return
	}
	*m = mapped{erased: m.erased, outcome: store.Outcome{Status: store.Ignored, Reason: store.ReasonErased, Detail: "it is about somebody who was erased; its bytes are gone", Empty: true}}
}
