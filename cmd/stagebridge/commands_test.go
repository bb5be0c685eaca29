package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// TestDemo runs the demo as a user would, and wants it to leave nothing.
func TestDemo(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	got := stagebridge(t, nil, "demo")
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	for _, want := range []string{
		`with simulated vendors`, `shop-demo +Shop \(simulated\) +300 +0 +0`, `newsletter-demo +Mailchimp \(simulated\) +31 `,
		`Visit +22`, `Subscriber +26`, `Qualified Lead +14`, `Customer +20`, `Retained Customer +12`, `Advocate +5`, `Churned +9`,
		`hubspot-demo +HubSpot \(simulated\) +\d+ +86 +86`, `warehouse-demo +Receiver \(simulated\) +\d+ +108 +108`,
		`Everybody is in the same stage and segments here and at every vendor`,
	} {
		if !regexp.MustCompile(want).MatchString(got.stdout) {
			t.Errorf("%q is not told:\n%s", want, got.stdout)
		}
	}
	if got.stderr != "" {
		t.Errorf("errors: %s", got.stderr)
	}
	if left, err := filepath.Glob(filepath.Join(temp, "stagebridge-demo-*")); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v (%v)", left, err)
	}
}

// TestDemoStays looks around in the demo with the login that it prints.
func TestDemoStays(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, code := &lockedBuffer{}, make(chan int, 1)
	go func() { code <- run(ctx, []string{"demo", "-stay"}, nil, strings.NewReader(""), out, out) }()
	login := regexp.MustCompile(`Open (http://\S+) and log in as admin with the password (\S+)`)
	within(t, "the address", func() bool { return login.MatchString(out.String()) })
	found := login.FindStringSubmatch(out.String())
	res, err := http.Get(found[1] + "/login")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK || len(found[2]) < 12 {
		t.Errorf("the login page answers %s, the password has %d characters", res.Status, len(found[2]))
	}
	cancel()
	select {
	case c := <-code:
		if c != exitOK {
			t.Errorf("exit code %d: %s", c, out)
		}
	case <-time.After(patience):
		t.Error("it does not end")
	}
}

// TestSend sends a sample of every type through each connection, as its
// vendor signs it.
func TestSend(t *testing.T) {
	t.Parallel()
	v := newVendors(t, vendorOptions{})
	env := settings(t, map[string]string{prefix + "PUBLIC_URL": "https://bridge.example.com"})
	v.connect(env)
	serve(t, env)
	for _, tt := range []struct{ connection, kind, want string }{
		{"warehouse", "order.completed", "became: done, rule order.completed\nevent: Order:Completed"},
		{"warehouse", "Survey:Promoter", "event: Survey:Promoter"},
		{"warehouse", "nobody.knows", "became: ignored"},
		{"newsletter", "subscribe", "event: Newsletter:Subscribed"},
		{"newsletter", "unsubscribe", "event: Newsletter:Unsubscribed"},
		{"newsletter", "profile", "event: Contact:Updated"},
		{"newsletter", "upemail", "event: Identity:EmailChanged"},
		{"newsletter", "cleaned", "event: Email:Bounced"},
		{"hubspot-eu", "contact.creation", "event: Lead:Created"},
		{"hubspot-eu", "contact.propertyChange", "event: Lead:Qualified"},
		{"hubspot-eu", "contact.deletion", "event: Contact:Deleted"},
		{"hubspot-eu", "deal.propertyChange", "became: ignored, nothing_emitted"}, // no such deal, so nobody's
	} {
		got := stagebridge(t, env, "send", tt.connection, tt.kind)
		if got.code != exitOK || !strings.Contains(got.stdout, tt.want) || !strings.Contains(got.stdout, "200 OK, receipt ") {
			t.Errorf("%s %s: exit code %d, want %q\n%s%s", tt.connection, tt.kind, got.code, tt.want, got.stdout, got.stderr)
		}
	}
	for _, tt := range []struct{ connection, kind, want string }{
		{"warehous", "order.completed", "did you mean warehouse?"},
		{"newsletter", "subscribed", "there are cleaned, profile, subscribe"},
		{"hubspot-eu", "contact.created", "there are contact.creation"},
	} {
		if got := stagebridge(t, env, "send", tt.connection, tt.kind); got.code != exitError || !strings.Contains(got.stderr, tt.want) {
			t.Errorf("%s %s: exit code %d, errors %q, want %q", tt.connection, tt.kind, got.code, got.stderr, tt.want)
		}
	}
	// Another terminal knows the folder and nothing else.
	env = maps.Clone(env)
	delete(env, prefix+"ADDR")
	delete(env, prefix+"PUBLIC_URL")
	if got := stagebridge(t, env, "send", "hubspot-eu", "contact.creation"); got.code != exitOK {
		t.Errorf("without address: exit code %d, errors %q", got.code, got.stderr)
	}
	env[prefix+"ADDR"] = "127.0.0.1:1"
	if got := stagebridge(t, env, "send", "warehouse", "order.completed"); got.code != exitError || !strings.Contains(got.stderr, "no server answers at 127.0.0.1:1") {
		t.Errorf("without a server: exit code %d, errors %q", got.code, got.stderr)
	}
}

