package googleanalytics

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxTagPairs bounds the pairs of one hit; the tag sends some dozens.
const maxTagPairs = 500

// sessionStart is the event that begins a visit.
const sessionStart = "session_start"

// tagMember gives the member that a short name of the Google tag's hits
// becomes; what stands below params is said so. The tag documents none of its
// names, so what is not here is left out.
func tagMember(name string) (member string, param bool) {
	switch name {
	case "en":
		return "event_name", false
	case "cid":
		return "client_id", false
	case "uid":
		return "user_id", false
	case "sid":
		return "session_id", false
	case "dl":
		return "page_location", true
	case "dt":
		return "page_title", true
	case "dr":
		return "page_referrer", true
	case "cu":
		return "currency", true
	}
	return "", false
}

// receiveTag takes a hit of the Google tag, which sends here when its
// server_container_url is the connection's URL. The measurement id in it is no
// secret, so the events are public.
func (c *Connector) receiveTag(r *connectors.Request) (*connectors.Receipt, error) {
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the Google tag uses POST or GET")
	}
	if c.measurementID == "" {
		return nil, connectors.Reject(connectors.ErrUnconfigured, "set %s, so that the Google tag can be told from others", fieldMeasurement)
	}
	shared, err := pairs(r.Query)
	if err != nil {
		return nil, connectors.Reject(connectors.ErrMalformed, "the query of the hit cannot be read")
	}
	switch shared.Get("tid") {
	case "":
		return nil, connectors.Reject(connectors.ErrUnsigned, "the hit names no measurement id")
	case c.measurementID:
	default:
		return nil, connectors.Reject(connectors.ErrSignature, "the hit is of another measurement id")
	}
	s := &split{c: c, received: c.arrived(r), public: true}
	return &connectors.Receipt{
		Events: s.tag(shared, r.Body),
		Reply:  connectors.Reply{Status: http.StatusNoContent, Header: crossOrigin(r.Header, false)},
	}, nil
}

// pairs reads a query of bounded length.
func pairs(query string) (url.Values, error) {
	if strings.Count(query, "&") > maxTagPairs {
		return nil, strconv.ErrRange
	}
	return url.ParseQuery(query)
}

// tag makes the raw events of a hit: one in the query, or one in each line of
// the body, which shares the query's pairs.
func (s *split) tag(shared url.Values, body []byte) []connectors.RawEvent {
	var events []connectors.RawEvent
	if shared.Get("_ss") != "" {
		// The tag has no event for it: it marks the first hit of a visit.
		events = append(events, s.tagEvent(shared, url.Values{"en": {sessionStart}}, 0))
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return append(events, s.tagEvent(shared, nil, len(events)))
	}
	if bytes.Count(body, []byte("\n")) >= maxEvents {
		return []connectors.RawEvent{s.broken(body, "the hit holds more than "+strconv.Itoa(maxEvents)+" events")}
	}
	for line := range bytes.Lines(body) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		own, err := pairs(string(line))
		if err != nil {
			events = append(events, s.broken(line, "the line is not a query"))
			continue
		}
		events = append(events, s.tagEvent(shared, own, len(events)))
	}
	return events
}

// tagEvent writes an event in our form. The tag gives a page a random number
// (_p) and counts its hits (_s), which together tell events apart.
func (s *split) tagEvent(shared, own url.Values, index int) connectors.RawEvent {
	out, params, properties := map[string]any{}, map[string]any{}, map[string]any{}
	for _, from := range []url.Values{shared, own} {
		for name, values := range from {
			member, isParam := tagMember(name)
			switch {
			case isParam:
				params[member] = values[0]
			case member != "":
				out[member] = values[0]
			case strings.HasPrefix(name, "ep."):
				params[name[3:]] = values[0]
			case strings.HasPrefix(name, "epn."):
				params[name[4:]] = number(values[0])
			case strings.HasPrefix(name, "up."):
				properties[name[3:]] = values[0]
			case strings.HasPrefix(name, "upn."):
				properties[name[4:]] = number(values[0])
			}
		}
	}
	if page, hit := shared.Get("_p"), shared.Get("_s"); page != "" && hit != "" {
		out["event_id"] = strings.Join([]string{shared.Get("cid"), page, hit, strconv.Itoa(index)}, "|")
	}
	out["params"], out["user_properties"] = params, properties
	body, err := json.Marshal(out)
	if err != nil {
		return s.broken([]byte(shared.Encode()), "the hit cannot be written as JSON")
	}
	return s.event(body, index)
}

// number keeps a number's own digits, and a text that is none.
func number(value string) any {
	if _, err := strconv.ParseFloat(value, 64); err == nil && json.Valid([]byte(value)) {
		return json.Number(value)
	}
	return value
}
