package connectortest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// leaky answers with a status and a body that repeats every secret of the
// connection and of the request, as careless vendors do.
func leaky(o opened, status int, header map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"message":"refused %s with %s at http://%s%s: %s"}`, r.Method,
			strings.ReplaceAll(r.Header.Get("Authorization"), `"`, ""), r.Host, r.URL.RequestURI(),
			strings.Join(secretsOf(o.config), " "))
	}
}

// runStatusTable answers every request with each status in turn.
func runStatusTable(t *testing.T, c Case) {
	for _, status := range []int{302, 400, 401, 403, 404, 408, 409, 410, 413, 414, 422, 423, 425, 429, 500, 502, 503, 504} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			dest, f, o := c.openDestination(t, nil)
			f.Fail(leaky(o, status, map[string]string{"Location": "http://127.0.0.1:1/?token=abc"}))
			want, listed := c.Destination.Outcomes[status]
			if !listed {
				want = connectors.Permanent
				if _, retryable := connectors.Classify(status); retryable {
					want = connectors.Retry
				}
			}
			for i, r := range push(t, dest, o, c.Destination.Updates()) {
				if r.Outcome != want || r.Sent != 0 {
					t.Errorf("result %d = %+v, want %s", i, r, want)
				}
			}
			c.checkConsent(t, f)
		})
	}
	t.Run("Retry-After", func(t *testing.T) {
		if c.Destination.NoRetryAfter != "" {
			t.Skip(c.Destination.NoRetryAfter)
		}
		dest, f, o := c.openDestination(t, nil)
		date := o.config.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
		for value, want := range map[string]time.Duration{"7": 7 * time.Second, date: 90 * time.Second} {
			for _, status := range []int{429, 503} {
				f.Fail(leaky(o, status, map[string]string{"Retry-After": value}))
				for i, r := range push(t, dest, o, c.Destination.Updates()) {
					if r.Outcome != connectors.Retry || r.Delay != want {
						t.Errorf("%d with Retry-After %q: result %d = %+v, want a retry after %v", status, value, i, r, want)
					}
				}
			}
		}
	})
	// Each route fails alone, reads too; what becomes of those who need a write
	// is for runRoutes.
	_, healthy, _ := c.openDestination(t, nil)
	for _, route := range healthy.Routes() {
		for _, status := range []int{400, 503} {
			t.Run(fmt.Sprintf("%s %d", route, status), func(t *testing.T) {
				t.Parallel()
				dest, f, o := c.openDestination(t, nil)
				f.FailRoute(route, leaky(o, status, nil))
				push(t, dest, o, c.Destination.Updates())
				c.checkConsent(t, f)
			})
		}
	}
}

// runFaults are the answers that are not answers.
func runFaults(t *testing.T, c Case) {
	allRetry := func(t *testing.T, results []connectors.Result) {
		t.Helper()
		for i, r := range results {
			if r.Outcome != connectors.Retry || r.Sent != 0 {
				t.Errorf("result %d = %+v, want a retry", i, r)
			}
		}
	}
	t.Run("reset", func(t *testing.T) {
		t.Parallel()
		dest, f, o := c.openDestination(t, nil)
		f.Fail(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			if tcp, ok := conn.(*net.TCPConn); ok {
				tcp.SetLinger(0)
			}
			conn.Close()
		})
		allRetry(t, push(t, dest, o, c.Destination.Updates()))
	})
	t.Run("silence", func(t *testing.T) {
		t.Parallel()
		dest, f, o := c.openDestination(t, func(cfg *connectors.Config) {
			cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 200 * time.Millisecond})
		})
		f.Fail(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		allRetry(t, push(t, dest, o, c.Destination.Updates()))
	})
	t.Run("broken off", func(t *testing.T) {
		t.Parallel()
		dest, _, o := c.openDestination(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		allRetry(t, pushUnder(t, ctx, dest, o, c.Destination.Updates()))
	})
	t.Run("redirect to a private address", func(t *testing.T) {
		t.Parallel()
		inner := NewFake(t)
		inner.Fail(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
		dest, f, o := c.openDestination(t, nil)
		f.Fail(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, inner.URL+"/latest/meta-data", http.StatusTemporaryRedirect)
		})
		for i, r := range push(t, dest, o, c.Destination.Updates()) {
			if r.Outcome != connectors.Permanent || r.Reason != connectors.ReasonRedirect {
				t.Errorf("result %d = %+v, want permanent for the redirect", i, r)
			}
		}
	})
	t.Run("invalid JSON", func(t *testing.T) {
		t.Parallel()
		if c.Destination.BodyIgnored != "" {
			t.Skip(c.Destination.BodyIgnored)
		}
		dest, f, o := c.openDestination(t, nil)
		f.Fail(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"results":[{"id":`)
		})
		allRetry(t, push(t, dest, o, c.Destination.Updates()))
	})
	t.Run("200 without a body", func(t *testing.T) {
		t.Parallel()
		if c.Destination.BodyIgnored != "" {
			t.Skip(c.Destination.BodyIgnored)
		}
		dest, f, o := c.openDestination(t, nil)
		f.Fail(Reply(http.StatusOK, ""))
		for i, r := range push(t, dest, o, c.Destination.Updates()) {
			if arrived(r) {
				t.Errorf("result %d = %+v, and nothing was answered", i, r)
			}
		}
	})
	t.Run("200 with an error body", func(t *testing.T) {
		t.Parallel()
		if len(c.Destination.ErrorBodies) == 0 {
			t.Skip("the vendor has no such answer")
		}
		for _, body := range c.Destination.ErrorBodies {
			dest, f, o := c.openDestination(t, nil)
			f.Fail(Reply(http.StatusOK, body))
			for i, r := range push(t, dest, o, c.Destination.Updates()) {
				if arrived(r) {
					t.Errorf("%s: result %d = %+v, and the vendor did nothing", body, i, r)
				}
			}
		}
	})
}
