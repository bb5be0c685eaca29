package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/hibiken/asynq"
	"github.com/hibiken/asynqmon"
	"github.com/labstack/echo/v4"
)

// jobsPath is where the web UI of asynq is.
const jobsPath = "/jobs"

// jobsUI shows asynq's own web UI behind our login. Its page carries inline
// scripts and asks for fonts of another site: the scripts are allowed by their
// hashes, the fonts are cut out, so that it works without the internet.
type jobsUI struct {
	*asynqmon.HTTPHandler
	index  []byte
	policy string
}

var (
	outsideLink  = regexp.MustCompile(`<link[^>]+href="https?://[^>]*>`)
	inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
)

func newJobsUI(redis asynq.RedisConnOpt) (*jobsUI, error) {
	ui := &jobsUI{HTTPHandler: asynqmon.New(asynqmon.Options{RootPath: jobsPath, RedisConnOpt: redis})}
	page, err := ui.renderIndex()
	if err != nil {
		return nil, errors.Join(err, ui.Close())
	}
	ui.index = outsideLink.ReplaceAll(page, nil)
	scripts := inlineScript.FindAllSubmatch(ui.index, -1)
	if len(scripts) == 0 || bytes.Contains(ui.index, []byte("googleapis")) {
		return nil, errors.Join(errors.New("web: the page of the jobs is not what was expected"), ui.Close())
	}
	var hashes strings.Builder
	for _, s := range scripts {
		sum := sha256.Sum256(s[1])
		fmt.Fprintf(&hashes, " 'sha256-%s'", base64.StdEncoding.EncodeToString(sum[:]))
	}
	// Its style library writes style elements while it runs.
	ui.policy = "default-src 'none'; script-src 'self'" + hashes.String() + "; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	return ui, nil
}

// renderIndex asks the UI for its start page once.
func (ui *jobsUI) renderIndex() ([]byte, error) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://localhost"+jobsPath+"/", nil)
	if err != nil {
		return nil, fmt.Errorf("web: jobs: %w", err)
	}
	var page recorded
	ui.HTTPHandler.ServeHTTP(&page, r)
	if page.status != 0 && page.status != http.StatusOK {
		return nil, fmt.Errorf("web: the page of the jobs answers %d", page.status)
	}
	return page.body.Bytes(), nil
}

// recorded is an answer kept in memory.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorded) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

// WriteHeader implements http.ResponseWriter.
func (r *recorded) WriteHeader(status int) { r.status = status }

// Write implements http.ResponseWriter.
func (r *recorded) Write(b []byte) (int, error) { return r.body.Write(b) }

func (ui *jobsUI) serve(c echo.Context) error {
	h := c.Response().Header()
	h.Set("Content-Security-Policy", ui.policy)
	rest := strings.TrimPrefix(c.Request().URL.Path, jobsPath)
	switch {
	case strings.HasPrefix(rest, "/api/"):
	case strings.HasPrefix(rest, "/static/"):
		h.Set("Cache-Control", "private, max-age=86400")
	case strings.Contains(rest, "."): // icons and the manifest lie beside the page
	default:
		// Every other address is a view of the one page.
		return c.HTMLBlob(http.StatusOK, ui.index)
	}
	ui.HTTPHandler.ServeHTTP(c.Response(), c.Request())
	return nil
}
