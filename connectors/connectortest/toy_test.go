package connectortest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// toy is a vendor small enough to read at once. With a defect's name it does
// one thing wrong, which the suite must notice.
type toy struct {
	connectors.Config
	defect string
	calls  atomic.Int64
}

func toyVendor(defect string) connectors.Vendor {
	d := &connectors.Descriptor{
		ID: "toy", Name: "Toy", Category: "tests", Summary: "A vendor for the suite's own tests.", Guide: []byte("# Toy"),
		Secrets:  []connectors.FieldSpec{{Name: "key", Label: "Key", Help: "Signs.", Required: "always"}, {Name: "token", Label: "Token", Help: "Calls."}},
		Settings: []connectors.FieldSpec{{Name: "base_url", Label: "Address", Help: "Where.", Required: "destination"}},
		Rules: []byte("rules:\n  - name: all\n    type: made\n    emit: { event: Contact:Created, identity: { email: body.email } }\n" +
			"tests:\n  - { name: one, type: made, body: { email: ann@example.com }, want: [ { event: Contact:Created } ] }\n"),
	}
	switch defect {
	case "rules":
		d.Rules = []byte(strings.Replace(string(d.Rules), "want: [ { event: Contact:Created } ]", "want: []", 1))
	case "vocabulary":
		d.Rules = []byte(strings.ReplaceAll(string(d.Rules), "Contact:Created", "Contact:Born"))
	case "help":
		d.Settings[0].Help = ""
	}
	return connectors.Vendor{Descriptor: d, Open: func(c connectors.Config) (connectors.Connector, error) {
		var wrong []error
		for _, e := range d.Check(c) {
			if defect == "lenient" || defect == "consents" && strings.HasPrefix(e.Field, "push.traits") {
				continue
			}
			wrong = append(wrong, e)
		}
		if err := errors.Join(wrong...); err != nil {
			return nil, err
		}
		return &toyConnector{toy{Config: c.WithDefaults(), defect: defect}, d}, nil
	}}
}

// toyConnector adds the descriptor, so that toy itself stays one subject.
type toyConnector struct {
	toy
	descriptor *connectors.Descriptor
}

func (t *toyConnector) Descriptor() *connectors.Descriptor { return t.descriptor }

func toySign(key, stamp string, body []byte) string {
	return hex.EncodeToString(connectors.MAC(sha256.New, []byte(key), []byte(stamp), body))
}

// covered is the part of a body that is signed.
func covered(defect string, body []byte) []byte {
	if defect == "half signed" {
		return body[:len(body)/2]
	}
	return body
}

// Receive implements connectors.Source.
func (t *toy) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	signs, stamp := r.Header["X-Sign"], r.Header.Get("X-Time")
	if len(signs) == 0 && t.defect != "unsigned" {
		return nil, connectors.Reject(connectors.ErrUnsigned, "X-Sign is missing")
	}
	seconds, _ := strconv.ParseInt(stamp, 10, 64)
	if t.defect != "stale" && !connectors.Fresh(time.Unix(seconds, 0), r.Received, time.Minute) {
		return nil, connectors.Reject(connectors.ErrStale, "X-Time is too far away")
	}
	good := t.defect == "any signature" || t.defect == "unsigned" && len(signs) == 0
	signed := covered(t.defect, r.Body)
	for i, key := range t.Secrets["key"] {
		if i > 0 && t.defect == "rotation" {
			break
		}
		good = good || len(signs) > 0 && (len(signs) == 1 || t.defect == "doubled") && signs[0] == toySign(key.Reveal(), stamp, signed)
	}
	if !good {
		detail := "X-Sign is wrong"
		if t.defect == "refusal leaks" {
			detail += ", the key is " + t.Secret("key").Reveal()
		}
		return nil, connectors.Reject(connectors.ErrSignature, "%s", detail)
	}
	e := connectors.RawEvent{Type: "made", Body: r.Body, Dedupe: connectors.Dedupe(string(r.Body))}
	switch {
	case t.defect == "dedupe":
		e.Dedupe = connectors.Dedupe(strconv.FormatInt(t.calls.Add(1), 10))
	case t.defect == "log leaks":
		t.Log.Info("received", "key", t.Secret("key").Reveal())
	case t.defect == "changes the body" && len(r.Body) > 0:
		r.Body[0] = ' '
	case !json.Valid(r.Body) && t.defect == "refuses the undecodable":
		return nil, connectors.Reject(connectors.ErrMalformed, "not JSON")
	case !json.Valid(r.Body) && t.defect == "drops the undecodable":
		return &connectors.Receipt{}, nil
	}
	if !json.Valid(r.Body) {
		e.Broken = "not JSON"
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{e}}, nil
}

// Limits implements connectors.Destination.
func (t *toy) Limits() connectors.Limits {
	return connectors.Limits{Batch: 10, Concurrency: 1, Takes: connectors.TakesState}
}

// Push implements connectors.Destination, one call per person.
func (t *toy) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	results := make([]connectors.Result, len(updates))
	for i, u := range updates {
		body := t.body(u)
		if len(body) == 0 {
			results[i] = connectors.Result{Outcome: connectors.OK}
			continue
		}
		if lookUp := !t.Config.Push.Create && t.defect != "creates" || t.defect == "never creates"; lookUp && !t.there(ctx, u) {
			results[i] = connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor}
			continue
		}
		results[i] = t.write(ctx, u, body)
	}
	switch {
	case t.defect == "short" && len(results) > 0:
		results = results[1:]
	case t.defect == "order":
		slices.Reverse(results)
	}
	return results, nil
}

