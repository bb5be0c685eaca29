package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// readyTimeout is what a service has to answer in.
const readyTimeout = 2 * time.Second

type healthBody struct {
	Status   string   `json:"status"`
	Version  string   `json:"version,omitempty"`
	Degraded bool     `json:"degraded"`
	Away     []string `json:"away"`
}

// healthz says that the process is alive, whatever else is.
func (w *Web) healthz(c echo.Context) error {
	return c.JSON(http.StatusOK, healthBody{Status: "ok", Version: w.version, Away: []string{}})
}

// readyz answers 200 while the database does: nothing else is needed to take
// what vendors send. What else is away is named.
func (w *Web) readyz(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), readyTimeout)
	defer cancel()
	body := healthBody{Status: "ready", Version: w.version, Away: w.away(ctx)}
	status := http.StatusOK
	if err := w.store.Ping(ctx); err != nil {
		status, body.Status = http.StatusServiceUnavailable, "not ready"
		body.Away = append([]string{"database"}, body.Away...)
	}
	body.Degraded = len(body.Away) > 0
	return c.JSON(status, body)
}

// away asks the services at the same time and lists those that do not answer.
func (w *Web) away(ctx context.Context) []string {
	down := make([]bool, len(w.services))
	var wg sync.WaitGroup
	for i, s := range w.services {
		wg.Go(func() { down[i] = s.Ping(ctx) != nil })
	}
	wg.Wait()
	away := []string{}
	for i, s := range w.services {
		if down[i] {
			away = append(away, s.Name)
		}
	}
	return away
}
