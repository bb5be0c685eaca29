package main

import (
	"compress/gzip"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/sample"
)

// collected is one span as a collector gets it.
type collected struct {
	TraceID, SpanID, ParentSpanID, Name string
	Attributes                          []struct {
		Key   string
		Value map[string]any
	}
}

// collector takes traces over the wire.
type collector struct {
	mu    sync.Mutex
	spans map[string]collected // by name
	all   strings.Builder
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var raw json.RawMessage
	var got struct {
		ResourceSpans []struct{ ScopeSpans []struct{ Spans []collected } }
	}
	if json.NewDecoder(z).Decode(&raw) != nil || json.Unmarshal(raw, &got) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all.Write(raw)
	for _, r := range got.ResourceSpans {
		for _, s := range r.ScopeSpans {
			for _, span := range s.Spans {
				c.spans[span.Name] = span
			}
		}
	}
}

func (c *collector) span(name string) collected {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spans[name]
}

// TestTraceOverTheWire: the trace that a sender began leads through processing
// to the vendor, and names nobody.
func TestTraceOverTheWire(t *testing.T) {
	t.Parallel()
	c := &collector{spans: map[string]collected{}}
	otlp := httptest.NewServer(c)
	t.Cleanup(otlp.Close)
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	t.Cleanup(vendor.Close)
	ws := t.TempDir()
	if err := os.Mkdir(filepath.Join(ws, "connections"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := "id: app\nconnector: generic-webhook\nsecrets: { signing_secret: " + standardKey.Reveal() + " }\nsettings: { url: " + vendor.URL + " }\npush: { enabled: true }\n"
	if err := os.WriteFile(filepath.Join(ws, "connections", "app.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, settings(t, map[string]string{prefix + "OTLP_ENDPOINT": otlp.URL, prefix + "TRACE_SHARE": "1", prefix + "WORKSPACE": ws}))
	const traced = "0af7651916cd43dd8448eb211c80319c"
	body := `{"type":"newsletter.subscribed","data":{"email":"ann@example.com"}}`
	r, err := sample.Standard(t.Context(), s.url+"/hooks/app", "m1", time.Now(), standardKey, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Traceparent", "00-"+traced+"-b7ad6b7169203331-01")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	within(t, "the trace to arrive", func() bool {
		return c.span("ingest").SpanID != "" && c.span("process").SpanID != "" && c.span("push").SpanID != ""
	})
	for child, parent := range map[string]string{"ingest": "b7ad6b7169203331", "process": c.span("ingest").SpanID, "push": c.span("process").SpanID} {
		if span := c.span(child); span.TraceID != traced || span.ParentSpanID != parent {
			t.Errorf("%s is %s behind %s, want it behind %s", child, span.TraceID, span.ParentSpanID, parent)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.Contains(c.all.String(), "ann@") || !strings.Contains(c.all.String(), "stagebridge.connection") {
		t.Errorf("the spans: %s", c.all.String())
	}
}
