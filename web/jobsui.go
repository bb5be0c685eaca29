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

	"github.com/stagebridge/stagebridge/web/access"
)

// jobsPath is where the web UI of asynq is, inside of the page of jobs.
const jobsPath = "/jobs/ui"

// jobsUI shows asynq's own web UI behind our login, and in our frame: to
// viewers one that changes nothing.
type jobsUI struct {
	full, viewing *asynqUI
}

func newJobsUI(redis asynq.RedisConnOpt) (*jobsUI, error) {
	full, err := newAsynqUI(redis, false)
	if err != nil {
		return nil, err
	}
	viewing, err := newAsynqUI(redis, true)
	if err != nil {
		return nil, errors.Join(err, full.Close())
	}
	return &jobsUI{full, viewing}, nil
}

// Close gives back what both hold open.
func (ui *jobsUI) Close() error { return errors.Join(ui.full.Close(), ui.viewing.Close()) }

// jobsPage is our header and navigation around asynq's pages.
func (w *Web) jobsPage(c echo.Context) error {
	c.Response().Header().Set("Content-Security-Policy", policy+"; frame-src 'self'")
	return w.render(c, http.StatusOK, "jobs", "Jobs", jobsPage{jobsPath + "/"})
}

// jobsPage answers: what are the workers doing?
type jobsPage struct {
	// Inside is the address of asynq's own pages.
	Inside string
}

// asynqUI is one form of asynq's web UI. Its page carries inline scripts and
// asks for fonts of another site: the scripts are allowed by their hashes, the
// fonts are cut out, so that it works without the internet.
type asynqUI struct {
	*asynqmon.HTTPHandler
	index  []byte
	policy string
}

var (
	outsideLink  = regexp.MustCompile(`<link[^>]+href="https?://[^>]*>`)
	inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
)

func newAsynqUI(redis asynq.RedisConnOpt, readOnly bool) (*asynqUI, error) {
	ui := &asynqUI{HTTPHandler: asynqmon.New(asynqmon.Options{RootPath: jobsPath, RedisConnOpt: redis, ReadOnly: readOnly})}
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
		"font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
	return ui, nil
}

// renderIndex asks the UI for its start page once.
func (ui *asynqUI) renderIndex() ([]byte, error) {
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

func (both *jobsUI) serve(c echo.Context) error {
	ui := both.viewing
	if access.Role(roleOf(c)).May(access.Editor) {
		ui = both.full
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", ui.policy)
	h.Set("X-Frame-Options", "SAMEORIGIN") // the page of jobs frames it, and nobody else may
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
