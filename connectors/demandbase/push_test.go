package demandbase_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/demandbase"
	"github.com/stagebridge/stagebridge/secret"
)

// People of the same columns travel in one table; what is not sent is not
// cleared.
func TestPushImports(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	dana, lee, ann := person(1, "dana@example.com", "Customer"), person(2, " lee@example.com", "Lead"), person(3, "ann@example.com", "Lead")
	ann.Want.Segments = []string{"at_risk", "vip"}
	quoted := person(4, "bo@example.com", `Has "quotes", and commas`)
	nobody := person(5, "", "Lead")
	same := person(6, "same@example.com", "Lead")
	same.Known = &connectors.State{Stage: "Lead"}
	got := push(t, c, dana, lee, ann, quoted, nobody, same)
	for i, want := range []string{"submitted", "submitted", "submitted", "submitted", "skipped no_identity", "ok"} {
		if outcome(got[i]) != want {
			t.Errorf("result %d = %+v, want %s", i, got[i], want)
		}
	}
	if got[0].Job != got[1].Job || got[0].Job != got[3].Job || got[0].Job == got[2].Job || got[2].Job == "" {
		t.Errorf("jobs %q %q %q %q", got[0].Job, got[1].Job, got[2].Job, got[3].Job)
	}
	want := []string{"POST /auth/v1/token", "POST /import/v1/job", "PUT /import/v1/job/70411/data", "POST /import/v1/job", "PUT /import/v1/job/70412/data"}
	if diff := cmp.Diff(want, v.took()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if p := v.Person("ann@example.com"); p["Lifecycle Segments"] != "at_risk;vip" || p["Lifecycle Stage"] != "Lead" {
		t.Errorf("ann is %v", p)
	}
	if p := v.Person("bo@example.com"); p["Lifecycle Stage"] != `Has "quotes", and commas` {
		t.Errorf("bo is %v", p)
	}
	if _, sent := v.Person("lee@example.com")["Lifecycle Segments"]; sent {
		t.Error("a column without a change was sent")
	}
}

// Many kinds of change would be as many imports; then everybody gets the same
// columns, filled with what is wanted.
func TestPushBoundsTheImports(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) {
		cfg.Push.Traits = map[string]string{"A": "a", "B": "b", "C": "c"}
	})
	var all []connectors.Update
	for i := range 8 {
		u := person(int64(i+1), fmt.Sprintf("p%d@example.com", i), "Customer")
		u.Want.Traits = map[string]any{"A": "1", "B": []any{"x", "y"}, "C": nil}
		known := connectors.State{Traits: map[string]any{}}
		for bit, name := range []string{"A", "B", "C"} {
			if i&(1<<bit) != 0 {
				known.Traits[name] = u.Want.Traits[name]
			}
		}
		u.Known = &known
		all = append(all, u)
	}
	for i, r := range push(t, c, all...) {
		if r.Outcome != connectors.Submitted {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	if v.Writes() != 1 {
		t.Errorf("%d imports, want 1", v.Writes())
	}
	want := map[string]string{"Lifecycle Stage": "Customer", "A": "1", "B": "x;y", "C": ""}
	if diff := cmp.Diff(want, v.Person("p7@example.com")); diff != "" {
		t.Errorf("the last one (-want +got):\n%s", diff)
	}
}

// An import cannot be told to leave out whoever is not there.
func TestPushNeedsLeaveToCreate(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) { cfg.Push.Create = false })
	if got := push(t, c, person(1, "dana@example.com", "Lead"))[0]; outcome(got) != "skipped settings" || v.Writes() != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestPoll(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	u := []connectors.Update{person(1, "dana@example.com", "Lead"), person(2, "lee@example.com", "Lead")}
	job := push(t, c, u...)[0].Job
	for _, s := range []struct{ state, want string }{
		{"processing", ""}, {"new", ""}, {"completed", "unconfirmed"}, {"failed", "retry server"},
	} {
		v.States(s.state, "finished")
		got, err := c.Poll(t.Context(), job, u)
		if err != nil {
			t.Fatal(err)
		}
		if s.want == "" {
			if got != nil {
				t.Errorf("%s: %+v", s.state, got)
			}
			continue
		}
		if len(got) != 2 || outcome(got[0]) != s.want || outcome(got[1]) != s.want {
			t.Errorf("%s: %+v", s.state, got)
		}
	}
	for _, gone := range []string{"999", "x/../1"} {
		got, err := c.Poll(t.Context(), gone, u)
		if err != nil || len(got) != 2 || outcome(got[0]) != "retry not_found" {
			t.Errorf("%s: %+v, %v", gone, got, err)
		}
	}
	v.States("paused", "finished")
	if _, err := c.Poll(t.Context(), job, u); err == nil {
		t.Error("a state that nobody knows was taken")
	}
}

