package web

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stagebridge/stagebridge/store"
)

// readyTimeout is what a service has to answer in.
const readyTimeout = 2 * time.Second

// Operations answers whoever runs the program: is it alive, is it ready, what
// does it do. Every role of the program has it.
type Operations struct {
	Store *store.Store
	// Services are asked by /readyz.
	Services []Service
	// Reasons say what does not go on; nil: nobody looks.
	Reasons func() []string
	// Metrics are what /metrics gives; nil: there is none.
	Metrics prometheus.Gatherer
	Version string
}

// Handler serves /healthz, /readyz and /metrics, and nothing else, without a
// token: it is for an address of its own.
func (o *Operations) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", o.healthz)
	mux.HandleFunc("GET /readyz", o.readyz)
	if o.Metrics != nil {
		mux.HandleFunc("GET /metrics", o.serveMetrics)
	}
	return mux
}

type healthBody struct {
	Status   string   `json:"status"`
	Version  string   `json:"version,omitempty"`
	Degraded bool     `json:"degraded"`
	Away     []string `json:"away"`
	Reasons  []string `json:"reasons,omitempty"`
}

// healthz says that the process is alive, whatever else is.
func (o *Operations) healthz(rw http.ResponseWriter, _ *http.Request) {
	answer(rw, http.StatusOK, healthBody{Status: "ok", Version: o.Version, Away: []string{}})
}

// readyz answers 200 while the database does: nothing else is needed to take
// what vendors send. What else is away is named, and why the pipeline does not
// go on. It names no connection, since anybody may ask.
func (o *Operations) readyz(rw http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	body := healthBody{Status: "ready", Version: o.Version, Away: o.away(ctx)}
	if o.Reasons != nil {
		body.Reasons = o.Reasons()
	}
	status := http.StatusOK
	if err := o.Store.Ping(ctx); err != nil {
		status, body.Status = http.StatusServiceUnavailable, "not ready"
		body.Away = append([]string{"database"}, body.Away...)
	}
	body.Degraded = len(body.Away)+len(body.Reasons) > 0
	answer(rw, status, body)
}

// answer writes a body as JSON.
func answer(rw http.ResponseWriter, status int, body healthBody) {
	b, _ := json.Marshal(body) // texts always encode
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_, _ = rw.Write(append(b, '\n')) // whoever asked may have gone
}

// away asks the services at the same time and lists those that do not answer.
func (o *Operations) away(ctx context.Context) []string {
	down := make([]bool, len(o.Services))
	var wg sync.WaitGroup
	for i, s := range o.Services {
		wg.Go(func() { down[i] = s.Ping(ctx) != nil })
	}
	wg.Wait()
	away := []string{}
	for i, s := range o.Services {
		if down[i] {
			away = append(away, s.Name)
		}
	}
	return away
}
