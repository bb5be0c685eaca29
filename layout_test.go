// Package stagebridge_test holds the repository against its own rules: who may
// import whom, how long a file may be, what must be documented.
package stagebridge_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/stagebridge/stagebridge"

// folder is one row of the import table.
type folder struct {
	// path is a folder of ours: "a" is that one, "a/..." it and all below it,
	// "a/*" each one directly below it, "a/*/*" each one directly below those.
	path string
	// ours are the folders it may import, in the same forms. Every folder may
	// import secret.
	ours []string
	// outside are prefixes of the outside modules it may import.
	outside []string
	// never are packages of the standard library it may not import.
	never []string
	// test marks packages that only tests import; they may import anything of
	// ours and nothing in production may import them.
	test bool
}

var (
	network     = []string{"net", "net/http", "net/http/...", "net/rpc/...", "net/smtp", "crypto/tls"}
	machine     = []string{"os", "os/...", "io/ioutil", "log", "log/...", "syscall", "path/filepath"}
	sql         = []string{"database/sql", "database/sql/..."}
	expressions = []string{"github.com/expr-lang/expr", "github.com/goccy/go-yaml", "golang.org/x/text"}
	everyday    = []string{"github.com/goccy/go-yaml", "github.com/go-json-experiment/json", "github.com/google/uuid", "golang.org/x"}
)

// layout is the table: a new arrow is a change here, seen in review. The first
// row whose path matches a package counts.
func layout() []folder {
	return []folder{
		{path: "secret", outside: []string{"golang.org/x/crypto"}, never: slices.Concat(network, sql)},
		{path: "lifecycle/...",
			ours:    []string{"lifecycle/..."},
			outside: expressions,
			never:   slices.Concat(network, machine, sql)},
		{path: "mapping/...",
			ours:    []string{"mapping/...", "lifecycle/..."},
			outside: append([]string{"github.com/go-json-experiment/json"}, expressions...),
			never:   slices.Concat(network, sql)},

		{path: "connectors/connectortest", test: true, outside: append([]string{"github.com/google/go-cmp", "github.com/getkin/kin-openapi"}, everyday...)},
		{path: "connectors/catalog/...",
			ours:    []string{"connectors", "connectors/*", "connectors/*/*", "lifecycle/..."},
			outside: everyday,
			never:   sql},
		{path: "connectors/standin",
			outside: everyday,
			never:   sql},
		{path: "connectors",
			ours:    []string{"lifecycle/..."},
			outside: everyday,
			never:   sql},
		// One vendor. It knows the contract, never another vendor.
		{path: "connectors/*",
			ours:    []string{"connectors", "lifecycle/..."},
			outside: everyday,
			never:   sql},
		// The stand-in of one vendor, in that vendor's folder. It is written from
		// the vendor's documentation and shares no code with the connector, so
		// that a mistake in one is not repeated in the other.
		{path: "connectors/*/*",
			ours:    []string{"connectors/standin"},
			outside: everyday,
			never:   sql},

		{path: "store/storetest", test: true,
			outside: []string{"github.com/jackc/pgx/v5", "github.com/google/go-cmp", "pgregory.net/rapid"}},
		{path: "store/...",
			ours: []string{"store/...", "lifecycle/..."},
			outside: append([]string{"github.com/jackc/pgx/v5", "modernc.org/sqlite",
				"github.com/pressly/goose/v3", "filippo.io/age"}, everyday...),
			never: []string{"net/http", "net/http/..."}},
		{path: "reports/...",
			ours:    []string{"reports/...", "store", "lifecycle/..."},
			outside: []string{"gonum.org/v1/gonum"},
			never:   network},
		{path: "jobs/...",
			ours: []string{"jobs/...", "connectors", "mapping/...", "reports/...", "store", "lifecycle/..."},
			outside: append([]string{"github.com/hibiken/asynq", "github.com/redis/go-redis/v9",
				"github.com/go-redis/redis_rate/v10", "github.com/alicebob/miniredis/v2",
				"github.com/sony/gobreaker/v2", "github.com/prometheus/client_golang", "go.opentelemetry.io/otel"}, everyday...),
			never: sql},
		{path: "web/...",
			ours: []string{"web/...", "jobs/...", "reports/...", "connectors", "mapping/...", "store", "lifecycle/..."},
			outside: append([]string{"github.com/labstack/echo/v4", "github.com/hibiken/asynqmon", "github.com/hibiken/asynq",
				"github.com/redis/go-redis/v9", "github.com/prometheus/client_golang", "github.com/coreos/go-oidc/v3", "go.opentelemetry.io/otel"}, everyday...),
			never: sql},

		{path: "cmd/...", ours: []string{"..."}, outside: []string{""}},
		// Drills that start the real program; there is nothing but tests in it.
		{path: "browser", test: true, outside: []string{""}},
		{path: "chaos", test: true, outside: []string{""}},
		// Small programs of the repository itself.
		{path: "scripts/...", ours: []string{"..."}, outside: []string{""}},
	}
}

