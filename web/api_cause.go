package web

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Ways in which a person came to stand where they stand.
const (
	byTime     = "time"
	byEvent    = "event"
	byDecision = "decision"
	byGone     = "event_gone" // its raw event may still be there
)

// shownCause is how many bytes of a raw event an explanation shows.
const shownCause = 2000

// causeBody is what brought a person into their stage.
type causeBody struct {
	By string `json:"by"`
	// Event, At and Connection are those of the canonical event, by time of the
	// one that the time was counted from; Reason what somebody who decided it
	// gave.
	Event      string `json:"event,omitempty"`
	At         string `json:"at,omitempty"`
	Connection string `json:"connection,omitempty"`
	Reason     string `json:"reason,omitempty"`
	// Raw is the raw event behind it, and Body its beginning where it is text.
	Raw  *rawBody `json:"raw,omitempty"`
	Body string   `json:"body,omitempty"`
}

// pinnedBody is a stage set by hand.
type pinnedBody struct {
	Stage  string `json:"stage"`
	At     string `json:"at"`
	Until  string `json:"until,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// accountOfBody is the account that a person belongs to.
type accountOfBody struct {
	Key   string `json:"key"`
	Stage string `json:"stage,omitempty"`
	Found string `json:"found_at,omitempty"` // when it was found to be in its stage
}

func causeOf(x *lifecycle.Explanation, c *jobs.Cause) causeBody {
	b := causeBody{By: byEvent}
	switch {
	case x.Event == (lifecycle.EventID{}):
		b.By = byTime
		if e := c.Clock; e != nil {
			b.Event, b.At, b.Connection = string(e.Name), when(e.At), e.Connection
		}
		return b
	case c.Event == nil:
		b.By = byGone
	default:
		b.Event, b.At, b.Connection = string(c.Event.Name), when(c.Event.At), c.Event.Connection
		if c.Event.IsDecision() {
			b.By = byDecision
			b.Reason, _ = c.Event.Properties["reason"].(string)
		}
	}
	if c.Raw != nil {
		raw := rawOf(&c.Raw.InboxRow)
		b.Raw = &raw
		if utf8.Valid(c.Raw.Body) {
			b.Body = strings.ToValidUTF8(string(c.Raw.Body[:min(len(c.Raw.Body), shownCause)]), "")
		}
	}
	return b
}

// explainWhole is explain with what stands in the store about it.
func (w *Web) explainWhole(ctx context.Context, id lifecycle.ProfileID, prof *lifecycle.Profile) (explainBody, error) {
	b := w.explain(id, prof)
	x := w.registry.Config().PlanOf(id).Explain(prof, lifecycle.At(w.now()))
	c, err := w.admin.Cause(ctx, id, prof, &x)
	if err != nil {
		return b, err
	}
	cause := causeOf(&x, &c)
	b.Cause, b.RollingOut, b.Settled = &cause, c.RollingOut, c.Derived
	if x.Pin != nil {
		b.Pin = &pinnedBody{string(x.Pin.Stage), when(x.Pin.At), when(x.Pin.Until), x.Pin.Reason}
	}
	if c.Account != nil {
		b.Account = &accountOfBody{c.Account.Key, string(c.Account.Stage), when(c.Account.Found)}
	}
	return b, nil
}
