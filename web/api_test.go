package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/web"
)

func TestAPIToken(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	for _, c := range []struct {
		name, header string
		want         int
	}{
		{"none", "X-Nothing: x", 401},
		{"wrong", "Authorization: Bearer wrong", 401},
		{"empty", "Authorization: Bearer ", 401},
		{"another scheme", "Authorization: Basic " + apiToken, 401},
		{"right", "Authorization: Bearer " + apiToken, 200},
	} {
		a := l.send("GET", "/api/v1/connections", "", c.header)
		if a.Status != c.want {
			t.Errorf("%s: %d, want %d: %s", c.name, a.Status, c.want, a.Body)
		}
		if a.Status == 401 && (a.Header.Get("Content-Type") != "application/problem+json" || a.Header.Get("WWW-Authenticate") == "") {
			t.Errorf("%s: headers %v", c.name, a.Header)
		}
	}
	for range 10 {
		l.send("GET", "/api/v1/connections", "", "Authorization: Bearer guess")
	}
	if a := l.send("GET", "/api/v1/connections", "", "Authorization: Bearer guess"); a.Status != 429 {
		t.Errorf("guessing goes on: %d", a.Status)
	}
	if a := l.api("GET", "/connections", ""); a.Status != 200 {
		t.Errorf("whoever has the token is not held up by somebody who guesses: %d", a.Status)
	}
	closed := newLab(t, func(o *web.Options) { o.APIToken = secret.Text{} })
	if a := closed.send("GET", "/api/v1/connections", "", "Authorization: Bearer "); a.Status != 401 {
		t.Errorf("without a token configured: %d", a.Status)
	}
}

