package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

const (
	shopFile = `# what the shop tells
id: shop
connector: generic-webhook
secrets: { signing_secret: "${SHOP_SECRET}" }
settings: { url: "https://example.com/lifecycle" }
push: { enabled: true, stages: { Visit: visitor, Customer: customer } }
`
	shopRules = `rules:
  - name: bought
    type: bought
    emit: { event: "Order:Completed", identity: { email: body.email } }
`
	shortPlan = `name: short
stages:
  - { name: Visit }
  - { name: Customer, when: 'seen("Order:Completed")' }
`
)

// cli is an installation that is changed by command line and, as the pages do,
// through Admin.
type cli struct {
	t      *testing.T
	env    map[string]string
	folder string
}

func newCLI(t *testing.T, env map[string]string) *cli {
	t.Helper()
	env["SHOP_SECRET"] = standardKey.Reveal()
	return &cli{t, env, files(t, map[string]string{"connections/shop.yaml": shopFile, "rules/shop.yaml": shopRules, "plan.yaml": shortPlan})}
}

// run runs a command and wants an exit code.
func (c *cli) run(code int, args ...string) string {
	c.t.Helper()
	got := stagebridge(c.t, c.env, args...)
	if got.code != code {
		c.t.Fatalf("%v: exit code %d, want %d\n%s%s", args, got.code, code, got.stdout, got.stderr)
	}
	return strings.ReplaceAll(got.stdout+got.stderr, c.folder, "DIR")
}

// pages does what a person does in the pages.
func (c *cli) pages(fn func(ctx context.Context, a *app) error) {
	c.t.Helper()
	p := &program{env: c.env, stdin: strings.NewReader(""), stdout: c.t.Output(), stderr: c.t.Output()}
	if err := p.withApp(c.t.Context(), func(a *app) error { return fn(c.t.Context(), a) }); err != nil {
		c.t.Fatal(err)
	}
}

// versions gives the versions of what is in force: connection, rules, plan.
func (c *cli) versions() [3]int64 {
	c.t.Helper()
	var v [3]int64
	c.pages(func(ctx context.Context, a *app) error {
		plan, err := a.admin.Plan(ctx)
		if conn := a.registry.Config().Connections["shop"]; conn != nil {
			v = [3]int64{conn.Version, conn.Connection.Rules, plan.Version}
		}
		return err
	})
	return v
}

func (c *cli) want(got, want string) {
	c.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		c.t.Errorf("output (-want +got):\n%s", diff)
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		c := newCLI(t, env)
		first := c.run(exitError, "diff", c.folder)
		for _, line := range []string{"plan: would be updated\n", "    +1 name: short\n", "connection shop: would be created\n", "rules shop: would be created\n"} {
			if !strings.Contains(first, line) {
				t.Errorf("diff says nothing of %q:\n%s", line, first)
			}
		}
		c.want(c.run(exitOK, "apply", c.folder), "plan: updated\nconnection shop: created\nrules shop: created\n3 changed, 0 kept as they were\n")
		now := c.versions()

		// The same again, and the same with another comment, change nothing.
		c.want(c.run(exitOK, "apply", c.folder), "nothing to change\n")
		c.want(c.run(exitOK, "diff", c.folder), "nothing to change\n")
		if got := c.versions(); got != now {
			t.Errorf("versions %v, want %v: nothing has changed", got, now)
		}
		put(t, c.folder, map[string]string{"connections/shop.yaml": "# in other words\n" + shopFile})
		c.want(c.run(exitOK, "apply", c.folder), "nothing to change\n")

		// Only the file.
		put(t, c.folder, map[string]string{
			"connections/shop.yaml": strings.Replace(shopFile, "customer }", "buyer }", 1),
			"rules/shop.yaml":       strings.Replace(shopRules, "name: bought", "name: has bought", 1),
		})
		c.want(c.run(exitError, "diff", c.folder),
			"connection shop: would be updated\n    push.stages\nrules shop: would be updated\n    -2   - name: bought\n    +2   - name: has bought\n")
		c.want(c.run(exitOK, "apply", c.folder), "connection shop: updated\nrules shop: updated\n2 changed, 0 kept as they were\n")
		c.pages(func(_ context.Context, a *app) error {
			if got := a.registry.Config().Connections["shop"].Push.Stages["Customer"]; got != "buyer" {
				t.Errorf("the stage is %q", got)
			}
			return nil
		})
	})
}

