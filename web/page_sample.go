package web

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
)

// Samples makes signed requests as vendors send them.
type Samples interface {
	// Types lists the types that there is a sample of; none for most connectors.
	Types(connector string) []string
	// Sample makes a request of a type to the connection's own address.
	Sample(ctx context.Context, conn *jobs.Conn, kind string) (*http.Request, error)
}

// sampleForm sends a sample through the same way as the vendor's own events:
// what it shows is what those will do.
func (w *Web) sampleForm(c echo.Context) error {
	ctx, id := c.Request().Context(), c.Param("id")
	conn, err := w.registry.Find(ctx, id)
	if err != nil {
		return err
	}
	if w.samples == nil {
		return echo.ErrNotFound
	}
	r, err := w.samples.Sample(ctx, conn, c.FormValue("type"))
	if err != nil {
		return badRequest("type", "cannot be sent: %v", err)
	}
	// Signatures cover the public address; the way there may not exist yet.
	r.URL.Scheme, r.URL.Host, r.URL.Path = "", "", "/hooks/"+id
	r.RequestURI = r.URL.RequestURI()
	r.RemoteAddr = c.Request().RemoteAddr
	var a answered
	w.echo.ServeHTTP(&a, r)
	note := "The sample was taken as receipt " + a.Header().Get("Stagebridge-Receipt") + "."
	if a.status/100 != 2 {
		note = "The sample was refused: " + strings.TrimSpace(a.body.String())
	}
	return w.showConnectionPage(c, http.StatusOK, conn, note)
}

// answered keeps the answer to a request that this process asked itself.
type answered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answered) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

func (a *answered) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answered) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}
