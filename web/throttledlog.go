package web

import (
	"sync/atomic"
	"time"
)

// throttledLog lets one line a second through, so that a database that is away
// while vendors send does not fill the log.
type throttledLog struct{ last atomic.Int64 }

func (t *throttledLog) may(now time.Time) bool {
	last := t.last.Load()
	return now.UnixNano()-last >= int64(time.Second) && t.last.CompareAndSwap(last, now.UnixNano())
}
