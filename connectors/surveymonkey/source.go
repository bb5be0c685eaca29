package surveymonkey

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// completed is the one event whose answers are fetched. Every fetch costs one
// to three of the 500 requests that a private app has a day, and the default
// rules read nothing else.
const completed = "response_completed"

// typeForm is how SurveyMonkey names its events.
var typeForm = regexp.MustCompile(`^[a-z0-9_]{1,60}$`)

// Receive implements connectors.Source. Before it takes a webhook SurveyMonkey
// asks with a bare HEAD whether the URL is alive, so probes are answered before
// anything is verified. What follows the connection's own URL only keeps the
// URLs of its webhooks apart, as SurveyMonkey demands, and says nothing. The
// content type is application/vnd.surveymonkey.<object>.v1+json and is not read.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return &connectors.Receipt{}, nil
	case http.MethodPost:
	default:
		return nil, connectors.Reject(connectors.ErrUnsupported, "want POST, or HEAD for a probe")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{event(r.Body)}}, nil
}

// event reads the one event of a delivery.
func event(body []byte) connectors.RawEvent {
	e := connectors.RawEvent{Type: "unknown", Dedupe: connectors.Dedupe("bytes", string(body)), Body: body}
	var n notice
	switch err := json.Unmarshal(body, &n); {
	case len(bytes.TrimSpace(body)) == 0:
		e.Broken = "the body is empty"
		return e
	case !utf8.Valid(body):
		e.Broken = "the body is not UTF-8"
		return e
	case err != nil:
		e.Broken = "the body is not a JSON object with the members of a webhook"
		return e
	case !typeForm.MatchString(n.EventType):
		e.Broken = "the body has no event_type"
		return e
	}
	e.Type = n.EventType
	switch {
	case n.EventType == completed && n.ObjectID != "":
		// The response's id, not the event's: the poll that closes gaps knows no
		// event, and a response is completed once.
		e.Dedupe = connectors.Dedupe(completed, string(n.ObjectID))
	case n.EventID != "":
		e.Dedupe = connectors.Dedupe(n.EventType, string(n.EventID))
	}
	// A time that cannot be read counts as none: the rest of the event is good.
	if at, err := time.Parse(time.RFC3339Nano, n.At); err == nil {
		e.At = lifecycle.At(at)
	}
	e.NeedsRecord = n.EventType == completed && fetchable(n)
	return e
}

// fetchable reports whether an event names a response that can be asked for.
func fetchable(n notice) bool {
	return numberForm.MatchString(string(n.ObjectID)) && numberForm.MatchString(string(n.Resources.SurveyID))
}

// normalEmail is the spelling in which addresses are compared.
func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
