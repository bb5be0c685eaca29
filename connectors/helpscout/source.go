package helpscout

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// maxTypeBytes bounds a raw type; the vendor's own have about thirty.
const maxTypeBytes = 100

// testEvent is what the page of the webhooks app sends to try the address.
const testEvent = "helpscout.test"

// Receive implements connectors.Source. Each request brings one event.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if strings.Trim(r.Path, "/") != "" {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "Help Scout sends POST")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	names := r.Header.Values(eventHeader)
	if len(names) == 1 && names[0] == testEvent {
		return &connectors.Receipt{}, nil
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{c.rawEvent(names, r.Body)}}, nil
}

// notice is what is read of a record; everything else travels in the body.
type notice struct {
	ID         text `json:"id"`
	Status     text `json:"status"`
	CustomerID text `json:"customerId"`
	Customer   struct {
		ID text `json:"id"`
	} `json:"customer"` // of older ratings
	Created  text `json:"createdAt"`
	Updated  text `json:"updatedAt"`
	Modified text `json:"modifiedAt"`
	Closed   text `json:"closedAt"`
	Emails   list `json:"emails"`
	Embedded struct {
		Emails  list `json:"emails"`
		Threads []struct {
			Created text `json:"createdAt"`
		} `json:"threads"`
	} `json:"_embedded"`
}

// rawEvent reads the record as far as its identity needs. The event's name is
// in a header only, so it becomes the type.
func (c *Connector) rawEvent(names []string, body []byte) connectors.RawEvent {
	e := connectors.RawEvent{Type: "unknown", Body: body}
	if len(names) == 1 && short(names[0]) != "" {
		e.Type = short(names[0])
	}
	// Help Scout gives no event id. A record that was changed twice within a
	// second differs in its bytes.
	e.Dedupe = connectors.Dedupe(e.Type, string(body))
	var n notice
	// A member of another form than expected is left out; the event is good.
	var odd *json.UnmarshalTypeError
	switch err := json.Unmarshal(body, &n); {
	case err != nil && (!errors.As(err, &odd) || odd.Field == ""):
		e.Broken = "not the JSON object of a webhook"
	case e.Type == "unknown":
		e.Broken = "the header " + eventHeader + ", which alone names the event, is not there once"
	case n.ID == "":
		e.Broken = "the record has no id; if the webhook sends links only, switch that off"
	default:
		e.At = n.at(e.Type)
		e.Written = n.created(e.Type)
		e.NeedsRecord = c.api.ready && e.Type == "satisfaction.ratings" && numberForm.MatchString(n.customer())
	}
	return e
}

// writtenCustomer names the creation of a customer in the ledger of echoes.
const writtenCustomer = "created"

// created is what a push that made the customer wrote. Nobody else's creation
// is mistaken for it, since the number is in it.
func (n *notice) created(kind string) []connectors.Field {
	if kind != "customer.created" {
		return nil
	}
	address := ""
	for _, e := range append(n.Embedded.Emails, n.Emails...) {
		address = cmp.Or(address, e.Value)
	}
	return []connectors.Field{{Record: string(n.ID), Name: writtenCustomer, Value: strings.ToLower(strings.TrimSpace(address))}}
}

// customer is whom a rating is from, or "".
func (n *notice) customer() string {
	if n.CustomerID != "" {
		return string(n.CustomerID)
	}
	return string(n.Customer.ID)
}

// at is the event's own time, zero where the record does not tell it: a
// conversation's createdAt is when it was opened, whatever happened since.
func (n *notice) at(kind string) lifecycle.Instant {
	switch {
	case n.Modified != "":
		return instant(n.Modified)
	case n.Updated != "":
		return instant(n.Updated)
	case strings.HasSuffix(kind, ".created") && strings.Count(kind, ".") == 1, kind == "satisfaction.ratings":
		return instant(n.Created)
	case kind == "convo.status" && n.Status == "closed":
		return instant(n.Closed)
	case strings.HasSuffix(kind, ".created"):
		var latest lifecycle.Instant
		for _, t := range n.Embedded.Threads {
			latest = max(latest, instant(t.Created))
		}
		return latest
	}
	return 0
}

func instant(t text) lifecycle.Instant {
	at, err := time.Parse(time.RFC3339Nano, string(t))
	if err != nil || at.Year() < 1970 {
		return 0
	}
	return lifecycle.At(at)
}

// short makes a sender's word fit for a type or a message.
func short(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	if len(s) <= maxTypeBytes {
		return s
	}
	n := maxTypeBytes
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
