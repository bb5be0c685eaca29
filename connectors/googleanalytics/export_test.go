package googleanalytics_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/googleanalytics"
	"github.com/stagebridge/stagebridge/connectors/googleanalytics/googleanalyticssim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/secret"
)

// exporting opens a connection that reads the export and may erase.
func exporting(t *testing.T, sim *googleanalyticssim.Sim, h http.Handler, change func(*connectors.Config)) *googleanalytics.Connector {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	file, err := sim.Account(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	settings, _ := sim.Connection(s.URL)
	settings["bigquery_url"], settings["deletion_url"] = s.URL, s.URL
	settings["bigquery_dataset"], settings["property_id"] = googleanalyticssim.Dataset, googleanalyticssim.PropertyID
	cfg := connectors.Config{
		ID: "web", PublicURL: "https://bridge.example.com/hooks/web", Settings: settings,
		Secrets: map[string][]secret.Text{"service_account": {secret.New(file)}},
		HTTP:    connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
	}
	if change != nil {
		change(&cfg)
	}
	return open(t, cfg)
}

// fetchAll reads pages until nothing more waits.
func fetchAll(t *testing.T, c *googleanalytics.Connector, cursor string) ([]connectors.RawEvent, string) {
	t.Helper()
	var all []connectors.RawEvent
	for range 100 {
		page, err := c.Fetch(t.Context(), cursor)
		if err != nil {
			t.Fatalf("fetch: %v", err)
		}
		all = append(all, page.Events...)
		if cursor = page.Cursor; !page.More {
			return all, cursor
		}
	}
	t.Fatal("the pages have no end")
	return nil, ""
}

func at(hours int) int64 { return connectortest.Now.Add(time.Duration(hours) * time.Hour).UnixMilli() }

func rows(n int) []googleanalyticssim.Row {
	all := make([]googleanalyticssim.Row, n)
	for i := range all {
		all[i] = googleanalyticssim.Row{
			Name: "page_view", PseudoID: fmt.Sprintf("118.%d", i), Micros: 1767950100123456 + int64(i), Bundle: 44,
			Params: map[string]any{"page_location": "https://example.com/", "ga_session_id": 1767949000},
		}
	}
	return all
}

// TestLongRows: a page that is longer than an answer may be is read in parts.
func TestLongRows(t *testing.T) {
	t.Parallel()
	sim := googleanalyticssim.New()
	c := exporting(t, sim, sim, func(cfg *connectors.Config) {
		cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second, MaxAnswer: 64 << 10})
	})
	_, cursor := fetchAll(t, c, "")
	long := rows(60)
	for i := range long {
		long[i].Params["page_title"] = strings.Repeat("x", 4<<10)
	}
	sim.Export("20261119", at(0), long...)
	events, _ := fetchAll(t, c, cursor)
	keys := map[[32]byte]bool{}
	for _, e := range events {
		keys[e.Dedupe] = e.Broken == ""
	}
	if len(events) != 60 || len(keys) != 60 {
		t.Errorf("%d events, %d of them different", len(events), len(keys))
	}
}

// TestExport reads tables in the order in which they were written, each once,
// and again when it is written anew.
func TestExport(t *testing.T) {
	t.Parallel()
	sim := googleanalyticssim.New()
	c := exporting(t, sim, sim, nil)
	sim.Export("20261110", at(-240), rows(3)...)
	sim.Export("20261119", at(-3), rows(2)...)
	none, cursor := fetchAll(t, c, "")
	if len(none) != 0 {
		t.Errorf("the first call gives %d events of the past", len(none))
	}
	sim.Export("20261119", at(0), append(rows(401), googleanalyticssim.Row{
		Name: "purchase", PseudoID: "118.1", UserID: "u-1001", Micros: 1767950100999999, Bundle: 45,
		Params: map[string]any{"currency": "EUR"}, Properties: map[string]any{"plan": "team"}, Transaction: "T-77", Revenue: 49.5,
	})...)
	sim.Export("20261118", at(1), googleanalyticssim.Row{Name: "sign_up", PseudoID: "0a1b2c", Micros: 1767950100000001, Platform: "ANDROID"})
	events, cursor := fetchAll(t, c, cursor)
	if len(events) != 403 || events[402].Type != "sign_up" {
		t.Fatalf("%d events, the last %+v", len(events), events[len(events)-1])
	}
	wantBody := `{"client_id":"118.1","event_name":"purchase","params":{"currency":"EUR","transaction_id":"T-77","value":49.5},"timestamp_micros":1767950100999999,"user_id":"u-1001","user_properties":{"plan":"team"}}`
	if e := events[401]; string(e.Body) != wantBody || e.At != lifecycle.Instant(1767950100999999) || e.Broken != "" || e.Public {
		t.Errorf("the purchase is %+v %s", e, e.Body)
	}
	if !strings.Contains(string(events[402].Body), `"app_instance_id":"0a1b2c"`) {
		t.Errorf("the app's event is %s", events[402].Body)
	}
	keys := map[[32]byte]bool{}
	for _, e := range events {
		keys[e.Dedupe] = true
	}
	if len(keys) != 403 {
		t.Errorf("%d keys of 403 events", len(keys))
	}

	again, cursor := fetchAll(t, c, cursor)
	if len(again) != 0 {
		t.Errorf("%d events although nothing was written", len(again))
	}
	sim.Export("20261119", at(2), rows(402)...)
	rewritten, cursor := fetchAll(t, c, cursor)
	fresh := slices.DeleteFunc(rewritten, func(e connectors.RawEvent) bool { return keys[e.Dedupe] })
	if len(fresh) != 1 {
		t.Errorf("%d new events in a table written anew, want 1", len(fresh))
	}
	if _, end := fetchAll(t, c, cursor); end != cursor {
		t.Errorf("the cursor goes on although nothing happened: %s, %s", cursor, end)
	}
}