// there reports whether the vendor has the person.
func (t *toy) there(ctx context.Context, u connectors.Update) bool {
	_, err := t.HTTP.Do(ctx, connectors.Call{Act: "toy: look", URL: t.Settings["base_url"] + "/people/" + u.Email, Secrets: t.Secrets["token"]})
	return err == nil
}

func (t *toy) body(u connectors.Update) map[string]any {
	known := connectors.State{}
	if u.Known != nil && t.defect != "unchanged" {
		known = *u.Known
	}
	body := map[string]any{}
	if u.Want.Stage != known.Stage {
		body["stage"] = u.Want.Stage
	}
	if !slices.Equal(u.Want.Segments, known.Segments) {
		body["segments"] = u.Want.Segments
	}
	if !maps.Equal(u.Want.Traits, known.Traits) {
		body["traits"] = u.Want.Traits
	}
	if t.defect == "opts in" {
		body["status"] = "subscribed"
	}
	return body
}

func (t *toy) write(ctx context.Context, u connectors.Update, body map[string]any) connectors.Result {
	call := connectors.Call{
		Act: "toy: write", Method: http.MethodPut, URL: t.Settings["base_url"] + "/people/" + u.Email, JSON: body,
		Header:  http.Header{"Authorization": {"Bearer " + t.Secret("token").Reveal()}},
		Secrets: []secret.Text{t.Secret("token"), t.Secret("key")},
	}
	if t.defect == "result leaks" {
		call.Secrets = nil
	}
	a, err := t.HTTP.Do(ctx, call)
	var e *connectors.PushError
	if errors.As(err, &e) {
		r := e.Result()
		switch {
		case t.defect == "swallows", t.defect == "swallows a 503" && e.Status == 503, t.defect == "swallows a late 401" && e.Status == 401 && t.calls.Load() > 0:
			return connectors.Result{Outcome: connectors.OK}
		case t.defect == "no pause":
			r.Delay = 0
		case t.defect == "gives up" && e.Reason == connectors.ReasonServer:
			r.Outcome = connectors.Permanent
		case t.defect == "no reason":
			r.Reason = ""
		}
		return r
	}
	t.calls.Add(1)
	if t.defect == "empty answer" && len(a.Body) == 0 {
		return connectors.Result{Outcome: connectors.OK}
	}
	var answer struct{ OK bool }
	if err := a.JSON("toy: write", &answer); t.defect != "any answer" && errors.As(err, &e) {
		return e.Result()
	}
	return connectors.Result{Outcome: connectors.OK}
}

// Check implements connectors.Checker.
func (t *toy) Check(ctx context.Context) (string, error) {
	_, err := t.HTTP.Do(ctx, connectors.Call{Act: "toy: check", URL: t.Settings["base_url"] + "/me", Secrets: []secret.Text{t.Secret("token"), t.Secret("key")}})
	if err != nil && t.defect != "check" {
		return "", err
	}
	return "fine", nil
}

// toyCase is what the suite needs to know of the toy.
func toyCase(defect, dir string) Case {
	return Case{
		Vendor: toyVendor(defect), Dir: dir,
		Config: connectors.Config{
			Settings: map[string]string{"base_url": "https://toy.example.com"},
			Secrets:  map[string][]secret.Text{"key": {secret.New("key-current")}, "token": {secret.New("token-of-the-toy")}},
			Push:     connectors.PushConfig{Create: true},
		},
		Source: &SourceCase{
			Secret: "key", Keys: [3]secret.Text{secret.New("key-current"), secret.New("key-previous"), secret.New("key-other")},
			Body: []byte(`{"email":"ann@example.com"}`), Types: []string{"made"}, Headers: []string{"X-Sign"}, Tolerance: time.Minute,
			Request: func(_ connectors.Config, key secret.Text, at time.Time, body []byte) *connectors.Request {
				stamp := strconv.FormatInt(at.Unix(), 10)
				return &connectors.Request{Body: body, Header: http.Header{"X-Time": {stamp}, "X-Sign": {toySign(key.Reveal(), stamp, covered(defect, body))}}}
			},
		},
		Destination: &DestinationCase{
			BaseURL: "base_url",
			Healthy: func(f *Fake) {
				f.Reply("PUT /people/{email}", 200, `{"ok":true}`).Reply("GET /people/{email}", 200, `{}`).Reply("GET /me", 200, `{}`)
			},
			Empty: func(f *Fake) func() int {
				var made atomic.Int64
				f.Reply("GET /people/{email}", 404, "").Handle("PUT /people/{email}", func(w http.ResponseWriter, r *http.Request) {
					made.Add(1)
					Reply(200, `{"ok":true}`)(w, r)
				})
				return func() int { return int(made.Load()) }
			},
			Updates: func() []connectors.Update {
				var all []connectors.Update
				for i, name := range []string{"ann", "bob", "eve"} {
					all = append(all, connectors.Update{
						Person: lifecycle.ProfileID(i + 1), ID: fmt.Sprintf("u%d", i), Email: name + "@example.com",
						Want: connectors.State{Stage: "customer", Segments: []string{"eu"}, Absent: []string{"at_risk"}, Traits: map[string]any{"company": "Acme"}},
					})
				}
				return all
			},
			Refuse: func(f *Fake, u connectors.Update) {
				f.Handle("PUT /people/{email}", func(w http.ResponseWriter, r *http.Request) {
					if r.PathValue("email") == u.Email {
						Reply(422, `{"message":"no"}`)(w, r)
						return
					}
					Reply(200, `{"ok":true}`)(w, r)
				})
			},
			OptsIn: func(r Recorded) string {
				if strings.Contains(string(r.Body), "subscribed") {
					return "status"
				}
				return ""
			},
			Marks: map[string]string{"stage": `"stage"`, "segments": `"segments"`, "traits": `"traits"`},
		},
	}
}
