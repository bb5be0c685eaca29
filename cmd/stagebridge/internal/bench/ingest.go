package bench

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/connectors"
)

// Bare is the handler that ingest is compared with: Echo, the body read, the
// HMAC checked, an answer; nothing is kept. It serves until ctx ends.
func Bare(ctx context.Context, addr string) error {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.GET("/healthz", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	e.POST("/hooks/:connection", func(c echo.Context) error {
		r := c.Request()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		mac := connectors.MAC(sha256.New, rawKey, []byte(r.Header.Get("Webhook-Id")), []byte{'.'}, []byte(r.Header.Get("Webhook-Timestamp")), []byte{'.'}, body)
		given, _ := strings.CutPrefix(r.Header.Get("Webhook-Signature"), "v1,")
		want, err := base64.StdEncoding.DecodeString(given)
		if err != nil || !hmac.Equal(mac, want) {
			return c.NoContent(http.StatusUnauthorized)
		}
		return c.NoContent(http.StatusOK)
	})
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: e, ReadHeaderTimeout: 10 * time.Second}
	go func() { <-ctx.Done(); _ = srv.Close() }()
	if err := srv.Serve(l); ctx.Err() == nil {
		return err
	}
	return nil
}

// target is something that takes requests.
type target struct {
	name string
	// run starts it in a folder of its own.
	run func(ctx context.Context, dir string) (*child, func(), error)
	// events per request.
	events int
	// than is the place of the target that the ratio is with, and its letter.
	than   int
	letter string
}

func bareTarget() target {
	return target{name: "(a) bare Echo handler", events: 1, letter: "a", run: func(ctx context.Context, dir string) (*child, func(), error) {
		c, err := start(ctx, dir, nil, "bench", "-child", "bare")
		return c, func() {}, err
	}}
}

// serveTarget is the real server taking webhooks of so many events each.
func serveTarget(name string, db *databases, postgres bool, events int) target {
	return target{name: name, events: events, letter: "a", run: func(ctx context.Context, dir string) (*child, func(), error) {
		env, drop, err := db.env(ctx, postgres)
		if err != nil {
			return nil, nil, err
		}
		hook := connectionYAML("hook", "")
		if events > 1 {
			hook += "settings: { split: events }\n"
		}
		ws, err := workspace(dir, map[string]string{"hook": hook})
		if err != nil {
			return nil, drop, err
		}
		c, err := start(ctx, dir, append(env, "STAGEBRIDGE_WORKSPACE="+ws), "serve", "-role", "web")
		return c, drop, err
	}}
}

// connectionYAML is a generic-webhook connection; with a url it pushes there.
func connectionYAML(id, url string) string {
	text := fmt.Sprintf("id: %s\nconnector: generic-webhook\nsecrets: { signing_secret: %q }\n", id, SigningKey)
	if url != "" {
		text += fmt.Sprintf("settings: { url: %q }\npush: { enabled: true }\n", url)
	}
	return text
}

// workspace writes a workspace folder of connections by id.
func workspace(dir string, connections map[string]string) (string, error) {
	ws := filepath.Join(dir, "ws")
	if err := os.MkdirAll(filepath.Join(ws, "connections"), 0o700); err != nil {
		return "", err
	}
	for id, text := range connections {
		if err := os.WriteFile(filepath.Join(ws, "connections", id+".yaml"), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	return ws, nil
}

// measured is one run of one target.
type measured struct {
	fired
	cpu  time.Duration // per event
	peak int64
}

// volley starts a target, warms it up, fires, and stops it.
func volley(ctx context.Context, t target, clients, requests int) (measured, error) {
	dir, err := os.MkdirTemp("", "stagebridge-bench")
	if err != nil {
		return measured{}, err
	}
	defer os.RemoveAll(dir)
	c, drop, err := t.run(ctx, dir)
	if drop != nil {
		defer drop()
	}
	if err != nil {
		return measured{}, err
	}
	defer c.stop()
	now := time.Now()
	shots := make([]shot, requests+requests/10)
	for i := range shots {
		body := order(i%50_000, i, now)
		if t.events > 1 {
			body = orders(i, t.events, now)
		}
		shots[i] = signed(fmt.Sprintf("msg_%d_%d", now.UnixNano(), i), body, now)
	}
	url := c.url + "/hooks/hook"
	if _, err := fire(ctx, url, clients, shots[requests:]); err != nil {
		return measured{}, fmt.Errorf("%s: %w", t.name, err)
	}
	before := c.cpu()
	f, err := fire(ctx, url, clients, shots[:requests])
	if err != nil {
		return measured{}, fmt.Errorf("%s: %w", t.name, err)
	}
	f.rate *= float64(t.events)
	return measured{fired: f, cpu: (c.cpu() - before) / time.Duration(requests*t.events), peak: c.peak()}, nil
}
