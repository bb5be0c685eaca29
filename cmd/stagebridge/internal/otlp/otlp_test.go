package otlp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/otlp"
	"github.com/stagebridge/stagebridge/secret"
)

// TestAsksAgain: a collector that is busy for a moment gets the spans all the
// same, one that refuses them is not asked again, and no error shows the token.
func TestAsksAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status []int
		asked  int32
		fails  bool
	}{
		{"busy once", []int{503, 200}, 2, false},
		{"refused", []int{400}, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := int(asked.Add(1))
				if r.Header.Get("X-Token") != "hush" || r.URL.Path != "/base/v1/traces" {
					t.Errorf("%s with the token %q", r.URL.Path, r.Header.Get("X-Token"))
				}
				w.WriteHeader(c.status[min(n, len(c.status))-1])
			}))
			defer s.Close()
			e, err := otlp.New(s.URL+"/base", secret.New("X-Token=hush"))
			if err != nil {
				t.Fatal(err)
			}
			err = e.ExportSpans(t.Context(), tracetest.SpanStubs{{Name: "x"}}.Snapshots())
			if (err != nil) != c.fails || asked.Load() != c.asked || err != nil && strings.Contains(err.Error(), "hush") {
				t.Errorf("asked %d times, %v", asked.Load(), err)
			}
		})
	}
	for endpoint, headers := range map[string]string{"collector:4318": "", "http://": "", "http://example.com": "no pair"} {
		if _, err := otlp.New(endpoint, secret.New(headers)); err == nil {
			t.Errorf("%s with %q was taken", endpoint, headers)
		}
	}
}