// TestExportIsMapped: rows become the same events as those of a tag.
func TestExportIsMapped(t *testing.T) {
	t.Parallel()
	sim := googleanalyticssim.New()
	c := exporting(t, sim, sim, nil)
	_, cursor := fetchAll(t, c, "")
	sim.Export("20261119", at(0), googleanalyticssim.Row{
		Name: "purchase", PseudoID: "118.1", UserID: "u-1001", Micros: 1767950100999999,
		Params: map[string]any{"currency": "EUR", "value": 49.5, "transaction_id": "T-77"},
	})
	events, _ := fetchAll(t, c, cursor)
	d := googleanalytics.Vendor().Descriptor
	rules, err := mapping.Compile("rules.yaml", d.Rules, mapping.Options{Connection: "web", Connector: d.ID})
	if err != nil {
		t.Fatal(err)
	}
	out := rules.Apply(&mapping.Input{Type: events[0].Type, Raw: events[0].Body, At: events[0].At, Dedupe: events[0].Dedupe[:]})
	if out.Err != nil || len(out.Events) != 1 || out.Events[0].Name != "Order:Completed" || out.Events[0].Value.Micros != 49_500_000 || out.Events[0].BusinessKey != "T-77" {
		t.Errorf("mapped: %+v, %v", out.Events, out.Err)
	}
}

// TestExportTableChanges: a table that is written anew or vanishes while it is
// being read does no harm.
func TestExportTableChanges(t *testing.T) {
	t.Parallel()
	sim := googleanalyticssim.New()
	c := exporting(t, sim, sim, nil)
	_, cursor := fetchAll(t, c, "")
	sim.Export("20261119", at(0), rows(450)...)
	page, err := c.Fetch(t.Context(), cursor)
	if err != nil || len(page.Events) != 200 || !page.More {
		t.Fatalf("%d events, %v", len(page.Events), err)
	}
	sim.Export("20261119", at(1), rows(460)...)
	rest, _ := fetchAll(t, c, page.Cursor)
	if len(rest) != 460 {
		t.Errorf("%d events of the table written anew, want all 460", len(rest))
	}
	gone := exporting(t, googleanalyticssim.New(), googleanalyticssim.New(), nil)
	if _, err := gone.Fetch(t.Context(), page.Cursor); reasonOf(err) != connectors.ReasonAuth {
		t.Errorf("an account that is not known: %v", err)
	}
	empty := googleanalyticssim.New()
	events, _ := fetchAll(t, exporting(t, empty, empty, nil), page.Cursor)
	if len(events) != 0 {
		t.Errorf("%d events of a table that is gone", len(events))
	}
}

func reasonOf(err error) connectors.Reason {
	var e *connectors.PushError
	if errors.As(err, &e) {
		return e.Reason
	}
	return connectors.ReasonNone
}

// TestExportOff: a connection without an export gives nothing and asks nobody.
func TestExportOff(t *testing.T) {
	t.Parallel()
	page, err := open(t, conforming()).Fetch(t.Context(), "")
	if err != nil || len(page.Events) != 0 || page.Cursor != "" || page.More {
		t.Errorf("%+v, %v", page, err)
	}
}