func TestApplySecrets(t *testing.T) {
	t.Parallel()
	c := newCLI(t, settings(t, nil))
	c.run(exitOK, "apply", c.folder)
	now := c.versions()
	secrets := func() []string {
		var all []string
		c.pages(func(_ context.Context, a *app) error {
			row := a.registry.Config().Connections["shop"]
			opened, err := jobs.OpenSecrets(a.vault, "shop", row.Secrets)
			for _, s := range opened["signing_secret"] {
				all = append(all, s.Reveal())
			}
			return err
		})
		return all
	}
	next := "whsec_" + strings.Repeat("QUFB", 8)

	c.env["SHOP_SECRET"] = next
	diff := c.run(exitError, "diff", c.folder)
	c.want(diff, "connection shop: would be updated\n    secrets.signing_secret\n")
	if strings.Contains(diff, next) {
		t.Error("diff shows the secret")
	}
	c.run(exitOK, "apply", c.folder)
	if diff := cmp.Diff([]string{next, standardKey.Reveal()}, secrets()); diff != "" {
		t.Errorf("after a change the old one stays beside (-want +got):\n%s", diff)
	}
	c.want(c.run(exitOK, "apply", c.folder), "nothing to change\n")
	if got := c.versions(); got[0] != now[0]+1 {
		t.Errorf("version %d, want one more than %d", got[0], now[0])
	}

	// A list names both; one value ends the rotation.
	third := "whsec_" + strings.Repeat("QkJC", 8)
	c.env["SHOP_SECRET"], c.env["SHOP_OLD"] = third, next
	put(t, c.folder, map[string]string{"connections/shop.yaml": strings.Replace(shopFile, `"${SHOP_SECRET}"`, `["${SHOP_SECRET}", "${SHOP_OLD}"]`, 1)})
	c.run(exitOK, "apply", c.folder)
	if diff := cmp.Diff([]string{third, next}, secrets()); diff != "" {
		t.Errorf("a list (-want +got):\n%s", diff)
	}
	put(t, c.folder, map[string]string{"connections/shop.yaml": shopFile})
	c.run(exitOK, "apply", c.folder)
	if diff := cmp.Diff([]string{third}, secrets()); diff != "" {
		t.Errorf("one value after a list (-want +got):\n%s", diff)
	}
}

// TestApplyBesidePages changes things in the pages, in the files, and in both.
func TestApplyBesidePages(t *testing.T) {
	t.Parallel()
	c := newCLI(t, settings(t, nil))
	c.run(exitOK, "apply", c.folder)
	inPages := func(ctx context.Context, a *app) error {
		push := connectors.PushConfig{Enabled: false, Stages: map[string]string{"Visit": "visitor", "Customer": "customer"}}
		if _, err := a.admin.Update(ctx, jobs.ConnectionInput{ID: "shop", Push: &push}); err != nil {
			return err
		}
		rules, err := a.admin.Rules(ctx, "shop")
		if err != nil {
			return err
		}
		_, err = a.admin.PublishRules(ctx, "shop", rules.Version, store.Versioned{Source: shopRules + "# by hand\n"})
		return err
	}
	c.pages(inPages)
	edited := c.versions()
	kept := "connection shop: kept: it was changed in the pages (push.enabled); the file is unchanged since\n" +
		"rules shop: kept: it was changed in the pages; the file is unchanged since\n"
	c.want(c.run(exitError, "diff", c.folder), strings.Replace(kept, "rules shop: kept: it was changed in the pages; the file is unchanged since\n",
		"rules shop: kept: it was changed in the pages; the file is unchanged since\n    +5 # by hand\n", 1))
	c.want(c.run(exitOK, "apply", c.folder), kept+"0 changed, 2 kept as they were\n")

	// Now the files change as well: nothing is applied, not even the plan.
	put(t, c.folder, map[string]string{
		"connections/shop.yaml": strings.Replace(shopFile, "customer }", "buyer }", 1),
		"rules/shop.yaml":       shopRules + "# by file\n",
		"plan.yaml":             shortPlan + "segments: { silent: 'inactive(\"30d\")' }\n",
	})
	c.want(c.run(exitError, "apply", c.folder), `stagebridge apply: 
  DIR/connections/shop.yaml: was changed both in the pages and in the file (push.enabled, push.stages); -force lets the file win, 'stagebridge export' writes what is in force
  DIR/rules/shop.yaml: was changed both in the pages and in the file; -force lets the file win, 'stagebridge export' writes what is in force
`)
	if got := c.versions(); got != edited {
		t.Errorf("versions %v, want %v: a refusal changes nothing", got, edited)
	}
	c.want(c.run(exitOK, "apply", "-force", c.folder), "plan: updated\nconnection shop: updated\nrules shop: updated\n3 changed, 0 kept as they were\n")
	c.want(c.run(exitOK, "diff", c.folder), "nothing to change\n")

	// Deleted in the pages: the file alone does not bring it back.
	c.pages(func(ctx context.Context, a *app) error { return a.admin.Delete(ctx, "shop") })
	c.want(c.run(exitOK, "apply", c.folder), "connection shop: kept: it was deleted in the pages; the file is unchanged since\n0 changed, 1 kept as they were\n")
	c.want(c.run(exitOK, "apply", "-force", c.folder), "connection shop: created\nrules shop: created\n2 changed, 0 kept as they were\n")
}

