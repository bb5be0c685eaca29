package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web/access"
)

//go:embed all:templates assets
var files embed.FS

// views lists every page and the type of its body. A template that is not
// here, or does not render with the zero body, keeps the program from starting.
func views() map[string]any {
	return map[string]any{
		"account":         accountPage{},
		"account_view":    accountViewPage{},
		"accounts":        accountsPage{},
		"api":             apiPage{},
		"audit":           auditPage{},
		"connection":      connectionPage{},
		"connection_form": connectionForm{},
		"connections":     connectionsPage{},
		"doubts":          doubtsPage{},
		"erasure":         erasurePage{},
		"erasures":        erasuresPage{},
		"funnel":          funnelPage{},
		"inbox":           inboxPage{},
		"jobs":            jobsPage{},
		"join":            joinPage{},
		"login":           loginPage{},
		"notifications":   notificationsPage{},
		"overview":        overviewPage{},
		"people":          peoplePage{},
		"person":          personPage{},
		"person_keys":     personKeysPage{},
		"plan":            planPage{},
		"plan_docs":       planDocsPage{},
		"governance":      governancePage{},
		"problem":         problemPage{},
		"raw":             rawPage{},
		"report":          reportPage{},
		"reports":         reportsPage{},
		"reviews":         reviewsPage{},
		"rules":           rulesPage{},
		"segments":        segmentsPage{},
		"settings":        settingsPage{},
		"setup":           setupPage{},
		"sync":            syncPage{},
		"version":         versionPage{},
		"work":            workPage{},
	}
}

// frame is what surrounds every page.
type frame struct {
	Title string
	// Nav is the part of the site that the page belongs to.
	Nav  string
	User string
	// Role of whom it is shown to: the style sheet leaves out what others may do.
	// The server refuses it in any case.
	Role      string
	Simulated bool
	Jobs      bool
	Version   string
	// Counted is since when the counts on pages are, where that is some time.
	Counted lifecycle.Instant
	Body    any
}

// pages are the templates and assets, checked.
type pages struct {
	views  map[string]*template.Template
	assets map[string]asset // by hashed name
	names  map[string]string
}

type asset struct {
	body []byte
	kind string
}

func loadPages(now func() time.Time) (*pages, error) {
	p := &pages{views: map[string]*template.Template{}, assets: map[string]asset{}, names: map[string]string{}}
	if err := p.loadAssets(); err != nil {
		return nil, err
	}
	base, err := template.New("").Option("missingkey=error").Funcs(p.funcs(now)).ParseFS(files, "templates/_*.html")
	if err != nil {
		return nil, fmt.Errorf("web: templates: %w", err)
	}
	bodies := views()
	found, err := fs.Glob(files, "templates/[a-z]*.html")
	if err != nil {
		return nil, fmt.Errorf("web: templates: %w", err)
	}
	for _, file := range found {
		name := strings.TrimSuffix(path.Base(file), ".html")
		body, ok := bodies[name]
		if !ok {
			return nil, fmt.Errorf("web: templates/%s.html is in no view", name)
		}
		t, err := base.Clone()
		if err == nil {
			t, err = t.ParseFS(files, file)
		}
		if err == nil {
			err = t.ExecuteTemplate(io.Discard, "page", frame{Body: body})
		}
		if err != nil {
			return nil, fmt.Errorf("web: template %s: %w", name, err)
		}
		p.views[name] = t
	}
	for name := range bodies {
		if p.views[name] == nil {
			return nil, fmt.Errorf("web: templates/%s.html is missing", name)
		}
	}
	return p, nil
}

// loadAssets names each asset by its content, so that browsers may keep it
// for ever.
func (p *pages) loadAssets() error {
	all, err := fs.ReadDir(files, "assets")
	if err != nil {
		return fmt.Errorf("web: assets: %w", err)
	}
	for _, f := range all {
		body, err := files.ReadFile("assets/" + f.Name())
		if err != nil {
			return fmt.Errorf("web: assets: %w", err)
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(f.Name())
		hashed := strings.TrimSuffix(f.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		p.names[f.Name()] = hashed
		p.assets[hashed] = asset{body, mime.TypeByExtension(ext)}
	}
	return nil
}

func (w *Web) asset(c echo.Context) error {
	a, ok := w.pages.assets[c.Param("file")]
	if !ok {
		return echo.ErrNotFound
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	return c.Blob(http.StatusOK, a.kind, a.body)
}

// render sends a page. Nothing is sent when the template fails.
func (w *Web) render(c echo.Context, status int, view, title string, body any) error {
	user := author(c)
	f := frame{Title: title, Nav: navOf(c.Request().URL.Path), User: user, Role: roleOf(c), Simulated: w.simulated, Jobs: w.jobsUI != nil, Version: w.version, Counted: w.countedAt(), Body: body}
	var out bytes.Buffer
	if err := w.pages.views[view].ExecuteTemplate(&out, "page", f); err != nil {
		return fmt.Errorf("web: page %s: %w", view, err)
	}
	return c.HTMLBlob(status, out.Bytes())
}

func roleOf(c echo.Context) string {
	holder, _ := c.Get(holderKey).(access.Holder)
	return string(holder.Role)
}

// renderPart sends a piece of a page, for a script that puts it in its place.
func (w *Web) renderPart(c echo.Context, status int, view, part string, body any) error {
	var out bytes.Buffer
	if err := w.pages.views[view].ExecuteTemplate(&out, part, body); err != nil {
		return fmt.Errorf("web: part %s of page %s: %w", part, view, err)
	}
	return c.HTMLBlob(status, out.Bytes())
}

func navOf(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first
}

// funcs are what templates may call.
func (p *pages) funcs(now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"asset": func(name string) (string, error) {
			hashed, ok := p.names[name]
			if !ok {
				return "", fmt.Errorf("no asset %q", name)
			}
			return "/assets/" + hashed, nil
		},
		"accountPath": accountPath,
		"iso":         func(i lifecycle.Instant) string { return i.Time().Format(time.RFC3339) },
		"ago":         func(i lifecycle.Instant) string { return ago(now().Sub(i.Time())) },
		"known":       func(i lifecycle.Instant) bool { return i != 0 && i != store.Behind },
		"num":         thousands,
		"count":       counted,
		"lasting":     lasting,
		"int64":       func(n int) int64 { return int64(n) },
		"dec":         decimal,
		"words":       func(s string) string { return strings.ReplaceAll(s, "_", " ") },
		"isset":       func(v any) bool { return v != nil && !reflect.ValueOf(v).IsZero() },
	}
}

// ago says how long something is past, or ahead, in one unit.
func ago(d time.Duration) string {
	ahead := d < 0
	if ahead {
		d = -d
	}
	text := ""
	switch {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		text = strconv.Itoa(int(d/time.Second)) + " s"
	case d < time.Hour:
		text = strconv.Itoa(int(d/time.Minute)) + " min"
	case d < 48*time.Hour:
		text = strconv.Itoa(int(d/time.Hour)) + " h"
	default:
		text = strconv.Itoa(int(d/(24*time.Hour))) + " days"
	}
	if ahead {
		return "in " + text
	}
	return text + " ago"
}

// thousands groups digits by a thin space, which no reader takes for a decimal
// point.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	from := 0
	if n < 0 {
		from = 1
	}
	for i := len(s) - 3; i > from; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// counted says a number with its noun.
func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// accountPath is the address of an account's page; its key may hold anything.
func accountPath(key string) string { return "/accounts/" + url.PathEscape(key) }

// link makes an address with a query; empty values are left out.
func link(path string, pairs ...string) string {
	q := queryOf(pairs)
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
