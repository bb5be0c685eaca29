//go:build !race

package browser_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// pageRoutes are the addresses of all pages, read from the table of routes in
// the program's source, so that a page which nobody opens here is missed.
func pageRoutes(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../web/web.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 3 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		last, named := call.Args[len(call.Args)-1].(*ast.Ident)
		path, literal := call.Args[0].(*ast.BasicLit)
		if !ok || !named || !literal || method.Sel.Name != "GET" || last.Name != "page" && last.Name != "open" {
			return true
		}
		if text, err := strconv.Unquote(path.Value); err == nil && !noPage(text) {
			all = append(all, text)
		}
		return true
	})
	if len(all) < 20 {
		t.Fatalf("only %d routes of pages were found in web/web.go: %q", len(all), all)
	}
	return all
}

// noPage tells addresses that give a page's live part or a file, or belong to
// asynq's own pages or the API.
func noPage(route string) bool {
	for _, begin := range []string{"/live/", "/login/", "/jobs", "/api/v1", "/assets/"} {
		if strings.HasPrefix(route, begin) {
			return true
		}
	}
	return strings.HasSuffix(route, ".csv") || strings.HasSuffix(route, ".json") || strings.HasSuffix(route, "/export")
}

// plain is a route as an address, where it has no variable part.
func plain(route string) (string, bool) {
	if route == "/connections/new" {
		return route + "?connector=hubspot", true
	}
	return route, !strings.Contains(route, ":") && route != "/setup"
}

// fits says whether an address is one of a route's.
func fits(route, path string) bool {
	path, _, _ = strings.Cut(path, "?")
	r, p := strings.Split(route, "/"), strings.Split(path, "/")
	if len(r) != len(p) {
		return false
	}
	for i := range r {
		if r[i] != p[i] && (!strings.HasPrefix(r[i], ":") || p[i] == "") {
			return false
		}
	}
	return true
}
