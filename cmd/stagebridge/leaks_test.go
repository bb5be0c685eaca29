package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/stagebridge/stagebridge/connectors/catalog"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

const mintedToken = "access-token-that-the-echo-minted"

// echo is a vendor that repeats all it was told, credentials too, in answers of
// every kind. So whatever becomes of a vendor's words meets them.
type echo struct{ asked atomic.Int64 }

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	n := e.asked.Add(1)
	if path := strings.ToLower(r.URL.Path); strings.Contains(path, "token") || strings.Contains(path, "login") || strings.Contains(path, "/id") {
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600,"expires":9999999999,"urls":{"apis":{"rest":{"standard":"http://%s"}}},"instance_url":"http://%[2]s","rest_instance_url":"http://%[2]s/","success":true}`, mintedToken, r.Host)
		return
	}
	told := r.Method + " " + r.URL.String() + " " + string(body)
	for name, values := range r.Header {
		told += " " + name + ": " + strings.Join(values, " ")
		for _, v := range values {
			_, credentials, _ := strings.Cut(v, " ")
			if plain, err := base64.StdEncoding.DecodeString(credentials); err == nil {
				told += " " + string(plain) + " " + hex.EncodeToString(plain) + " " + url.QueryEscape(string(plain))
			}
		}
	}
	b, _ := json.Marshal(map[string]any{"message": told, "error": told, "title": told, "detail": told, "error_description": told, "errors": []any{map[string]string{"message": told, "code": told}}})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-Id", told[:min(len(told), 60)])
	w.WriteHeader([]int{400, 401, 403, 404, 422, 500, 200, 429}[n%8])
	_, _ = w.Write(b)
}

// leakRun is one whole run and what it was told in confidence.
type leakRun struct {
	*serving
	secrets map[string]string
	redis   redis.UniversalClient
	cookies *http.Client
	open    map[string]bool // values of settings, which are no secrets
	// seen is what came out, by where.
	seen map[string]string
}

// alsoGood are vendors that are connected twice, the second time to a stand-in
// that works: with a token, by OAuth, by Basic authentication, with a job that is
// followed, with a key in the address, and with events.
var alsoGood = []string{"hubspot", "salesforce", "freshdesk", "zendesk", "mailchimp", "segment"}

// TestNoSecretLeaks connects every vendor, to a stand-in that works and to a
// vendor that repeats what it is told, with credentials that are right and
// wrong, and lets pushes, checks, registrations, pulls, refused webhooks, replay
// and backup go by. Then it looks for every secret of the run in the logs, the
// pages, the API, the tasks, the database and its files.
func TestNoSecretLeaks(t *testing.T) {
	t.Parallel()
	// One run: on the services where they are, as in production, else without.
	env, address := settings(t, nil), ""
	if os.Getenv("STAGEBRIDGE_TEST_POSTGRES_URL") != "" {
		env = settings(t, map[string]string{prefix + "DATABASE_URL": storetest.NewDatabase(t)})
		address = os.Getenv("STAGEBRIDGE_TEST_REDIS_URL")
	}
	if address == "" {
		address = "redis://" + miniredis.RunT(t).Addr()
	}
	o, err := redis.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	l := &leakRun{redis: redis.NewClient(o), cookies: newBrowser(t), seen: map[string]string{}, open: map[string]bool{}, secrets: map[string]string{
		"the key": "key-of-the-installation-0123456789", "the token of the API": testToken, "the password": "password of the admin /1", "the token of metrics": "token-of-the-metrics",
		"the client's secret": "secret of the client", "the minted token": mintedToken, "the signing secret": strings.TrimPrefix(standardKey.Reveal(), "whsec_"), "a wrong token": "wrong-token-of-somebody",
	}}
	t.Cleanup(func() { _ = l.redis.Close() })
	maps.Copy(env, map[string]string{
		prefix + "SECRET_KEY": l.secrets["the key"], prefix + "ADMIN_PASSWORD": l.secrets["the password"], prefix + "METRICS_TOKEN": l.secrets["the token of metrics"],
		prefix + "OIDC_ISSUER": "http://127.0.0.1:1", prefix + "OIDC_CLIENT_ID": "bridge", prefix + "OIDC_CLIENT_SECRET": l.secrets["the client's secret"], prefix + "OIDC_ROLES": "all:viewer",
		prefix + "LOG_LEVEL": "debug", prefix + "LOG_FORMAT": "json", prefix + "REDIS_URL": address, prefix + "VENDOR_TIMEOUT": "5s",
	})
	l.serving = serve(t, env)
	l.live()
	l.gather()
	for about, value := range l.secrets {
		if l.open[value] { // of one vendor, and another one's setting
			delete(l.secrets, about)
		}
	}
	n := newNeedles(l.secrets)
	for where, text := range l.seen {
		if found := n.find(text); len(found) > 0 {
			t.Errorf("%s shows %s", where, strings.Join(found[:min(len(found), 3)], "; "))
		}
	}
	if len(l.seen) < 60 {
		t.Errorf("looked at %d places only", len(l.seen))
	}
	l.plant(n)
}

// call asks the API and keeps the answer to be looked at.
func (l *leakRun) call(method, path, body string) string {
	l.t.Helper()
	r, err := http.NewRequestWithContext(l.t.Context(), method, l.url+path, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+testToken)
	return l.do(http.DefaultClient, r)
}

func (l *leakRun) do(client *http.Client, r *http.Request) string {
	l.t.Helper()
	res, err := client.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	header := ""
	for name, values := range res.Header {
		if name != "Set-Cookie" {
			header += name + ": " + strings.Join(values, " ") + "\n"
		}
	}
	l.seen[r.Method+" "+r.URL.RequestURI()] += header + string(body)
	return string(body)
}

// live connects everybody and lets things happen.
func (l *leakRun) live() {
	l.t.Helper()
	listening := func(h http.Handler) string {
		s := httptest.NewServer(h)
		l.t.Cleanup(s.Close)
		return s.URL
	}
	repeating := listening(&echo{})
	connected := 0
	connect := func(id, connector string, settings, secrets map[string]string) {
		made := ""
		for _, push := range []bool{true, false} { // some only send
			body, err := json.Marshal(map[string]any{"id": id, "connector": connector, "settings": settings, "secrets": secrets, "push": map[string]any{"enabled": push, "create": push}})
			if err != nil {
				l.t.Fatal(err)
			}
			if made = l.call("POST", "/api/v1/connections", string(body)); !strings.Contains(made, `"status":4`) {
				connected++
				return
			}
		}
		l.t.Errorf("%s: %s", id, made)
	}
	connect("hook", "generic-webhook", map[string]string{"url": repeating + "/lifecycle"}, map[string]string{"signing_secret": standardKey.Reveal()})
	for id, vendor := range catalog.StandIns() {
		works := listening(vendor)
		settings, secrets := vendor.Connection(works)
		for name, value := range secrets {
			if name != "verification_key" { // a public one
				l.secrets[id+" "+name] = value
			}
		}
		if slices.Contains(alsoGood, id) {
			connect(id+"-good", id, settings, secrets)
		}
		wrong := map[string]string{}
		for name, value := range settings {
			l.open[value] = true
			wrong[name] = strings.ReplaceAll(value, works, repeating)
		}
		connect(id+"-bad", id, wrong, secrets)
	}
	if connected < 30 {
		l.t.Errorf("only %d connections", connected)
	}
	for i, kind := range []string{"user.created", "order.completed", "lead.qualified"} {
		if status, _ := l.post("hook", fmt.Sprint("m", i), fmt.Sprintf(`{"type":%q,"data":{"user_id":"u-%d","email":"ann%[2]d@example.com","order_id":"A-1","total":"12.50","currency":"EUR"}}`, kind, i)); status/100 != 2 {
			l.t.Fatalf("a webhook: %d", status)
		}
	}
	for id := range catalog.StandIns() {
		for _, act := range []string{"check", "register", "pull"} {
			l.call("POST", "/api/v1/connections/"+id+"-bad/"+act, "{}")
			if slices.Contains(alsoGood, id) {
				l.call("POST", "/api/v1/connections/"+id+"-good/"+act, "{}")
			}
		}
		// Refused webhooks that carry the right secret in wrong places.
		for name, value := range l.secrets {
			if !strings.HasPrefix(name, id+" ") {
				continue
			}
			r, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.url+"/hooks/"+id+"-bad?key="+url.QueryEscape(value)+"&token="+url.QueryEscape(value), strings.NewReader(`{"type":"x"}`))
			if err != nil {
				l.t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+value)
			r.Header.Set("X-Api-Key", value)
			r.SetBasicAuth("user", value)
			l.do(http.DefaultClient, r)
		}
	}
	r, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, l.url+"/api/v1/users", nil)
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+l.secrets["a wrong token"])
	l.do(http.DefaultClient, r)
	within(l.t, "pushes that were refused", func() bool {
		var failed struct {
			Items []struct{ Connection, Message string }
		}
		l.get("sync?limit=500", &failed)
		refused := map[string]bool{}
		for _, x := range failed.Items {
			if x.Message != "" && strings.HasSuffix(x.Connection, "-bad") {
				refused[x.Connection] = true
			}
		}
		return len(refused) > 15
	})
	l.call("POST", "/api/v1/inbox/replay", `{"connection":"hook"}`)
	l.call("POST", "/api/v1/sync/retry", `{}`)
}

var hrefs = regexp.MustCompile(`href="(/[^"#]*)"`)

