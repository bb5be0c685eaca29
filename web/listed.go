package web

import (
	"net/http"
	"slices"
	"strings"
)

// Pages gives the routes, as they were registered, of every page that somebody
// logged in may open, sorted: what is measured and looked at page by page. Parts
// of pages that keep themselves up to date, and the workers' own pages below
// /jobs, are not among them.
func (w *Web) Pages() []string {
	var all []string
	for _, r := range w.echo.Routes() {
		if r.Method != http.MethodGet || strings.HasSuffix(r.Path, ".json") {
			continue // the description for machines is no page
		}
		if strings.HasPrefix(r.Path, "/api/docs") {
			all = append(all, r.Path)
			continue
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
		switch first {
		case "healthz", "readyz", "metrics", "assets", "login", "setup", "hooks", "v1", "api", "mp", "live", "jobs":
		default:
			all = append(all, r.Path)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
