package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const importRules = `rules:
  - name: order
    type: order
    emit:
      event: Order:Completed
      identity: { user: body.id }
      value: { amount: body.usd, currency: "'USD'" }
`

// TestImport reads a file with a bad row, then again, then a longer one, and
// sees that nothing comes in twice and the rules take it.
func TestImport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("ws/connections/shop.yaml", "id: shop\nconnector: generic-webhook\nsecrets: { signing_secret: whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= }\n")
	write("ws/rules/shop.yaml", importRules)
	env := map[string]string{"STAGEBRIDGE_DATA_DIR": filepath.Join(dir, "data")}
	if r := stagebridge(t, env, "apply", filepath.Join(dir, "ws")); r.code != exitOK {
		t.Fatalf("apply: %+v", r)
	}
	var text strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&text, " %05d 19970%d%02d  2   29.33\n", i%700, 1+i%9, 1+i%28)
	}
	text.WriteString(" 00004 tomorrow 1 2.00\n 00005\n")
	path := write("orders.txt", text.String())
	args := []string{"import", "-separator", "space", "-columns", "id,day,cds,usd", "-time-column", "day", "-type", "order", "shop", path}
	for _, want := range []string{"2500 rows kept, 0 were there already, 2 refused", "0 rows kept, 2500 were there already, 2 refused"} {
		if r := stagebridge(t, env, args...); r.code != exitError || !strings.HasPrefix(r.stdout, want) {
			t.Errorf("%+v, want %s", r, want)
		}
	}
	bad, err := os.ReadFile(path + ".errors")
	if err != nil || strings.Count(string(bad), "\n") != 2 || !strings.Contains(string(bad), `line 2501: day is "tomorrow"`) || !strings.Contains(string(bad), "line 2502: it has 1 columns, want 4:") {
		t.Errorf("errors: %s, %v", bad, err)
	}
	if rows, err := os.ReadFile(filepath.Join(dir, "orders.refused.txt")); err != nil || string(rows) != " 00004 tomorrow 1 2.00\n 00005\n" {
		t.Errorf("refused: %q, %v", rows, err)
	}
	keyed := write("keyed.csv", "id,usd,order\n1,5.00,o1\n1,5.00,o1\n2,6.00,o2\n")
	if r := stagebridge(t, env, "import", "-key-column", "order", "-type", "order", "shop", keyed); r.code != exitOK || !strings.HasPrefix(r.stdout, "2 rows kept, 1 were there already\n") {
		t.Errorf("keyed: %+v", r)
	}
	for _, tt := range []struct{ want, a, b string }{
		{"there is no connection", "nobody", path}, {"no such file", "shop", filepath.Join(dir, "none.csv")},
	} {
		if r := stagebridge(t, env, "import", tt.a, tt.b); r.code != exitError || !strings.Contains(r.stderr, tt.want) {
			t.Errorf("%s: %+v", tt.want, r)
		}
	}
	if r := stagebridge(t, env, "import", "-separator", "ab", "shop", path); r.code != exitError || !strings.Contains(r.stderr, "-separator") {
		t.Errorf("a separator of two: %+v", r)
	}
}