// crawl reads every page that a person can reach by links.
func (l *leakRun) crawl(most int) {
	l.t.Helper()
	form := url.Values{"name": {"admin"}, "password": {l.secrets["the password"]}}
	r, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.url+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", l.url)
	l.do(l.cookies, r)
	waiting, known := []string{"/", "/account"}, map[string]bool{}
	for len(waiting) > 0 && len(known) < most {
		path := html2text(waiting[0])
		waiting = waiting[1:]
		if known[path] || strings.HasPrefix(path, "/assets/") || strings.HasPrefix(path, "/login") || strings.HasPrefix(path, "/jobs/static") {
			continue
		}
		known[path] = true
		r, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, l.url+path, nil)
		if err != nil {
			l.t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		for _, m := range hrefs.FindAllStringSubmatch(l.do(l.cookies, r), -1) {
			waiting = append(waiting, m[1])
		}
	}
	if len(known) < min(most, 30) {
		l.t.Errorf("the pages lead to %d pages only", len(known))
	}
}

func html2text(s string) string {
	return strings.NewReplacer("&amp;", "&", "&#43;", "+", "&#34;", `"`).Replace(s)
}

// gather looks everywhere.
func (l *leakRun) gather() {
	l.t.Helper()
	l.crawl(70)
	for _, path := range []string{"connections", "connectors", "plan", "profiles", "inbox?limit=500", "inbox/stats", "sync?limit=500", "audit?limit=500", "users", "users/admin/sessions", "tokens", "jobs", "merges", "conflicts", "reports", "segments", "violations"} {
		l.call("GET", "/api/v1/"+path, "")
	}
	var people struct{ Items []profile }
	l.get("profiles", &people)
	for _, p := range people.Items {
		for _, part := range []string{"", "/timeline", "/explain", "/identity", "/conflicts", "/export"} {
			l.call("GET", "/api/v1/profiles/"+p.ID+part, "")
		}
	}
	var raw struct{ Items []struct{ ID json.Number } }
	l.get("inbox?limit=100", &raw)
	for _, x := range raw.Items {
		l.call("GET", "/api/v1/inbox/"+x.ID.String(), "")
		l.call("GET", "/api/v1/inbox/"+x.ID.String()+"/trace", "")
	}
	for id := range catalog.StandIns() {
		l.call("GET", "/api/v1/connections/"+id+"-bad", "")
	}
	r, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, l.url+"/metrics", nil)
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+l.secrets["the token of metrics"])
	l.do(http.DefaultClient, r)
	l.tasks()
	l.gatherRedis()
	folder := l.t.TempDir()
	for _, args := range [][]string{{"explain", "email:ann0@example.com"}, {"audit"}, {"user", "list"}, {"token", "list"}, {"secrets", "status"}, {"export", filepath.Join(folder, "all")}, {"backup", "-o", filepath.Join(folder, "all.backup")}} {
		code, out := runCommand(l.t, l.env, args...)
		if code != exitOK {
			l.t.Errorf("%v: %s", args, out)
		}
		l.seen["command "+args[0]] += out
	}
	l.gatherFiles(folder)
	l.gatherFiles(l.env[prefix+"DATA_DIR"])
	l.gatherTables()
	l.seen["the log"] = l.out.String()
	if !strings.Contains(l.seen["the log"], `"level":"DEBUG"`) && !strings.Contains(l.seen["the log"], `"level":"INFO"`) {
		l.t.Error("the log is empty")
	}
}

