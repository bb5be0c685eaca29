package store

import (
	"context"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Class is a sort of data that is kept for a time of its own.
type Class string

// The classes beside raw bodies, which Retain empties, and what goes of each.
const (
	ClassRejections   Class = "rejections"   // facts of refused requests
	ClassAudit        Class = "audit"        // entries of the audit log
	ClassSamples      Class = "samples"      // samples of what did not fit the plan; the counts stay
	ClassJobs         Class = "jobs"         // records of long work that is over
	ClassCertificates Class = "certificates" // of erasures that every vendor has answered; the keyed hashes stay
)

// classes tell how a class is thinned out: by key, whatever is older. Each
// condition takes one instant, and is cheap: an index or a small table.
var classes = map[Class]struct{ table, key, where, do string }{
	ClassRejections:   {"rejections", "connection, at, id", "at < ?", "delete from rejections"},
	ClassAudit:        {"audit", "at, id", "at < ?", "delete from audit"},
	ClassSamples:      {"violations", "connection, class, event, property, rule", "last_seen < ? and samples <> ''", "update violations set samples = ''"},
	ClassJobs:         {"work", "id", "finished_at > 0 and finished_at < ?", "delete from work"},
	ClassCertificates: {"certificates", "erasure, connection", "at < ? and due_at = 0 and who is null", "delete from certificates"},
}

// RetainClass thins out a class of data from before an instant, a bounded step
// of it, and answers how many rows that concerned; call it again until that is
// zero.
func (s *Store) RetainClass(ctx context.Context, c Class, before lifecycle.Instant) (int64, error) {
	x, ok := classes[c]
	if !ok {
		return 0, fmt.Errorf("store: retain: there is no class %q", c)
	}
	var n int64
	err := s.in(ctx, derived, func(t *Tx) error {
		var err error
		n, err = t.exec(ctx, x.do+" where ("+x.key+") in (select "+x.key+" from "+x.table+" where "+x.where+fmt.Sprintf(" limit %d)", retainBatch), int64(before))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store: retain %s: %w", c, err)
	}
	return n, nil
}