// TestImports compares the table with what production code imports.
func TestImports(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if name == "" {
			continue // these tests
		}
		row, ok := find(name)
		if !ok {
			t.Errorf("%s is in no row of the table; say there what it may import", name)
			continue
		}
		for _, imported := range p.Imports {
			if why := row.refuses(imported); why != "" {
				t.Errorf("%s imports %s: %s", name, imported, why)
			}
		}
	}
}

// TestImportTableRefuses makes sure that the table would notice.
func TestImportTableRefuses(t *testing.T) {
	t.Parallel()
	for _, arrow := range []struct {
		from, to string
		allowed  bool
	}{
		{"lifecycle", "time", true},
		{"lifecycle", "os", false},
		{"lifecycle", "net/http", false},
		{"lifecycle", module + "/mapping", false},
		{"lifecycle/plans", module + "/lifecycle/document", true},
		{"mapping", module + "/lifecycle/expression", true},
		{"mapping", module + "/connectors", false},
		{"connectors", module + "/mapping", false},
		{"connectors", "net/http", true},
		{"connectors/hubspot", module + "/connectors", true},
		{"connectors/hubspot", module + "/secret", true},
		{"connectors/hubspot", module + "/connectors/mailchimp", false},
		{"connectors/hubspot", module + "/connectors/connectortest", false},
		{"connectors/hubspot", module + "/connectors/hubspot/hubspotsim", false},
		{"connectors/hubspot/hubspotsim", module + "/connectors/standin", true},
		{"connectors/hubspot/hubspotsim", module + "/connectors/hubspot", false},
		{"connectors/hubspot/hubspotsim", module + "/connectors", false},
		{"connectors/catalog", module + "/connectors/hubspot", true},
		{"connectors/catalog", module + "/connectors/hubspot/hubspotsim", true},
		{"connectors/connectortest", module + "/mapping", true},
		{"store", "github.com/jackc/pgx/v5/stdlib", true},
		{"store", module + "/connectors", false},
		{"reports", module + "/web", false},
		{"reports/clv", "gonum.org/v1/gonum/optimize", true},
		{"reports/clv", "net/http", false},
		{"jobs", "github.com/labstack/echo/v4", false},
		{"jobs", module + "/connectors/hubspot", false},
		{"web", module + "/connectors/catalog", false},
		{"web", "database/sql", false},
		{"web", module + "/store/storetest", false},
		{"cmd/stagebridge", module + "/connectors/catalog", true},
		{"cmd/stagebridge", module + "/store/storetest", false},
		{"web", "github.com/hibiken/asynqmonitor", false},
	} {
		row, ok := find(arrow.from)
		if !ok {
			t.Errorf("%s is in no row of the table", arrow.from)
			continue
		}
		if why := row.refuses(arrow.to); (why == "") != arrow.allowed {
			t.Errorf("%s importing %s: allowed %v, want %v (%s)", arrow.from, arrow.to, why == "", arrow.allowed, why)
		}
	}
}

// refuses says why a package of this row may not import another; "" if it may.
func (f folder) refuses(imported string) string {
	ours, isOurs := strings.CutPrefix(imported, module+"/")
	switch {
	case isOurs:
		return f.refusesOurs(ours)
	case !strings.Contains(strings.Split(imported, "/")[0], "."):
		if slices.ContainsFunc(f.never, func(pattern string) bool { return matches(pattern, imported) }) {
			return "the table rules this package of the standard library out"
		}
		return ""
	case slices.ContainsFunc(f.outside, func(prefix string) bool {
		return prefix == "" || imported == prefix || strings.HasPrefix(imported, prefix+"/")
	}):
		return ""
	}
	return "the table does not list this outside module"
}

func (f folder) refusesOurs(imported string) string {
	if imported == "secret" || f.test {
		return ""
	}
	if to, ok := find(imported); ok && to.test {
		return "only tests may import it"
	}
	if slices.ContainsFunc(f.ours, func(pattern string) bool { return matches(pattern, imported) }) {
		return ""
	}
	return "no arrow in the table leads there"
}

func find(name string) (folder, bool) {
	rows := layout()
	i := slices.IndexFunc(rows, func(f folder) bool { return matches(f.path, name) })
	if i < 0 {
		return folder{}, false
	}
	return rows[i], true
}

func matches(pattern, name string) bool {
	if pattern == "..." {
		return true
	}
	if root, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == root || strings.HasPrefix(name, root+"/")
	}
	same, err := path.Match(pattern, name)
	return err == nil && same
}

// goPackage is the part of go list's answer that the tests read.
type goPackage struct {
	ImportPath string
	Dir        string
	Doc        string
	GoFiles    []string
	Imports    []string
}

// listed asks the go command once for all the tests.
var listed = sync.OnceValues(func() ([]goPackage, error) {
	// With -e a package that does not compile, which the compiler reports well
	// enough, does not hide what is wrong with the others.
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Doc,GoFiles,Imports", "./...").Output()
	if err != nil {
		if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
			return nil, errors.New(string(failed.Stderr))
		}
		return nil, err
	}
	var all []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, p)
	}
})

func packages(t *testing.T) []goPackage {
	t.Helper()
	all, err := listed()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if len(all) == 0 {
		t.Fatal("go list names no package")
	}
	return all
}
