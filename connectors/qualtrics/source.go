package qualtrics

import (
	"bytes"
	"crypto/sha512"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

const (
	// completed is the one event whose response is fetched: the default rules
	// read nothing else.
	completed = "surveyengine.completedResponse"
	// workflowPath is where a workflow's web service task posts, below the
	// connection's own URL, and workflowHeader what proves it.
	workflowPath   = "/workflow"
	workflowHeader = "X-Stagebridge-Secret"
	// maxFormFields bounds a form; a real one has three fields.
	maxFormFields = 100
)

// topics are the events of subscriptions. On delivery the brand's id stands
// before a topic and the survey's behind it.
func topics() []string {
	return []string{
		completed, "surveyengine.partialResponse", "surveyengine.startedRecipientSession",
		"controlpanel.activateSurvey", "controlpanel.deactivateSurvey", "threesixty.created",
	}
}

// Receive implements connectors.Source. Qualtrics asks with GET whether the URL
// is alive before it takes a subscription; probes bring no events.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	path := strings.TrimSuffix(r.Path, "/")
	if path != "" && path != workflowPath {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return &connectors.Receipt{}, nil
	case http.MethodPost:
	default:
		return nil, connectors.Reject(connectors.ErrUnsupported, "want POST, or GET for a probe")
	}
	if path == workflowPath {
		if err := verifyHeader(r, c.cfg.Keys(secretWorkflow)); err != nil {
			return nil, err
		}
		return &connectors.Receipt{Events: []connectors.RawEvent{workflowEvent(r.Body)}}, nil
	}
	form := readForm(r.Body)
	msg, err := verifyForm(form, c.cfg.Keys(secretShared))
	if err != nil {
		return nil, err
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{c.event(form.Get("Topic"), []byte(msg))}}, nil
}

// verifyForm proves a subscription's delivery. The form field HMAC is the hex
// HMAC-SHA512 over the decoded text of the field MSG, and nothing else in the
// form is covered by it. It has no time.
func verifyForm(form url.Values, keys []secret.Text) (msg string, err error) {
	if len(keys) == 0 {
		return "", connectors.Reject(connectors.ErrUnconfigured, "set shared_key, so that the sender can be proved")
	}
	given, covered := form["HMAC"], form["MSG"]
	switch {
	case len(given) == 0 || len(given) == 1 && given[0] == "":
		return "", connectors.Reject(connectors.ErrUnsigned, "the form has no field HMAC; the subscription was made without a shared key")
	case len(given) > 1 || len(covered) != 1:
		return "", connectors.Reject(connectors.ErrSignature, "the form has HMAC %d times and MSG %d times", len(given), len(covered))
	}
	signed := false
	for _, key := range keys {
		mac := connectors.MAC(sha512.New, []byte(key.Reveal()), []byte(covered[0]))
		signed = connectors.EqualHex(given[0], mac) || signed
	}
	if !signed {
		return "", connectors.Reject(connectors.ErrSignature, "the field HMAC fits no shared_key of this connection")
	}
	return covered[0], nil
}

// verifyHeader proves a workflow by the secret that it was given.
func verifyHeader(r *connectors.Request, keys []secret.Text) error {
	values := r.Header.Values(workflowHeader)
	switch {
	case len(keys) == 0:
		return connectors.Reject(connectors.ErrUnconfigured, "set workflow_secret, so that the sender can be proved")
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", workflowHeader)
	case len(values) > 1:
		return connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", workflowHeader, len(values))
	}
	matched := false
	for _, key := range keys {
		matched = key.Equal(values[0]) || matched
	}
	if !matched {
		return connectors.Reject(connectors.ErrSignature, "the header %s fits no workflow_secret of this connection", workflowHeader)
	}
	return nil
}

// readForm reads the fields of a form; one that is not percent-encoded is
// passed over, since nothing about it is proved yet.
func readForm(body []byte) url.Values {
	form := url.Values{}
	n := 0
	for pair := range bytes.SplitSeq(body, []byte("&")) {
		if n++; n > maxFormFields {
			break
		}
		name, value, _ := strings.Cut(string(pair), "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			continue
		}
		if value, err = url.QueryUnescape(value); err == nil {
			form[name] = append(form[name], value)
		}
	}
	return form
}