// tasks asks the interface of the jobs page for every task.
func (l *leakRun) tasks() {
	l.t.Helper()
	get := func(path string) string {
		r, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, l.url+path, nil)
		if err != nil {
			l.t.Fatal(err)
		}
		return l.do(l.cookies, r)
	}
	var all struct{ Queues []struct{ Queue string } }
	if err := json.Unmarshal([]byte(get("/jobs/ui/api/queues")), &all); err != nil || len(all.Queues) == 0 {
		l.t.Errorf("%d queues, %v", len(all.Queues), err)
	}
	for _, q := range all.Queues {
		for _, state := range []string{"active", "pending", "scheduled", "retry", "archived", "completed"} {
			get("/jobs/ui/api/queues/" + url.PathEscape(q.Queue) + "/" + state + "_tasks?size=100")
		}
	}
}

func (l *leakRun) gatherRedis() {
	l.t.Helper()
	ctx := l.t.Context()
	keys, err := l.redis.Keys(ctx, "*").Result()
	if err != nil || len(keys) == 0 {
		l.t.Fatalf("%d keys in Redis, %v", len(keys), err)
	}
	var all strings.Builder
	for _, key := range keys {
		kind, err := l.redis.Type(ctx, key).Result()
		if err != nil {
			l.t.Fatal(err)
		}
		var v any
		switch kind {
		case "string":
			v, err = l.redis.Get(ctx, key).Result()
		case "list":
			v, err = l.redis.LRange(ctx, key, 0, -1).Result()
		case "set":
			v, err = l.redis.SMembers(ctx, key).Result()
		case "zset":
			v, err = l.redis.ZRange(ctx, key, 0, -1).Result()
		case "hash":
			v, err = l.redis.HGetAll(ctx, key).Result()
		}
		if err != nil && !errors.Is(err, redis.Nil) {
			l.t.Fatal(err)
		}
		fmt.Fprintln(&all, key, v)
	}
	l.seen["Redis"] = all.String()
}