// TestAPIScenarios walks through the API in one order; each step says what it
// sends and what must be in the answer.
func TestAPIScenarios(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	yaml := []string{"Content-Type: application/yaml"}
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		has, lacks               []string
	}{
		{name: "nothing yet", method: "GET", path: "/connections", status: 200, has: []string{`{"items":[],"next":""}`}},
		{name: "catalogue", method: "GET", path: "/connectors", status: 200, has: []string{`"id":"lab"`, `"guide":"1. Press the button."`}},
		{name: "every mistake at once", method: "POST", path: "/connections", status: 422,
			body: `{"id":"crm","connector":"lab","settings":{"mode":"odd","colour":"red"},"push":{"enabled":true,"unmapped":"drop"}}`,
			has:  []string{`"field":"token"`, `"field":"mode"`, `"field":"colour"`, `"field":"push.unmapped"`, `"status":422`, `"request_id":"`}},
		{name: "mistakes that the vendor finds", method: "POST", path: "/connections", status: 422,
			body: `{"id":"crm","connector":"lab","settings":{"base_url":"wrong"}}`, has: []string{`"field":"base_url"`, `"field":"mode"`}},
		{name: "an id that is none", method: "POST", path: "/connections", body: `{"id":"../x","connector":"lab"}`, status: 422, has: []string{`"field":"id"`}},
		{name: "an id that is a kind of key", method: "POST", path: "/connections", body: `{"id":"email","connector":"lab"}`, status: 422, has: []string{`"field":"id"`}},
		{name: "an unknown connector", method: "POST", path: "/connections", body: `{"id":"crm","connector":"x"}`, status: 422, has: []string{`"field":"connector"`}},
		{name: "no JSON", method: "POST", path: "/connections", body: `{`, status: 400},
		{name: "two values", method: "POST", path: "/connections", body: `{} {}`, status: 400},
		{name: "an unknown member", method: "POST", path: "/connections", body: `{"idd":"crm"}`, status: 400, has: []string{"idd"}},
		{name: "another type", method: "POST", path: "/connections", body: `{"id":7}`, status: 400, has: []string{`"field":"id"`}},
		{name: "another content type", method: "POST", path: "/connections", body: `<x/>`, headers: []string{"Content-Type: text/xml"}, status: 415},
		{name: "too large", method: "POST", path: "/connections", body: `{"id":"` + strings.Repeat("x", 3<<20) + `"}`, status: 413},
		{name: "made", method: "POST", path: "/connections", status: 201,
			body:  `{"id":"crm","connector":"lab","settings":{"mode":"fast"},"secrets":{"token":"hush"},"push":{"enabled":true,"stages":{"Customer":"customer"},"segments":["vip"]}}`,
			has:   []string{`"webhook_url":"https://bridge.example.com/hooks/crm"`, `"secrets":{"token":"[redacted]"}`, `"segments":["vip"]`, `"version":1`},
			lacks: []string{"hush"}},
		{name: "made twice", method: "POST", path: "/connections", body: `{"id":"crm","connector":"lab"}`, status: 409},
		{name: "read", method: "GET", path: "/connections/crm", status: 200, has: []string{`"settings":{"mode":"fast"}`}, lacks: []string{"hush", "api.example.com"}},
		{name: "not there", method: "GET", path: "/connections/none", status: 404, has: []string{`"status":404`}},
		{name: "stale", method: "PUT", path: "/connections/crm", body: `{"settings":{}}`, headers: []string{`If-Match: "v7"`}, status: 412},
		{name: "changed as read", method: "PUT", path: "/connections/crm", body: `{"id":"crm","connector":"lab","settings":{"mode":"slow"},"secrets":{"token":"[redacted]"}}`,
			headers: []string{`If-Match: "v1"`}, status: 200, has: []string{`"mode":"slow"`, `"version":2`, `"rotating":[]`}},
		{name: "another id", method: "PUT", path: "/connections/crm", body: `{"id":"erp"}`, status: 400},
		{name: "check", method: "POST", path: "/connections/crm/check", status: 200, has: []string{"Account 7"}},
		{name: "register", method: "POST", path: "/connections/crm/register", status: 200, has: []string{`"id":"w1"`}, lacks: []string{"made-by"}},
		{name: "its secret is kept", method: "GET", path: "/connections/crm", status: 200, has: []string{`"signing_secret":"[redacted]"`}},
		{name: "pause", method: "POST", path: "/connections/crm/pause", status: 200, has: []string{`"paused":true`}},
		{name: "resume", method: "POST", path: "/connections/crm/resume", status: 200, has: []string{`"paused":false`}},
		{name: "resync", method: "POST", path: "/connections/crm/resync", status: 200, has: []string{`"count":0`}},
		{name: "rules", method: "GET", path: "/connections/crm/rules", status: 200, has: []string{"Newsletter:Subscribed"}},
		{name: "rules with mistakes", method: "PUT", path: "/connections/crm/rules", body: "rules:\n  - name: a\n    emitt: {}\n    when: '('\n", headers: yaml, status: 422,
			has: []string{`"file":"rules/crm.yaml"`, `"line":3`}},
		{name: "rules of a stale version", method: "PUT", path: "/connections/crm/rules", body: labRules, headers: append(yaml, `If-Match: "v4"`), status: 412},
		{name: "rules tried", method: "PUT", path: "/connections/crm/rules?dry_run=true", body: labRules, headers: yaml, status: 200, has: []string{`"valid":true`}},
		{name: "rules published", method: "PUT", path: "/connections/crm/rules?note=first", body: labRules + "# mine\n", headers: append(yaml, `If-Match: "v0"`), status: 200, has: []string{`"version":1`}},
		{name: "rules read again", method: "GET", path: "/connections/crm/rules", status: 200, has: []string{"# mine"}},
		{name: "rules not changed", method: "GET", path: "/connections/crm/rules", headers: []string{`If-None-Match: "v1"`}, status: 304},
		{name: "rules versions", method: "GET", path: "/connections/crm/rules/versions", status: 200, has: []string{`"note":"first"`, `"author":"api"`}},
		{name: "rules back", method: "POST", path: "/connections/crm/rules/rollback", body: `{"version":0}`, status: 200, has: []string{`"version":2`}},
		{name: "rules back to nowhere", method: "POST", path: "/connections/crm/rules/rollback", body: `{"version":9}`, status: 404},
		{name: "rules back to what", method: "POST", path: "/connections/crm/rules/rollback", body: `{}`, status: 400},
		{name: "plan", method: "GET", path: "/plan", status: 200, has: []string{"name: classic"}},
		{name: "plan as JSON", method: "GET", path: "/plan", headers: []string{"Accept: application/json"}, status: 200, has: []string{`"version":0`, `"source":"`}},
		{name: "plan with mistakes", method: "PUT", path: "/plan", body: "name: x\nstages:\n  - { name: A }\n  - { name: B, when: 'sen(\"A:B\")' }\n  - { nam: C }\n", status: 422,
			has: []string{`"file":"plan.yaml","line":4`, `"file":"plan.yaml","line":5`}},
		{name: "plan tried", method: "PUT", path: "/plan?dry_run=true", body: "name: x\nstages:\n  - { name: A }\n", status: 200, has: []string{`"valid":true`}},
		{name: "plan published", method: "PUT", path: "/plan", body: "name: x\nstages:\n  - { name: A }\nsegments:\n  seen: seen(\"Order:Completed\")\n", status: 200, has: []string{`"version":1`}},
		{name: "plan stale", method: "PUT", path: "/plan", body: "name: y\nstages:\n  - { name: A }\n", headers: []string{`If-Match: "v0"`}, status: 412},
		{name: "segments", method: "GET", path: "/segments", status: 200, has: []string{`"name":"seen"`, `"people":0`}},
		{name: "plan versions", method: "GET", path: "/plan/versions", status: 200, has: []string{`"version":1`}},
		{name: "plan back", method: "POST", path: "/plan/rollback", body: `{"version":0}`, status: 200, has: []string{`"version":2`}},
		{name: "plan back to nowhere", method: "POST", path: "/plan/rollback", body: `{"version":8}`, status: 404},
		{name: "inbox stats name every connection", method: "GET", path: "/inbox/stats", status: 200,
			has: []string{`"crm":{"pending":0,"done":0,"ignored":0,"quarantined":0,"failed":0,"duplicates":0,"rejected":0}`, `},"pending":0`}},
		{name: "no such status", method: "GET", path: "/inbox?status=lost", status: 400, has: []string{`"field":"status"`}},
		{name: "no such cursor", method: "GET", path: "/inbox?next=x", status: 400},
		{name: "no such limit", method: "GET", path: "/inbox?limit=0", status: 400, has: []string{`"field":"limit"`}},
		{name: "no such time", method: "GET", path: "/inbox?since=yesterday", status: 400, has: []string{`"field":"since"`}},
		{name: "no such event", method: "GET", path: "/inbox/77", status: 404},
		{name: "no number", method: "GET", path: "/inbox/x/trace", status: 404},
		{name: "nobody", method: "GET", path: "/profiles/9", status: 404},
		{name: "nobody by key", method: "GET", path: "/profiles?key=email:x@example.com", status: 200, has: []string{`{"items":[],"next":""}`}},
		{name: "two filters", method: "GET", path: "/profiles?stage=a&segment=b", status: 400},
		{name: "no such state", method: "GET", path: "/sync?state=lost", status: 400},
		{name: "sync of an unknown connection", method: "GET", path: "/sync?connection=none", status: 200, has: []string{`{"items":[],"next":""}`}},
		{name: "retry of what cannot be", method: "POST", path: "/sync/retry", body: `{"state":"synced"}`, status: 422, has: []string{`"field":"state"`}},
		{name: "replay of nobody", method: "POST", path: "/inbox/replay", body: `{"person":"email:nobody@example.com"}`, status: 400},
		{name: "no such address", method: "GET", path: "/nothing", status: 404, has: []string{`"title":"Not Found"`}},
		{name: "another method", method: "PATCH", path: "/plan", status: 404},
		{name: "removed", method: "DELETE", path: "/connections/crm", status: 204},
		{name: "removed twice", method: "DELETE", path: "/connections/crm", status: 404},
	} {
		a := l.api(c.method, c.path, c.body, c.headers...)
		if a.Status != c.status {
			t.Errorf("%s: status %d, want %d: %.400s", c.name, a.Status, c.status, a.Body)
			continue
		}
		for _, text := range c.has {
			if !strings.Contains(a.Body, text) {
				t.Errorf("%s: %q is not in %.600s", c.name, text, a.Body)
			}
		}
		for _, text := range c.lacks {
			if strings.Contains(a.Body, text) {
				t.Errorf("%s: %q is in %.600s", c.name, text, a.Body)
			}
		}
		if a.Status >= 400 && a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: content type %q", c.name, a.Header.Get("Content-Type"))
		}
	}
	if diff := cmp.Diff([]int64{1, 2}, l.plans); diff != "" {
		t.Errorf("plans published: %s", diff)
	}
	if strings.Contains(l.log.String(), "hush") {
		t.Error("a secret is in the log")
	}
}

