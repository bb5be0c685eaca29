package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRulesAreTriedAndTakenBack: draft rules are tried on what one person gave,
// and every version keeps why it was published.
func TestRulesAreTriedAndTakenBack(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		c := newCLI(t, env)
		c.run(exitOK, "apply", "-reason", "first rules", c.folder)
		s := serve(t, c.env)
		for i, who := range []string{"ann", "ann", "ben"} {
			if status, _ := s.post("shop", fmt.Sprintf("m%d", i), fmt.Sprintf(`{"type":"bought","email":"%s@example.com"}`, who)); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
		}
		silentInbox(t, s)
		draft := filepath.Join(files(t, map[string]string{"draft.yaml": strings.Replace(shopRules, "Order:Completed", "Demo:Requested", 1)}), "draft.yaml")
		try := []string{"replay", "-dry-run", "-rules", draft, "-connection", "shop"}
		c.has(c.run(exitOK, try...), "3 of 3 raw events would give something else", "Customer to Visit: 2", "for example 1 2", "a replay of them takes longer than the ")
		c.has(c.run(exitOK, append(try, "-person", "ann@example.com")...), "2 of 2 raw events would give something else", "Customer to Visit: 1")
		c.has(c.run(exitError, append(try, "-person", "cleo@example.com")...), "nobody has the key email:cleo@example.com")
		c.has(c.run(exitUsage, "replay", "-rules", draft, "-connection", "shop"), "-rules wants -dry-run")

		c.has(c.run(exitOK, "rules", "publish", "-reason", "demos, not orders", "shop", draft), "version 2 is in force for shop")
		c.has(c.run(exitOK, "rules", "rollback", "-reason", "orders after all", "shop"), "back to version 1, as version 3, in force for shop; 'stagebridge replay -connection shop' processes")
		c.has(c.run(exitOK, try...), "3 of 3 raw events would give something else")
		c.has(c.run(exitOK, "rules", "rollback", "shop", "2"), "back to version 2, as version 4")
		versions := c.run(exitOK, "rules", "versions", "shop")
		for _, want := range []string{`(?m)^4 .* command line  in force +back to version 2$`, `(?m)^3 .* command line .* orders after all$`, `(?m)^2 .* demos, not orders$`, `(?m)^1 .* workspace .* first rules$`} {
			if !regexp.MustCompile(want).MatchString(versions) {
				t.Errorf("%q is not told:\n%s", want, versions)
			}
		}
		c.has(c.run(exitOK, "plan", "versions"), "first rules")
		c.has(c.run(exitError, "rules", "rollback", "shop", "9"), "there is no version 9")
		c.has(c.run(exitError, "rules", "rollback", "nobody"), `no connection "nobody"`)
		c.has(c.run(exitUsage, "rules", "rollback", "shop", "x"), `"x" is no version`)
		put(t, c.folder, map[string]string{"connections/bare.yaml": strings.Replace(shopFile, "id: shop", "id: bare", 1)})
		c.run(exitOK, "apply", c.folder)
		c.has(c.run(exitError, "rules", "rollback", "bare"), "are the connector's own")
	})
}