func TestApplyPrunes(t *testing.T) {
	t.Parallel()
	c := newCLI(t, settings(t, nil))
	c.run(exitOK, "apply", c.folder)
	c.pages(func(ctx context.Context, a *app) error {
		_, err := a.admin.Create(ctx, jobs.ConnectionInput{ID: "by-hand", Connector: "generic-webhook", Secrets: map[string]secret.Text{"signing_secret": standardKey}})
		return err
	})
	if err := os.Remove(filepath.Join(c.folder, "rules/shop.yaml")); err != nil {
		t.Fatal(err)
	}
	c.want(c.run(exitOK, "apply", c.folder), "rules shop: kept: it is in the folder no more; -prune removes it\n0 changed, 1 kept as they were\n")
	c.want(c.run(exitOK, "apply", "-prune", c.folder), "rules shop: deleted\n1 changed, 0 kept as they were\n")
	put(t, c.folder, map[string]string{"connections/other.yaml": strings.Replace(shopFile, "id: shop", "id: other", 1)})
	if err := os.Remove(filepath.Join(c.folder, "connections/shop.yaml")); err != nil {
		t.Fatal(err)
	}
	c.want(c.run(exitOK, "apply", "-prune", c.folder), "connection other: created\nconnection shop: deleted\n2 changed, 0 kept as they were\n")
	c.pages(func(_ context.Context, a *app) error {
		if diff := cmp.Diff([]string{"by-hand", "other"}, a.registry.IDs()); diff != "" {
			t.Errorf("connections (-want +got):\n%s", diff)
		}
		return nil
	})
}

// TestApplyListsMistakes wants every mistake of every file, and nothing done.
func TestApplyListsMistakes(t *testing.T) {
	t.Parallel()
	c := newCLI(t, settings(t, nil))
	delete(c.env, "SHOP_SECRET")
	put(t, c.folder, map[string]string{
		"connections/shop.yaml": strings.Replace(shopFile, "Visit: visitor", "Vist: visitor", 1),
		"rules/shop.yaml":       strings.Replace(shopRules, "body.email", "body.email +", 1),
		"plan.yaml":             shortPlan + "  - { name: Customer, when: 'seen(' }\n",
		"connections/email.yaml": "id: email\nconnector: generic-webhook\nsecrets: { signing_secret: \"" + standardKey.Reveal() + "\" }\n" +
			"settings: { algorithm: rot13 }\n",
	})
	got := c.run(exitError, "apply", c.folder)
	for _, want := range []string{
		"DIR/connections/shop.yaml:4:", "SHOP_SECRET", "DIR/rules/shop.yaml:4:", "DIR/plan.yaml:5:", "DIR/connections/email.yaml:4:",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not told:\n%s", want, got)
		}
	}
	if got := c.versions(); got != [3]int64{} {
		t.Errorf("versions %v: something was applied", got)
	}
	// What only the server knows is told in the same way.
	put(t, c.folder, map[string]string{"connections/shop.yaml": shopFile, "rules/shop.yaml": shopRules, "plan.yaml": shortPlan,
		"connections/email.yaml": "id: email\nconnector: generic-webhook\nsecrets: { signing_secret: \"" + standardKey.Reveal() + "\" }\n"})
	c.env["SHOP_SECRET"] = standardKey.Reveal()
	c.want(c.run(exitError, "apply", c.folder), "stagebridge apply: DIR/connections/email.yaml: id: \"email\" is the name of a kind of key\n")
	if got := c.versions(); got != [3]int64{} {
		t.Errorf("versions %v: something was applied", got)
	}
}

