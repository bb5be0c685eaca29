package store_test

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// BenchmarkAppend is one event per request from 64 requests at once.
func BenchmarkAppend(b *testing.B) {
	storetest.EachB(b, func(b *testing.B, s *store.Store) {
		body := make([]byte, 300)
		var n atomic.Int64
		b.ReportAllocs()
		b.ResetTimer()
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				for {
					i := n.Add(1)
					if i > int64(b.N) {
						return
					}
					_, err := s.Append("crm", 1, []store.NewEvent{{Dedupe: sha256.Sum256(fmt.Append(nil, i)), Type: "contact.creation", Body: body}})
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}