// TestExplainAndReplay follows a person, changes a rule, and replays.
func TestExplainAndReplay(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		c := newCLI(t, env)
		c.run(exitOK, "apply", c.folder)
		s := serve(t, c.env)
		for i, kind := range []string{"bought", "looked", "looked"} {
			if status, _ := s.post("shop", fmt.Sprintf("m%d", i), fmt.Sprintf(`{"type":%q,"email":"ann@example.com"}`, kind)); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
		}
		silentInbox(t, s)
		explained := c.run(exitOK, "explain", "Ann@Example.com")
		for _, want := range []string{
			"email:ann@example.com", "stage: Customer, since ", `condition: seen("Order:Completed")`, `yes seen("Order:Completed") (is 1)`,
			"brought by: Order:Completed at ", `(bought by shop, received `, "rule bought)", `{"type":"bought","email":"ann@example.com"}`,
			"time alone changes nothing", "shop: ", "times in stages:\n  Customer: once, last entered ",
		} {
			if !strings.Contains(explained, want) {
				t.Errorf("%q is not told:\n%s", want, explained)
			}
		}
		if got := c.run(exitError, "explain", "email:nobody@example.com"); !strings.Contains(got, "nobody has the key email:nobody@example.com") {
			t.Errorf("of nobody: %s", got)
		}
		if got := c.run(exitError, "explain", "77"); !strings.Contains(got, "there is no person number 77") {
			t.Errorf("of nobody: %s", got)
		}

		put(t, c.folder, map[string]string{"rules/shop.yaml": shopRules + `  - name: looked
    type: looked
    emit: { event: "Page:Viewed", identity: { email: body.email } }
`})
		c.run(exitOK, "apply", c.folder)
		c.want(c.run(exitOK, "replay", "-dry-run", "-all"), "3 raw events would be processed again\n")
		c.want(c.run(exitOK, "replay", "-dry-run", "-status", "ignored", "-connection", "shop", "-since", "1h"), "2 raw events would be processed again\n")
		c.want(c.run(exitOK, "replay", "-dry-run", "-type", "bought", "-until", "1h"), "0 raw events would be processed again\n")
		c.has(c.run(exitOK, "replay", "-reason", "unmatched"), "2 raw events were processed again: 2 gave something else than before, 0 events were taken back, 1 person was brought up to date (job ", "Page:Viewed ", "2 added  0 taken back  0 changed\n", "ignored before, now done  2 raw events\n")
		within(t, "the replay", func() bool { return s.stats().Done == 3 })
		c.has(c.run(exitOK, "replay", "-person", "ann@example.com", "-rule", "looked"), "2 raw events were processed again; none gave anything else than before (job ")
		put(t, c.folder, map[string]string{"tried.yaml": strings.Replace(shopRules, "type: bought", "type: sold", 1)})
		c.has(c.run(exitOK, "rules", "publish", "-replay", "done", "shop", filepath.Join(c.folder, "tried.yaml")), "is in force for shop; 3 raw events to process again\n",
			"3 raw events were processed again: 3 gave something else than before, 3 events were taken back", "done before, now ignored  3 raw events\n")
		put(t, c.folder, map[string]string{"tried.yaml": shopRules + `  - { name: looked, type: looked, emit: { event: "Page:Viewed", identity: { email: body.email } } }
`})
		c.run(exitOK, "rules", "publish", "-replay", "all", "shop", filepath.Join(c.folder, "tried.yaml"))
		silentInbox(t, s)
		var found struct {
			Items []struct{ Kind string }
		}
		s.get("profiles/"+s.person("email:ann@example.com").ID+"/timeline", &found)
		events := 0
		for _, item := range found.Items {
			if item.Kind == "event" {
				events++
			}
		}
		if events != 3 {
			t.Errorf("%d events after the replay, want 3", events)
		}
	})
}