// TestExport writes what is in force and applies it elsewhere.
func TestExport(t *testing.T) {
	t.Parallel()
	c := newCLI(t, settings(t, nil))
	put(t, c.folder, map[string]string{"plan.yaml": shortPlan + "segments: { new_customers: 'within(\"Order:Completed\", \"30d\")' }\n"})
	c.run(exitOK, "apply", c.folder)
	other := `{"enabled":true,"create":true,"segment_names":["new_customers"],"traits":{"a b":"company"},"unmapped":"keep","audience":"new_customers","max_age":"3d","since":1767225600000000}`
	c.pages(func(ctx context.Context, a *app) error {
		var push connectors.PushConfig
		if err := json.Unmarshal([]byte(other), &push); err != nil {
			return err
		}
		_, err := a.admin.Create(ctx, jobs.ConnectionInput{
			ID: "by-hand", Connector: "generic-webhook", Push: &push, Secrets: map[string]secret.Text{"signing_secret": standardKey},
			Settings: map[string]string{"url": "https://example.com/${x}", "headers": "A: b\nC: \"d\"", "tolerance": "60"},
		})
		return err
	})
	to := filepath.Join(t.TempDir(), "out")
	out := c.run(exitOK, "export", to)
	if !strings.Contains(out, "to apply them, set BY_HAND_SIGNING_SECRET\n") {
		t.Errorf("what to set is not told:\n%s", out)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(to, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := read("connections/shop.yaml"); got != shopFile {
		t.Errorf("a file that was applied and not changed since has become:\n%s", got)
	}
	if got := read("connections/by-hand.yaml"); strings.Contains(got, standardKey.Reveal()) || !strings.Contains(got, `signing_secret: "${BY_HAND_SIGNING_SECRET}"`) {
		t.Errorf("the secret is not a name:\n%s", got)
	}
	c.env["BY_HAND_SIGNING_SECRET"] = standardKey.Reveal()
	c.want(c.run(exitOK, "diff", to), "nothing to change\n")

	// Elsewhere it makes the same.
	there := &cli{t, settings(t, map[string]string{"SHOP_SECRET": standardKey.Reveal(), "BY_HAND_SIGNING_SECRET": standardKey.Reveal()}), to}
	there.run(exitOK, "apply", to)
	there.pages(func(_ context.Context, a *app) error {
		got, err := json.Marshal(a.registry.Config().Connections["by-hand"].Push)
		var x, y any
		if err := json.Unmarshal(got, &x); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(other), &y); err != nil {
			return err
		}
		if diff := cmp.Diff(y, x); diff != "" {
			t.Errorf("the push block elsewhere (-want +got):\n%s", diff)
		}
		return err
	})
	again := filepath.Join(t.TempDir(), "again")
	there.run(exitOK, "export", again)
	put(t, to, map[string]string{"plan.yaml": "name: edited\n"})
	if out := c.run(exitError, "export", to); !strings.Contains(out, "plan.yaml is there and says something else") {
		t.Errorf("an edited file would be overwritten:\n%s", out)
	}
	c.run(exitOK, "export", "-force", to)
}

// TestServeAppliesWorkspace starts on a folder with a mistake, and on one
// without.
func TestServeAppliesWorkspace(t *testing.T) {
	t.Parallel()
	c := newCLI(t, settings(t, nil))
	c.env[prefix+"WORKSPACE"] = c.folder
	put(t, c.folder, map[string]string{"plan.yaml": "name: none\n"})
	if got := c.run(exitError, "serve"); !strings.Contains(got, "DIR/plan.yaml") {
		t.Errorf("serve says nothing of the mistake:\n%s", got)
	}
	put(t, c.folder, map[string]string{"plan.yaml": shortPlan})
	s := serve(t, c.env)
	if status, _ := s.post("shop", "m1", `{"type":"bought","email":"ann@example.com"}`); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	within(t, "the stage", func() bool {
		p := s.person("email:ann@example.com")
		return p != nil && p.Stage == "Customer"
	})
}

// TestReplicasApplyOnce starts three replicas at once on one folder.
func TestReplicasApplyOnce(t *testing.T) {
	t.Parallel()
	database := storetest.NewDatabase(t)
	first := newCLI(t, settings(t, map[string]string{prefix + "DATABASE_URL": database, prefix + "SECRET_KEY": strings.Repeat("k", 32)}))
	first.env[prefix+"WORKSPACE"] = first.folder
	var wg sync.WaitGroup
	results := make([]error, 3)
	for i := range results {
		env := maps.Clone(first.env)
		env[prefix+"DATA_DIR"] = t.TempDir()
		wg.Go(func() {
			p := &program{env: env, stdin: strings.NewReader(""), stdout: t.Output(), stderr: t.Output()}
			results[i] = p.withApp(t.Context(), func(a *app) error { return a.applyWorkspace(t.Context(), p) })
		})
	}
	wg.Wait()
	if err := errors.Join(results...); err != nil {
		t.Fatal(err)
	}
	if got := first.versions(); got[0] != 1 || got[1] != 1 || got[2] != 2 {
		t.Errorf("versions of connection, rules and plan %v, want one each after the plan that there was", got)
	}
}