// TestBadRows: what does not fit its table is kept as it is.
func TestBadRows(t *testing.T) {
	t.Parallel()
	sim := googleanalyticssim.New()
	bad := `{"rows":[{"f":[{"v":"1"}]},{"f":7},7,{"f":[{"v":[]},{"v":null},{"v":null},{"v":null},{"v":null},{"v":null},{"v":null},{"v":null},{"v":null}]}]}`
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/data") && r.URL.Query().Get("startIndex") == "0" {
			connectortest.Reply(http.StatusOK, bad)(w, r)
			return
		}
		sim.ServeHTTP(w, r)
	})
	c := exporting(t, sim, h, nil)
	_, cursor := fetchAll(t, c, "")
	sim.Export("20261119", at(0), rows(1)...)
	events, _ := fetchAll(t, c, cursor)
	if len(events) != 4 {
		t.Fatalf("%d events", len(events))
	}
	for i, e := range events {
		if e.Broken == "" || e.Dedupe == [32]byte{} {
			t.Errorf("event %d is whole: %+v", i, e)
		}
	}
}

// TestTokenWithdrawn: it is fetched anew once; nothing of it, nor of the key,
// shows in an error.
func TestTokenWithdrawn(t *testing.T) {
	t.Parallel()
	sim := googleanalyticssim.New()
	c := exporting(t, sim, sim, nil)
	_, cursor := fetchAll(t, c, "")
	sim.Export("20261119", at(0), rows(1)...)
	fetchAll(t, c, cursor)
	sim.Expire()
	if events, _ := fetchAll(t, c, cursor); len(events) != 1 {
		t.Errorf("%d events after the token was withdrawn", len(events))
	}
	calls := 0
	refusing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			sim.ServeHTTP(w, r)
			return
		}
		calls++
		connectortest.Reply(http.StatusUnauthorized, `{"error":{"message":"no `+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+`"}}`)(w, r)
	})
	_, err := exporting(t, sim, refusing, nil).Fetch(t.Context(), cursor)
	if reasonOf(err) != connectors.ReasonAuth || calls != 2 || strings.Contains(err.Error(), "simulated-token") {
		t.Errorf("%v after %d calls", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Fetch(ctx, cursor); reasonOf(err) == connectors.ReasonNone {
		t.Errorf("broken off: %v", err)
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	sim := googleanalyticssim.New()
	c := exporting(t, sim, sim, nil)
	who := connectors.Update{VendorID: "118.1", Keys: []lifecycle.Key{{Namespace: "web", Value: "118.1"}, {Namespace: "web", Value: "118.2"}, {Namespace: "user", Value: "u-1001"}}}
	got, err := c.Erase(t.Context(), who)
	if err != nil || got.Outcome != connectors.Submitted || !strings.Contains(got.Proof, "client_id at 2026-11-20") {
		t.Errorf("erased = %+v, %v", got, err)
	}
	if diff := cmp.Diff([]string{"CLIENT_ID 118.1", "CLIENT_ID 118.2", "USER_ID u-1001"}, sim.Deleted()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if got, err := c.Erase(t.Context(), connectors.Update{Email: "ada@example.com"}); err != nil || got.Reason != connectors.ReasonNoIdentity {
		t.Errorf("nobody: %+v, %v", got, err)
	}
	foreign := exporting(t, sim, sim, func(cfg *connectors.Config) { cfg.Settings["property_id"] = "987654321" })
	if _, err := foreign.Erase(t.Context(), who); reasonOf(err) != connectors.ReasonForbidden {
		t.Errorf("another property: %v", err)
	}
	if _, err := open(t, conforming()).Erase(t.Context(), who); reasonOf(err) != connectors.ReasonSettings {
		t.Errorf("without an account: %v", err)
	}
}

// TestAccountSettings: mistakes in the key file are told before anything is asked.
func TestAccountSettings(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ field, file, dataset string }{
		"no JSON":            {"service_account", "key", googleanalyticssim.Dataset},
		"another kind":       {"service_account", `{"type":"authorized_user","client_email":"a@example.com"}`, googleanalyticssim.Dataset},
		"no key":             {"service_account", `{"type":"service_account","client_email":"a@example.com","private_key":"x"}`, googleanalyticssim.Dataset},
		"a key that is none": {"service_account", `{"type":"service_account","client_email":"a@example.com","private_key":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}`, googleanalyticssim.Dataset},
		"no account":         {"service_account", "", googleanalyticssim.Dataset},
		"dataset":            {"bigquery_dataset", "", "analytics_1"},
	} {
		cfg := conforming()
		cfg.Settings["bigquery_dataset"] = tt.dataset
		if tt.file != "" {
			cfg.Secrets["service_account"] = []secret.Text{secret.New(tt.file)}
		}
		if _, err := googleanalytics.Vendor().Open(cfg); err == nil || !strings.Contains(err.Error(), tt.field+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