// has wants parts of an output.
func (c *cli) has(got string, parts ...string) {
	c.t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			c.t.Errorf("%q is not told:\n%s", part, got)
		}
	}
}

// silentInbox waits until all raw events are processed.
func silentInbox(t *testing.T, s *serving) {
	t.Helper()
	within(t, "the inbox to be empty", func() bool { x := s.stats(); return x.Pending == 0 && x.Done+x.Ignored > 0 })
}

func TestReplayRefuses(t *testing.T) {
	t.Parallel()
	env := settings(t, nil)
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{nil, exitUsage, "either a filter or -all"},
		{[]string{"-all", "-type", "x"}, exitUsage, "either a filter or -all"},
		{[]string{"-status", "pending"}, exitUsage, `-status is "pending"`},
		{[]string{"-since", "yesterday"}, exitUsage, `-since is "yesterday"`},
		{[]string{"-until", "-3h"}, exitUsage, `-until is "-3h"`},
		{[]string{"-connection", "shop"}, exitError, `there is no connection "shop"`},
	} {
		got := stagebridge(t, env, append([]string{"replay"}, tt.args...)...)
		if got.code != tt.code || !strings.Contains(got.stderr, tt.want) {
			t.Errorf("%v: exit code %d, errors %q, want %d, %q", tt.args, got.code, got.stderr, tt.code, tt.want)
		}
	}
}

func TestMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		text string
		end  bool
		want time.Time
	}{
		{"2026-11-01", false, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
		{"2026-11-01", true, time.Date(2026, 11, 1, 23, 59, 59, 999999000, time.UTC)},
		{"2026-11-01T08:00:00+02:00", true, time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)},
		{"36h", false, time.Date(2026, 11, 19, 22, 0, 0, 0, time.UTC)},
	} {
		got, err := moment("since", tt.text, now, tt.end)
		if err != nil || got != lifecycle.At(tt.want) {
			t.Errorf("%s: %v, %v, want %v", tt.text, got.Time(), err, tt.want)
		}
	}
}

// TestServeToldToStopEarly ends well, however far it had come.
func TestServeToldToStopEarly(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out lockedBuffer
	if code := run(ctx, []string{"serve"}, settings(t, nil), strings.NewReader(""), &out, &out); code != exitOK {
		t.Errorf("exit code %d: %s", code, &out)
	}
}

// TestServeTellsOfAPort that is taken, and of a key that is another one.
func TestServeTellsOfAPort(t *testing.T) {
	t.Parallel()
	s := serve(t, settings(t, nil))
	// It is printed once the server is ready, so perhaps a moment later.
	within(t, "the link that sets the first password", func() bool { return strings.Contains(s.out.String(), "/setup?token=") })
	taken := maps.Clone(s.env)
	taken[prefix+"DATA_DIR"] = t.TempDir()
	if got := stagebridge(t, taken, "serve"); got.code != exitError || !strings.Contains(got.stderr, prefix+"ADDR") {
		t.Errorf("a taken port: exit code %d, errors %q", got.code, got.stderr)
	}
	s.stop()
	if err := os.WriteFile(filepath.Join(s.env[prefix+"DATA_DIR"], "secret.key"), []byte(strings.Repeat("x", 44)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := stagebridge(t, s.env, "serve"); got.code != exitError || !strings.Contains(got.stderr, "is not the key that the stored credentials were encrypted with") {
		t.Errorf("another key: exit code %d, errors %q", got.code, got.stderr)
	}
	if got := stagebridge(t, s.env, "serve", "-role", "cook"); got.code != exitUsage || !strings.Contains(got.stderr, "want all, web or worker") {
		t.Errorf("another role: exit code %d, errors %q", got.code, got.stderr)
	}
}
