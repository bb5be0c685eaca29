package web_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/genericwebhook"
	"github.com/stagebridge/stagebridge/connectors/segment"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
)

const ingestSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// door is the whole web behind a real socket, with the generic webhook as the
// connection "app".
type door struct {
	*testing.T
	store     *store.Store
	processor *jobs.Processor
	admin     *jobs.Admin
	url       string
}

func newDoor(t *testing.T, s *store.Store, settings map[string]string) *door {
	t.Helper()
	vault, err := secret.NewVault(secret.New("0123456789abcdef0123"))
	if err != nil {
		t.Fatal(err)
	}
	classic, _ := plans.Source("classic")
	registry, err := jobs.NewRegistry(t.Context(), jobs.RegistryOptions{
		Store: s, Vault: vault, Instance: "door", PublicURL: "http://" + pageHost, DefaultPlan: classic, Catalog: []connectors.Vendor{genericwebhook.Vendor(), segment.Vendor()},
		Parse: func(file string, src []byte) (*lifecycle.Plan, error) {
			return lifecycle.ParsePlan(file, src, plans.Vocabulary())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	admin := &jobs.Admin{Registry: registry}
	if _, err := admin.Create(t.Context(), jobs.ConnectionInput{ID: "app", Connector: "generic-webhook", Settings: settings,
		Secrets: map[string]secret.Text{"signing_secret": secret.New(ingestSecret)}}); err != nil {
		t.Fatal(err)
	}
	w, err := web.New(t.Context(), web.Options{Store: s, Registry: registry, Admin: admin, Ingest: &web.Ingest{Store: s, Registry: registry},
		PublicURL: "http://" + pageHost, APIToken: secret.New(apiToken), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w)
	t.Cleanup(func() {
		server.Close()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return &door{T: t, store: s, url: server.URL, admin: admin,
		processor: &jobs.Processor{Store: s, Registry: registry, Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
}

// signed gives the headers of a Standard Webhook.
func signed(id, body string, at time.Time) http.Header {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(ingestSecret, "whsec_"))
	if err != nil {
		panic(err)
	}
	stamp := fmt.Sprint(at.Unix())
	mac := hmac.New(sha256.New, key)
	io.WriteString(mac, id+"."+stamp+"."+body)
	return http.Header{"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {stamp},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}}
}

// post sends a body to the connection.
func (d *door) post(h http.Header, body string) answer {
	d.Helper()
	a, err := d.try(h, bytes.NewReader([]byte(body)))
	if err != nil {
		d.Fatal(err)
	}
	return a
}

func (d *door) try(h http.Header, body io.Reader) (answer, error) {
	r, err := http.NewRequestWithContext(d.Context(), http.MethodPost, d.url+"/hooks/app", body)
	if err != nil {
		return answer{}, err
	}
	r.Header = h
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(b)}, err
}

// inbox lists everything that was kept, newest first, after processing it.
func (d *door) inbox() []store.InboxRow {
	d.Helper()
	if err := d.processor.Run(d.Context()); err != nil {
		d.Fatal(err)
	}
	page, err := d.store.Inbox(d.Context(), store.InboxFilter{Limit: store.MaxPage})
	if err != nil {
		d.Fatal(err)
	}
	return page.Rows
}

// rejections gives what was counted by reason, and the newest facts.
func (d *door) rejections() (map[string]int64, []store.Rejection) {
	d.Helper()
	if err := d.store.FlushRejections(d.Context()); err != nil {
		d.Fatal(err)
	}
	stats, err := d.store.InboxStats(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	facts, err := d.store.Rejections(d.Context(), "app")
	if err != nil {
		d.Fatal(err)
	}
	if stats["app"] == nil {
		return nil, facts
	}
	return stats["app"].Rejections, facts
}