// gatherFiles reads every file but that of the key.
func (l *leakRun) gatherFiles(folder string) {
	l.t.Helper()
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "secret.key" {
			return err
		}
		b, err := os.ReadFile(path)
		l.seen["file "+d.Name()] += string(b)
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// gatherTables reads the whole database as a dump does.
func (l *leakRun) gatherTables() {
	l.t.Helper()
	ctx := l.t.Context()
	s, err := store.Open(ctx, store.Options{URL: l.env[prefix+"DATABASE_URL"], Dir: l.env[prefix+"DATA_DIR"]})
	if err != nil {
		l.t.Fatal(err)
	}
	defer s.Close()
	err = s.Snapshot(ctx, func(n *store.Snapshot) error {
		tables, err := n.Tables(ctx)
		if err != nil {
			return err
		}
		for _, table := range tables {
			var all bytes.Buffer
			if err := n.EachRow(ctx, table, func(row []any) error {
				for _, v := range row {
					if b, ok := v.([]byte); ok {
						v = string(b)
					}
					fmt.Fprint(&all, v, " ")
				}
				return nil
			}); err != nil {
				return err
			}
			l.seen["table "+table.Name] = all.String()
		}
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// plant puts secrets where they do not belong, and looks whether they are found
// there: else the search would find nothing anywhere.
func (l *leakRun) plant(n *needles) {
	l.t.Helper()
	ctx := l.t.Context()
	token := []byte(l.secrets["hubspot access_token"])
	if err := l.redis.Set(ctx, "planted", base64.StdEncoding.EncodeToString(append([]byte("u:"), token...)), 0).Err(); err != nil {
		l.t.Fatal(err)
	}
	// The server outlives this test, and others look into it for the like.
	defer l.redis.Del(context.WithoutCancel(ctx), "planted")
	l.call("POST", "/api/v1/connections", `{"id":"planted","connector":"generic-webhook","settings":{"url":"https://example.com/?k=`+url.QueryEscape(string(token))+`"},"secrets":{"signing_secret":"`+standardKey.Reveal()+`"}}`)
	if status, _ := l.post("hook", "planted", `{"type":"x","data":{"note":"`+hex.EncodeToString(token)+`"}}`); status/100 != 2 {
		l.t.Fatalf("a webhook: %d", status)
	}
	fmt.Fprintf(l.out, "planted %q", token)
	clear(l.seen)
	for _, path := range []string{"/api/v1/connections", "/api/v1/connections/planted"} {
		l.call("GET", path, "")
	}
	l.gatherRedis()
	l.gatherTables()
	l.seen["the log"] = l.out.String()
	for _, where := range []string{"Redis", "table inbox", "table connections", "the log", "GET /api/v1/connections", "GET /api/v1/connections/planted"} {
		if len(n.find(l.seen[where])) == 0 {
			l.t.Errorf("what was planted in %s is not found (%d bytes of %d places)", where, len(l.seen[where]), len(slices.Collect(maps.Keys(l.seen))))
		}
	}
}
