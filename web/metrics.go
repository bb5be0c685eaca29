package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricsPage serves the metrics at the main address, for a token.
func (w *Web) metricsPage(c echo.Context) error {
	if w.metricsToken.Empty() || w.operations.Metrics == nil {
		return echo.ErrNotFound
	}
	token, _ := strings.CutPrefix(c.Request().Header.Get(echo.HeaderAuthorization), "Bearer ")
	if !w.metricsToken.Equal(token) {
		return unauthorized(c)
	}
	w.operations.serveMetrics(c.Response(), c.Request())
	return nil
}

func (o *Operations) serveMetrics(rw http.ResponseWriter, r *http.Request) {
	promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}).ServeHTTP(rw, r)
}
