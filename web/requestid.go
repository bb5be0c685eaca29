package web

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"sync"
	"sync/atomic"
)

// requestIDs numbers requests: a text that is this process's own, and a
// number, which costs less than a random text for each. The zero value is
// ready.
type requestIDs struct {
	once   sync.Once
	prefix string
	last   atomic.Uint64
}

func (r *requestIDs) next() string {
	r.once.Do(func() {
		var raw [6]byte
		_, _ = rand.Read(raw[:]) // never fails
		r.prefix = hex.EncodeToString(raw[:]) + "-"
	})
	return r.prefix + strconv.FormatUint(r.last.Add(1), 36)
}
