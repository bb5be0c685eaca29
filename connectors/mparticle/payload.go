package mparticle

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// eventStage is the event that we send beside a new stage.
const eventStage = "Lifecycle Stage Changed"

// maxAge is how old an event may be; older ones belong to the historical
// endpoint, which forwards nothing
// (https://docs.mparticle.com/developers/apis/http/, read November 2026).
const maxAge = 29 * 24 * time.Hour

// outBatch is one person as the Events API reads it.
type outBatch struct {
	Environment string            `json:"environment"`
	RequestID   string            `json:"source_request_id"`
	MPID        int64             `json:"mpid,omitempty"`
	Identities  map[string]string `json:"user_identities,omitempty"`
	Attributes  map[string]any    `json:"user_attributes,omitempty"`
	Deleted     []string          `json:"deleted_user_attributes,omitempty"`
	Events      []outEvent        `json:"events,omitempty"`
}

type outEvent struct {
	Type string  `json:"event_type"`
	Data outData `json:"data"`
}

type outData struct {
	Name     string            `json:"event_name"`
	Kind     string            `json:"custom_event_type"`
	SourceID string            `json:"source_message_id"`
	At       int64             `json:"timestamp_unixtime_ms"`
	Custom   map[string]string `json:"custom_attributes"`
}

func (b *outBatch) empty() bool { return len(b.Attributes) == 0 && len(b.Deleted) == 0 }

// written lists the attributes as the webhook reports them back; nil where the
// mpid, by which it does, is not known.
func (b *outBatch) written(mpid string) []connectors.Field {
	if mpid == "" {
		return nil
	}
	var all []connectors.Field
	for _, name := range slices.Sorted(maps.Keys(b.Attributes)) {
		raw, err := json.Marshal(b.Attributes[name])
		if err != nil {
			continue
		}
		all = append(all, connectors.Field{Record: mpid, Name: name, Value: valueText(raw)})
	}
	for _, name := range b.Deleted {
		all = append(all, connectors.Field{Record: mpid, Name: name})
	}
	return all
}

// batchOf writes what mParticle is not known to hold of a person.
func (c *Connector) batchOf(u *connectors.Update) (*outBatch, *connectors.Result) {
	b := &outBatch{Environment: c.environment, RequestID: c.mark + "_" + u.ID, Attributes: map[string]any{}}
	if skipped := c.identify(b, u); skipped != nil {
		return nil, skipped
	}
	known := u.Known
	if known == nil {
		known = &connectors.State{}
	}
	if stage := u.Want.Stage; stage != "" && stage != known.Stage {
		b.Attributes[c.stage] = stage
		if u.Want.Since != 0 {
			b.Attributes[c.stage+sinceSuffix] = u.Want.Since.Time().Format("2006-01-02T15:04:05.000Z")
		}
		if u.Known != nil {
			b.Events = []outEvent{c.moved(u)}
		}
	}
	managed := len(u.Want.Segments) + len(u.Want.Absent)
	if managed > 0 && (u.Known == nil || !slices.Equal(u.Want.Segments, known.Segments)) {
		b.set(c.segments, u.Want.Segments)
		if len(u.Want.Segments) == 0 {
			// An empty list is no value of an attribute.
			b.set(c.segments, nil)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(u.Want.Traits)) {
		value := u.Want.Traits[name]
		if was, held := known.Traits[name]; !held || !sameValue(was, value) {
			b.set(name, value)
		}
	}
	return b, nil
}

// set writes an attribute; nil removes it.
func (b *outBatch) set(name string, value any) {
	delete(b.Attributes, name)
	if value == nil {
		b.Deleted = append(b.Deleted, name)
		return
	}
	b.Attributes[name] = value
}

// identify says whose batch it is. The mpid stands alone where it is known,
// since identities beside it must agree with what mParticle has.
func (c *Connector) identify(b *outBatch, u *connectors.Update) *connectors.Result {
	if mpid, err := strconv.ParseInt(u.VendorID, 10, 64); err == nil && mpid != 0 {
		b.MPID = mpid
		return nil
	}
	identities := identitiesFor(u)
	switch {
	case len(identities) == 0:
		return &connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither an mpid nor a customer id nor an e-mail address is known"}
	case !c.cfg.Push.Create:
		return &connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "no mpid is known, and push.create is off"}
	}
	b.Identities = identities
	return nil
}

func identitiesFor(u *connectors.Update) map[string]string {
	identities := map[string]string{}
	if i := slices.IndexFunc(u.Keys, func(k lifecycle.Key) bool { return k.Namespace == lifecycle.NamespaceUser }); i >= 0 {
		identities["customer_id"] = u.Keys[i].Value
	}
	if u.Email != "" {
		identities["email"] = u.Email
	}
	return identities
}

// moved is the event of a new stage.
func (c *Connector) moved(u *connectors.Update) outEvent {
	at, now := u.Want.Since.Time(), c.now()
	if u.Want.Since == 0 || at.After(now) || now.Sub(at) > maxAge {
		at = now
	}
	e := outEvent{Type: "custom_event", Data: outData{
		Name: eventStage, Kind: "other", SourceID: uuid(c.mark, "event", u.ID), At: at.UnixMilli(),
		Custom: map[string]string{"to": u.Want.Stage, "sb_source": c.mark},
	}}
	if u.Known.Stage != "" {
		e.Data.Custom["from"] = u.Known.Stage
	}
	return e
}

// uuid derives an id in the form of a random UUID, the same for the same parts.
func uuid(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	t := hex.EncodeToString(b)
	return t[:8] + "-" + t[8:12] + "-" + t[12:16] + "-" + t[16:20] + "-" + t[20:]
}

// sameValue compares values as a person would: what is known was stored as JSON
// in between, so that 3 may have become 3.0.
func sameValue(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}
