package main

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/sample"
)

// TestAServerToldToStopFinishesWhatItTook: clients send as fast as they can
// while the server is told to stop. It ends well within its limit; no request
// that it took is answered with a failure; everything that it acknowledged is
// there when it starts again, once.
func TestAServerToldToStopFinishesWhatItTook(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		env[prefix+"RATE_LIMIT"] = "0"
		env[prefix+"WORKSPACE"] = files(t, map[string]string{"connections/app.yaml": fmt.Sprintf("id: app\nconnector: generic-webhook\nsecrets: { signing_secret: %q }\n", standardKey.Reveal())})
		s := serve(t, env)
		var acked, failed atomic.Int64
		var bad atomic.Value
		over := make(chan struct{})
		var wg sync.WaitGroup
		for client := range 8 {
			wg.Go(func() {
				// A connection for each request: the server may end one that idles
				// at the moment at which a client writes to it, which HTTP cannot tell.
				http := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
				for n := 0; ; n++ {
					select {
					case <-over:
						return
					default:
					}
					id := fmt.Sprintf("stop_%d_%d", client, n)
					body := fmt.Sprintf(`{"type":"order.completed","timestamp":%q,"data":{"email":"p%d@example.com","order_id":%q,"amount":"5","currency":"EUR"}}`,
						time.Now().UTC().Format(time.RFC3339Nano), n%40, id)
					r, err := sample.Standard(t.Context(), s.url+"/hooks/app", id, time.Now(), standardKey, []byte(body))
					if err != nil {
						t.Error(err)
						return
					}
					res, err := http.Do(r)
					if err != nil {
						failed.Add(1) // it was not taken: nobody listens any more
						select {
						case <-over:
						case <-time.After(5 * time.Millisecond):
						}
						continue
					}
					text, _ := io.ReadAll(res.Body)
					_ = res.Body.Close()
					if res.StatusCode/100 != 2 {
						bad.Store(fmt.Sprintf("%s: %s", res.Status, text))
						continue
					}
					acked.Add(1)
				}
			})
		}
		within(t, "a hundred events to be acknowledged", func() bool { return acked.Load() >= 100 })
		s.stop() // which wants the code 0
		close(over)
		wg.Wait()
		if why := bad.Load(); why != nil {
			t.Errorf("a request that was taken is answered with %v", why)
		}
		if failed.Load() == 0 {
			t.Error("no request failed, so none was under way when the server stopped")
		}
		again := serve(t, env)
		silent(t, nil, again)
		x := again.stats().Connections["app"]
		// A request that was broken off before its answer may have been kept.
		if done := int64(x.Done); done < acked.Load() || done > acked.Load()+failed.Load() || x.Failed+x.Quarantined > 0 {
			t.Errorf("%d acknowledged, %d not; the inbox counts %+v", acked.Load(), failed.Load(), x)
		}
	})
}
