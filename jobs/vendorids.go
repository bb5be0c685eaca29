package jobs

import (
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// recordIDs are the ids of a person's records at a connection's vendor, as far
// as events have named them.
func recordIDs(conn *Conn, keys []lifecycle.Key) []string {
	var ids []string
	for _, k := range keys {
		if k.Namespace == conn.namespace() {
			ids = append(ids, k.Value)
		}
	}
	return ids
}

// tryAnother has the next push write another of the person's records where the
// vendor has none under the id that was tried: of two that were merged there,
// one is gone, and nothing tells which. Each is tried once.
func (p *Pusher) tryAnother(conn *Conn, w *store.WriteBack, x *store.LeasedPerson, u *connectors.Update, r connectors.Result) {
	if r.Outcome != connectors.Skipped || r.Reason != connectors.ReasonNotInVendor || u.VendorID == "" {
		return
	}
	ids := recordIDs(conn, u.Keys)
	at := slices.Index(ids, u.VendorID)
	tries := x.Attempts + 1
	if at >= 0 && len(ids) == 1 || tries > int64(len(ids)) {
		w.VendorID = "" // the next change looks for the person anew
		return
	}
	w.VendorID = ids[(at+1)%len(ids)]
	w.State, w.Attempts, w.Retry = store.SyncPending, tries, lifecycle.At(p.Now())
}