// A failure half-way keeps what went before it.
func TestPushFailures(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	other := person(2, "lee@example.com", "")
	other.Want.Segments = []string{"vip"}
	uploads := 0
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut {
			return false
		}
		if uploads++; uploads < 2 {
			return false
		}
		reply(w, http.StatusTooManyRequests, `{"errorCode":"429-100","errorMessage":"too many","diagnosticCode":"x"}`)
		return true
	})
	got := push(t, c, person(1, "dana@example.com", "Lead"), other)
	outcomes := []string{outcome(got[0]), outcome(got[1])}
	slices.Sort(outcomes)
	if !slices.Equal(outcomes, []string{"retry rate_limit", "submitted"}) || max(got[0].Delay, got[1].Delay) != time.Minute {
		t.Errorf("got %+v", got)
	}
	_, err := c.Push(t.Context(), []connectors.Update{other})
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonRateLimit || !strings.Contains(e.Message, "429-100: too many") {
		t.Errorf("error %v", err)
	}
}

// A table that is refused says nothing about people of another table.
func TestPushRefusalIsOfItsTable(t *testing.T) {
	t.Parallel()
	other := person(2, "lee@example.com", "")
	other.Want.Segments = []string{"vip"}
	third := person(3, "ann@example.com", "Lead")
	third.Want.Segments = []string{"vip"}
	for name, test := range map[string]struct {
		status, upload int // which upload is answered so
		updates        []connectors.Update
		want           []string
	}{
		"one table refused":                {http.StatusBadRequest, 1, []connectors.Update{person(1, "dana@example.com", "Lead"), other}, []string{"permanent invalid", "submitted"}},
		"the permission is taken away":     {http.StatusForbidden, 2, []connectors.Update{person(1, "dana@example.com", "Lead"), other, third}, []string{"permanent forbidden", "retry not_attempted", "submitted"}},
		"too busy after the first of them": {http.StatusTooManyRequests, 2, []connectors.Update{person(1, "dana@example.com", "Lead"), other, third}, []string{"retry not_attempted", "retry rate_limit", "submitted"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, v := start(t, nil)
			uploads := 0
			v.answer(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPut {
					return false
				}
				if uploads++; uploads != test.upload {
					return false
				}
				reply(w, test.status, `{"message":"no"}`)
				return true
			})
			var got []string
			for _, r := range push(t, c, test.updates...) {
				got = append(got, outcome(r))
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPushRenewsTheToken(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	push(t, c, person(1, "dana@example.com", "Lead"))
	v.Expire()
	if got := push(t, c, person(1, "dana@example.com", "Customer"))[0]; outcome(got) != "submitted" || v.Issued() != 2 {
		t.Errorf("got %+v with %d tokens", got, v.Issued())
	}
	c, _ = start(t, func(cfg *connectors.Config) {
		cfg.Secrets["client_secret"] = []secret.Text{secret.New("of-another-key")}
	})
	var e *connectors.PushError
	if _, err := c.Check(t.Context()); !errors.As(err, &e) || e.Reason != connectors.ReasonAuth {
		t.Errorf("check: %v", err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	_, v := start(t, nil)
	for _, s := range []struct{ field, value string }{
		{"base_url", "uapi"}, {"stage_column", "Email Opt In"}, {"segments_column", "a\nb"}, {"stage_column", "Email"}, {"export_email", "email"},
		{"export_hours", "0"}, {"export_lists", "a"},
	} {
		settings, secrets := v.Connection(v.url)
		settings[s.field] = s.value
		cfg := connectors.Config{Settings: settings, Secrets: map[string][]secret.Text{"client_secret": {secret.New(secrets["client_secret"])}}}
		var wrong *connectors.SettingError
		if _, err := demandbase.Vendor().Open(cfg); !errors.As(err, &wrong) || wrong.Field != s.field {
			t.Errorf("%s=%s: %v", s.field, s.value, err)
		}
	}
	for name, change := range map[string]func(*connectors.Config){
		"export_email":                func(cfg *connectors.Config) { cfg.Settings["export_stage"] = "{Account}.journey_stage" },
		"push.traits.Do Not Call":     func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"Do Not Call": "x"} },
		"push.traits.Lifecycle Stage": func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"Lifecycle Stage": "x"} },
	} {
		settings, _ := v.Connection(v.url)
		cfg := connectors.Config{Settings: settings}
		change(&cfg)
		var wrong *connectors.SettingError
		if _, err := demandbase.Vendor().Open(cfg); !errors.As(err, &wrong) || wrong.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A number is written out, and the same however it travelled.
func TestPushSpellsNumbers(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"Revenue": "revenue"} })
	u := person(1, "dana@example.com", "Customer")
	for value, want := range map[any]string{1250000.0: "1250000", int64(7): "7", 0.25: "0.25", true: "true"} {
		u.Want.Traits = map[string]any{"Revenue": value}
		if got := push(t, c, u)[0]; outcome(got) != "submitted" || v.Person("dana@example.com")["Revenue"] != want {
			t.Errorf("%v: %+v, held %v", value, got, v.Person("dana@example.com"))
		}
	}
	u.Want.Traits = map[string]any{"Revenue": int64(1250000)}
	u.Known = &connectors.State{Stage: "Customer", Traits: map[string]any{"Revenue": 1250000.0}}
	if got := push(t, c, u)[0]; outcome(got) != "ok" {
		t.Errorf("the same number was sent again: %+v", got)
	}
}
