package genericwebhook

import (
	"encoding/json"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// sourceName marks in data.source that a Stagebridge wrote the message.
const sourceName = "stagebridge"

// Types of the messages that are sent.
const (
	typeStage   = "customer.stage_changed"
	typeEntered = "customer.segment_entered"
	typeExited  = "customer.segment_exited"
	typeTest    = "stagebridge.test"
)

// message is the body of every POST, in the form the specification advises.
type message struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      any    `json:"data"`
}

// customer is the data of a move: what changed, and the whole state beside it,
// so that a receiver needs no history.
type customer struct {
	Source         string `json:"source"`
	SourceInstance string `json:"source_instance"`
	// ProfileID is our number of the person, CustomerID the user id of the
	// customer's own product where it is known.
	ProfileID   string            `json:"profile_id"`
	CustomerID  string            `json:"customer_id,omitempty"`
	Email       string            `json:"email,omitempty"`
	ExternalIDs map[string]string `json:"external_ids"`

	Stage           string         `json:"stage,omitempty"`
	PreviousStage   string         `json:"previous_stage,omitempty"`
	StageChangedAt  string         `json:"stage_changed_at,omitempty"`
	Transition      string         `json:"transition,omitempty"`
	Sequence        int64          `json:"sequence,omitempty"`
	Segments        []string       `json:"segments"`
	SegmentsAdded   []string       `json:"segments_added"`
	SegmentsRemoved []string       `json:"segments_removed"`
	Traits          map[string]any `json:"traits,omitempty"`
}

// isoMillis is RFC 3339 in UTC with milliseconds.
const isoMillis = "2006-01-02T15:04:05.000Z"

func isoTime(i lifecycle.Instant) string {
	if i == 0 {
		return ""
	}
	return i.Time().Format(isoMillis)
}

func testBody(now time.Time) ([]byte, error) {
	return json.Marshal(message{typeTest, now.UTC().Format(isoMillis), struct{}{}})
}

// person fills in who it is and what holds now.
func (c *Connector) person(u *connectors.Update) customer {
	p := customer{
		Source: sourceName, SourceInstance: c.config.Instance,
		ProfileID: profileID(u.Person), Email: u.Email, ExternalIDs: map[string]string{},
		Stage: u.Want.Stage, StageChangedAt: isoTime(u.Want.Since),
		Segments: list(u.Want.Segments), SegmentsAdded: []string{}, SegmentsRemoved: []string{},
		Traits: u.Want.Traits,
	}
	for _, k := range u.Keys {
		switch {
		case k.Namespace == "user" && p.CustomerID == "":
			p.CustomerID = k.Value
		case k.Namespace == "user", k.Namespace == "email":
		case p.ExternalIDs[k.Namespace] == "":
			p.ExternalIDs[k.Namespace] = k.Value
		}
	}
	return p
}

// list makes no list an empty one, which receivers read more easily than null.
func list(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}
