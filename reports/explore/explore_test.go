package explore_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/reports/explore"
)

// TestLookMLIsWellFormed: braces pair up, every statement of SQL ends, and each
// field that is joined on exists.
func TestLookMLIsWellFormed(t *testing.T) {
	t.Parallel()
	files := explore.LookML(`my "bridge"`, "public")
	if len(files) != len(explore.Views())+2 {
		t.Errorf("%d files", len(files))
	}
	dimension := regexp.MustCompile(`(?m)^  dimension: (\w+)`)
	fields := map[string]bool{}
	for name, text := range files {
		// The fields' own references ${…} pair up by themselves.
		if strings.Count(text, "{") != strings.Count(text, "}") || strings.Count(text, " sql: ") > strings.Count(text, " ;;\n") {
			t.Errorf("%s is not well formed:\n%s", name, text)
		}
		if view, ok := strings.CutPrefix(name, "views/"); ok {
			view = strings.TrimSuffix(view, ".view.lkml")
			for _, m := range dimension.FindAllStringSubmatch(text, -1) {
				fields[view+"."+m[1]] = true
			}
			if n := strings.Count(text, "primary_key: yes"); n != 1 {
				t.Errorf("%s has %d primary keys", name, n)
			}
			if !strings.Contains(text, "sql_table_name: public.explore_"+view+" ;;") {
				t.Errorf("%s names another table", name)
			}
		}
	}
	model := files["stagebridge.model.lkml"]
	if !strings.HasPrefix(model, `connection: "my \"bridge\""`) {
		t.Errorf("the model begins with %.40s", model)
	}
	joins := regexp.MustCompile(`\$\{(\w+\.\w+)\}`).FindAllStringSubmatch(model, -1)
	if len(joins) != 2*(len(explore.Views())-1) {
		t.Errorf("%d fields are joined on", len(joins))
	}
	for _, m := range joins {
		if !fields[m[1]] {
			t.Errorf("the model joins on %s, which no view has", m[1])
		}
	}
}

func TestDocsAreFresh(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/explore.md")
	if err != nil || string(text) != explore.Docs() {
		t.Errorf("docs/explore.md is stale (%v); run go generate ./reports/explore", err)
	}
}