func TestAPIProfiles(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", &connectors.PushConfig{Enabled: true})
	order := l.tell("crm", "order", `{"email":"ann@example.com","amount":"1200.50"}`)
	l.tell("crm", "news", `{"email":"bob@example.com","company":"Acme <&>"}`)
	bad := l.tell("crm", "order", `{"email":"eve@example.com","amount":"lots"}`)
	l.tell("crm", "other", `{}`)
	l.process()

	ann := l.api("GET", "/profiles?key=email:ANN@example.com", "").json(t)["items"].([]any)[0].(map[string]any)
	id := ann["id"].(string)
	for _, text := range []string{"stage_since", "first_seen", "last_seen"} {
		if ann[text] == "" {
			t.Errorf("%s is empty", text)
		}
		delete(ann, text)
	}
	want := map[string]any{
		"id": id, "keys": []any{"email:ann@example.com"}, "stage": "Customer", "segments": []any{"high_value", "new_customers"}, "traits": map[string]any{"email": "ann@example.com"},
		"value": map[string]any{"EUR": "1200.50"}, "sync": []any{map[string]any{"connection": "crm", "state": "pending", "pushed_at": "", "error": ""}},
	}
	if diff := cmp.Diff(want, ann); diff != "" {
		t.Errorf("profile: %s", diff)
	}
	for path, people := range map[string]int{
		"/profiles": 2, "/profiles?stage=Customer": 1, "/profiles?stage=None": 0, "/profiles?q=bob": 1, "/profiles?q=email:a": 1, "/profiles?segment=x": 0, "/profiles?limit=1": 1,
	} {
		if got := len(l.api("GET", path, "").json(t)["items"].([]any)); got != people {
			t.Errorf("%s: %d people, want %d", path, got, people)
		}
	}
	first := l.api("GET", "/profiles?limit=1", "").json(t)
	second := l.api("GET", "/profiles?limit=1&next="+first["next"].(string), "").json(t)
	if second["next"] != "" || second["items"].([]any)[0].(map[string]any)["id"] == first["items"].([]any)[0].(map[string]any)["id"] {
		t.Errorf("pages: %v, %v", first, second)
	}
	timeline := l.api("GET", "/profiles/"+id+"/timeline", "")
	for _, text := range []string{`"kind":"event"`, `"name":"Order:Completed"`, `"amount":"1200.50"`, `"kind":"move"`, `"to":"Customer"`, fmt.Sprintf(`"inbox":"%d"`, order)} {
		if !strings.Contains(timeline.Body, text) {
			t.Errorf("timeline lacks %s: %s", text, timeline.Body)
		}
	}
	explain := l.api("GET", "/profiles/"+id+"/explain", "")
	for _, text := range []string{`"stage":"Customer"`, `"via":"`, `"holds":true`, `"next":[{"stage":"Retained Customer"`, `"unmet":[{"holds":false`, `"count":1`} {
		if !strings.Contains(explain.Body, text) {
			t.Errorf("explain lacks %s: %s", text, explain.Body)
		}
	}
	trace := l.api("GET", fmt.Sprintf("/inbox/%d/trace", order), "")
	for _, text := range []string{`"status":"done"`, `"rule":"order"`, `"profiles":[{"id":"` + id, `"moves":[{`, `"deliveries":[{"profile":"` + id, `"body":"{\"email\":\"ann@example.com\"`} {
		if !strings.Contains(trace.Body, text) {
			t.Errorf("trace lacks %s: %s", text, trace.Body)
		}
	}
	failed := l.api("GET", "/inbox?status=failed&connection=crm", "").json(t)["items"].([]any)
	if len(failed) != 1 || failed[0].(map[string]any)["id"] != fmt.Sprint(bad) || failed[0].(map[string]any)["step"] != "map" {
		t.Errorf("failed: %v", failed)
	}
	stats := l.api("GET", "/inbox/stats", "").json(t)
	if stats["done"] != 2.0 || stats["ignored"] != 1.0 || stats["failed"] != 1.0 {
		t.Errorf("stats: %v", stats)
	}
	preview := l.api("POST", "/connections/crm/rules/preview?limit=10", strings.Replace(labRules, "type: news,", "type: newsletter,", 1)).json(t)
	if preview["changed"] != 1.0 || len(preview["items"].([]any)) != 4 {
		t.Errorf("preview: %v", preview)
	}
	sync := l.api("GET", "/sync?connection=crm&state=pending", "").json(t)["items"].([]any)
	if len(sync) != 2 {
		t.Errorf("sync: %v", sync)
	}
}

func TestAPIVendorErrors(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.vendor.checkErr = &connectors.PushError{Reason: connectors.ReasonAuth, Status: 401, Message: "no such token", Act: "lab: check"}
	a := l.api("POST", "/connections/crm/check", "")
	if a.Status != http.StatusBadGateway || !strings.Contains(a.Body, "no such token") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestAPIDatabaseAway(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	if err := l.store.Close(); err != nil {
		t.Fatal(err)
	}
	a := l.api("GET", "/inbox", "")
	if a.Status < 500 || strings.Contains(a.Body, "sql") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := l.send("GET", "/readyz", ""); a.Status != 503 || !strings.Contains(a.Body, `"away":["database"]`) {
		t.Errorf("readyz: %d %s", a.Status, a.Body)
	}
	if a := l.send("GET", "/healthz", ""); a.Status != 200 {
		t.Errorf("healthz: %d", a.Status)
	}
}
