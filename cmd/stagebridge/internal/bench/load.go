package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// SigningKey is the secret of every connection that is measured.
const SigningKey = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

var rawKey = mustKey()

func mustKey() []byte {
	b, err := base64.StdEncoding.DecodeString(SigningKey[len("whsec_"):])
	if err != nil {
		panic(err)
	}
	return b
}

// shot is one request ready to be sent.
type shot struct {
	header http.Header
	body   []byte
}

// signed makes a Standard Webhooks request.
func signed(id string, body []byte, at time.Time) shot {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := connectors.MAC(sha256.New, rawKey, []byte(id), []byte{'.'}, []byte(seconds), []byte{'.'}, body)
	return shot{body: body, header: http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {seconds},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac)},
	}}
}

// order is the body of one event about a person.
func order(person, n int, at time.Time) []byte {
	return fmt.Appendf(nil, `{"type":"order.completed","timestamp":%q,"data":{"user_id":"u%d","email":"person%d@example.com","order_id":"o%d","amount":"%d.50","currency":"EUR","company":"Company %d"}}`,
		at.UTC().Format(time.RFC3339Nano), person, person, n, n%500, person%1000)
}

// orders is the body of a request with many events.
func orders(request, events int, at time.Time) []byte {
	body := []byte(`{"events":[`)
	for i := range events {
		if i > 0 {
			body = append(body, ',')
		}
		n := request*events + i
		body = append(body, order(n%50_000, n, at)...)
	}
	return append(body, "]}"...)
}

// fired is what a volley measured.
type fired struct {
	rate     float64 // requests a second
	p50, p99 time.Duration
	failed   int64
	took     time.Duration
	latency  []time.Duration
}

// fire sends shots to url from so many clients at once, each on its own
// connection, and waits for every answer.
func fire(ctx context.Context, url string, clients int, shots []shot) (fired, error) {
	transport := &http.Transport{MaxIdleConns: clients, MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	latency := make([]time.Duration, len(shots))
	var next, failed atomic.Int64
	var firstErr atomic.Pointer[error]
	start := time.Now()
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(shots) || ctx.Err() != nil {
					return
				}
				began := time.Now()
				if err := send(ctx, client, url, &shots[i]); err != nil {
					failed.Add(1)
					firstErr.CompareAndSwap(nil, &err)
				}
				latency[i] = time.Since(began)
			}
		})
	}
	wg.Wait()
	f := fired{took: time.Since(start), failed: failed.Load(), latency: latency}
	if f.failed > 0 {
		return f, fmt.Errorf("%d of %d requests failed, the first with: %w", f.failed, len(shots), *firstErr.Load())
	}
	f.rate = float64(len(shots)) / f.took.Seconds()
	f.p50, f.p99 = percentile(latency, 0.5), percentile(latency, 0.99)
	return f, ctx.Err()
}

func send(ctx context.Context, client *http.Client, url string, s *shot) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(s.body))
	if err != nil {
		return err
	}
	req.Header = s.header
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, 500))
	if err := res.Body.Close(); err != nil {
		return err
	}
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("status %d: %s", res.StatusCode, text)
	}
	return err
}

func percentile(all []time.Duration, p float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}
