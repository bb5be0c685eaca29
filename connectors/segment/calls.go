package segment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// maxMessageID is how long Segment lets a messageId be, in bytes.
const maxMessageID = 100

// Names of the track calls that we send. Another Stagebridge reads the first.
const (
	eventStage    = "Lifecycle Stage Changed"
	eventSegments = "Lifecycle Segments Changed"
)

// person is how Segment knows somebody: one of the two is set.
type person struct {
	userID, anonymousID string
}

// outgoing is one call as the tracking API reads it.
type outgoing struct {
	Type        string         `json:"type"`
	MessageID   string         `json:"messageId"`
	UserID      string         `json:"userId,omitempty"`
	AnonymousID string         `json:"anonymousId,omitempty"`
	GroupID     string         `json:"groupId,omitempty"`
	Event       string         `json:"event,omitempty"`
	Timestamp   string         `json:"timestamp"`
	Traits      map[string]any `json:"traits,omitempty"`
	Properties  map[string]any `json:"properties,omitempty"`
	Context     map[string]any `json:"context"`

	// moves of the person that have arrived once this call has.
	moves int
}

// identify finds what Segment knows a person by: the product's own user id,
// else the anonymous id, else the address where that is wanted.
func (c *Connector) identify(u *connectors.Update) (person, *connectors.Result) {
	of := func(namespace string) string {
		i := slices.IndexFunc(u.Keys, func(k lifecycle.Key) bool { return k.Namespace == namespace })
		if i < 0 {
			return ""
		}
		return u.Keys[i].Value
	}
	if id := of(lifecycle.NamespaceUser); id != "" {
		return person{userID: id}, nil
	}
	if id := of(lifecycle.NamespaceAnonymous); id != "" {
		return person{anonymousID: id}, nil
	}
	switch {
	case !c.byEmail || u.Email == "":
		return person{}, &connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither a user id nor an anonymous id is known"}
	case !c.cfg.Push.Create:
		return person{}, &connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "only an e-mail address is known, and push.create is off"}
	}
	return person{userID: u.Email}, nil
}

// calls gives what to send about a person, in order; nil when there is nothing.
func (c *Connector) calls(u *connectors.Update, who person) []outgoing {
	var all []outgoing
	now := stamp(c.cfg.Now())
	if traits := c.changed(u); len(traits) > 0 {
		if u.Email != "" {
			traits["email"] = u.Email
		}
		all = append(all, c.call("identify", "i-"+u.ID, who, now))
		all[0].Traits = traits
		if account := accountID(u.Want.Traits[c.groupTrait]); c.groupTrait != "" && account != "" {
			group := c.call("group", "g-"+u.ID, who, now)
			group.GroupID = account
			if u.Want.Stage != "" {
				group.Traits = map[string]any{c.stageTrait: u.Want.Stage}
			}
			all = append(all, group)
		}
	}
	for i, m := range u.Moves {
		call := c.call("track", "t-"+m.ID, who, stamp(m.At.Time()))
		call.Event, call.moves = eventSegments, i+1
		call.Properties = map[string]any{"kind": m.Kind, "sequence": m.Seq}
		if m.From != m.To {
			call.Event = eventStage
			call.Properties["from"], call.Properties["to"] = m.From, m.To
		}
		for name, segments := range map[string][]string{"entered": m.Entered, "exited": m.Exited} {
			if len(segments) > 0 {
				call.Properties[name] = segments
			}
		}
		all = append(all, call)
	}
	return all
}

func (c *Connector) call(kind, id string, who person, at string) outgoing {
	id = c.mark + id
	if len(id) > maxMessageID {
		sum := sha256.Sum256([]byte(id))
		id = c.mark + hex.EncodeToString(sum[:16])
	}
	return outgoing{
		Type: kind, MessageID: id, UserID: who.userID, AnonymousID: who.anonymousID, Timestamp: at,
		Context: map[string]any{"library": map[string]string{"name": library}},
	}
}

// changed gives the traits that Segment is not known to hold.
func (c *Connector) changed(u *connectors.Update) map[string]any {
	traits := map[string]any{}
	known := u.Known
	if known == nil {
		known = &connectors.State{}
	}
	if stage := u.Want.Stage; stage != "" && stage != known.Stage {
		traits[c.stageTrait] = stage
		if u.Want.Since != 0 {
			traits[c.stageTrait+sinceSuffix] = stamp(u.Want.Since.Time())
		}
	}
	for _, name := range u.Want.Segments {
		if !slices.Contains(known.Segments, name) {
			traits[c.prefix+name] = true
		}
	}
	for _, name := range u.Want.Absent {
		if !slices.Contains(known.Absent, name) {
			traits[c.prefix+name] = false
		}
	}
	for name, value := range u.Want.Traits {
		if was, held := known.Traits[name]; !held || !sameValue(was, value) {
			traits[name] = value
		}
	}
	return traits
}

// accountID gives an account's id as text; "" for what is none.
func accountID(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case int64:
		return strconv.FormatInt(x, 10)
	}
	return ""
}

// stamp writes a time as ISO 8601 with milliseconds, as Segment's libraries do.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// sameValue compares values as a person would: what is known was stored as JSON
// in between, so that 3 may have become 3.0.
func sameValue(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}
