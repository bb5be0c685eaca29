package segment

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Kinds of call.
const (
	kindIdentify = "identify"
	kindTrack    = "track"
	kindPage     = "page"
	kindScreen   = "screen"
	kindGroup    = "group"
	kindAlias    = "alias"
	kindDelete   = "delete" // only webhooks have it
	kindBatch    = "batch"  // not an event: a list of them
)

// kindOf gives the call that a path stands for. The short paths are those of
// analytics.js; import is an older name of batch.
func kindOf(path string) (string, bool) {
	switch strings.TrimPrefix(path, trackingRoot) {
	case "identify", "i":
		return kindIdentify, true
	case "track", "t":
		return kindTrack, true
	case "page", "p":
		return kindPage, true
	case "screen", "s":
		return kindScreen, true
	case "group", "g":
		return kindGroup, true
	case "alias", "a":
		return kindAlias, true
	case "batch", "b", "import":
		return kindBatch, true
	}
	return "", false
}

// receiveTracking serves the tracking API. A call that cannot be read is kept
// and answered with success: a client library can do nothing about it, and the
// connection shows what was wrong.
func (c *Connector) receiveTracking(r *connectors.Request, path string) (*connectors.Receipt, error) {
	if r.Method == http.MethodOptions {
		return &connectors.Receipt{Reply: preflight(r.Header)}, nil
	}
	if _, ok := settingsKey(path); ok {
		return c.serveSettings(r, path)
	}
	kind, ok := kindOf(path)
	if !ok {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the tracking API has no such path")
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the tracking API takes POST")
	}
	body := envelopeOf(r.Body)
	proof, err := c.verifyKey(r, path, body)
	if err != nil {
		return nil, err
	}
	s := &split{c: c, received: c.arrived(r), proof: proof}
	receipt := &connectors.Receipt{Reply: connectors.Reply{
		Status: http.StatusOK, // exactly 200: analytics-python takes nothing else for success
		Header: crossOrigin(r.Header, http.Header{"Content-Type": {"application/json"}}),
		Body:   []byte(`{"success":true}`),
	}}
	if kind == kindBatch {
		receipt.Events = s.batch(r.Body, body)
	} else {
		receipt.Events = []connectors.RawEvent{s.event(r.Body, item{kind: kind})}
	}
	return receipt, nil
}

// serveSettings answers what analytics.js asks a host for before it starts:
// where to send its calls.
func (c *Connector) serveSettings(r *connectors.Request, path string) (*connectors.Receipt, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the settings are asked for with GET")
	}
	if _, err := c.verifyKey(r, path, envelope{}); err != nil {
		return nil, err
	}
	key, _ := settingsKey(path)
	var settings struct {
		Integrations map[string]map[string]string `json:"integrations"`
	}
	settings.Integrations = map[string]map[string]string{"Segment.io": {"apiKey": key, "apiHost": apiHost(r.URL, c.cfg.PublicURL)}}
	body, err := json.Marshal(settings)
	if err != nil {
		return nil, connectors.Reject(connectors.ErrMalformed, "the write key cannot be written as JSON")
	}
	return &connectors.Receipt{Reply: connectors.Reply{
		Header: crossOrigin(r.Header, http.Header{"Content-Type": {"application/json"}}), Body: body,
	}}, nil
}

// apiHost is the host and path that analytics.js puts before /t and the like:
// what the settings were asked of, so that a call at the server's root leads
// back to the root.
func apiHost(asked, public string) string {
	u, err := url.Parse(asked)
	if err != nil || u.Host == "" {
		return strings.TrimPrefix(strings.TrimPrefix(public, "https://"), "http://") + "/v1"
	}
	before, _, _ := strings.Cut(u.Path, "/v1/projects/")
	return u.Host + before + "/v1"
}

// preflight lets a page of any origin call: the write key decides, and the
// answers hold nothing that a page might not read.
func preflight(asked http.Header) connectors.Reply {
	return connectors.Reply{Status: http.StatusNoContent, Header: crossOrigin(asked, http.Header{
		"Access-Control-Allow-Methods": {"POST, GET, OPTIONS"},
		"Access-Control-Allow-Headers": {"authorization, content-type, x-retry-count"},
		"Access-Control-Max-Age":       {"86400"},
	})}
}

// crossOrigin adds what lets a browser read an answer. A request with
// credentials does not take the asterisk, so the origin is named.
func crossOrigin(asked, answer http.Header) http.Header {
	origin := asked.Get("Origin")
	if origin == "" || len(origin) > 300 || strings.ContainsFunc(origin, func(r rune) bool { return r <= ' ' || r > '~' }) {
		answer.Set("Access-Control-Allow-Origin", "*")
		return answer
	}
	answer.Set("Access-Control-Allow-Origin", origin)
	answer.Set("Access-Control-Allow-Credentials", "true")
	answer.Add("Vary", "Origin")
	return answer
}
