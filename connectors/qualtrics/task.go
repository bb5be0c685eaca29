package qualtrics

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// contact is a person of the directory.
type contact struct {
	ID       string         `json:"contactId"`
	Other    string         `json:"id"` // a search names it so
	Email    string         `json:"email"`
	ExtRef   string         `json:"extRef"`
	First    string         `json:"firstName"`
	Last     string         `json:"lastName"`
	Phone    string         `json:"phone"`
	Language string         `json:"language"`
	Embedded map[string]any `json:"embeddedData"`
}

// task is one update on its way.
type task struct {
	u     *connectors.Update
	email string
	user  string
	// own and embedded are what has to be sent.
	own      map[string]string
	embedded map[string]string
}

func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{u: u, email: normalEmail(u.Email)}
	for _, k := range u.Keys {
		if k.Namespace == "user" && t.user == "" {
			t.user = k.Value
		}
	}
	t.need(c, u.Known)
	return t
}

func (t *task) identified() bool {
	return t.email != "" || t.user != "" || contactForm.MatchString(t.u.VendorID)
}

func (t *task) writes() bool { return len(t.own)+len(t.embedded) > 0 }

// need lists what differs from what the vendor is known to hold; with nil,
// everything.
func (t *task) need(c *Connector, known *connectors.State) {
	want := t.u.Want
	t.own, t.embedded = map[string]string{}, map[string]string{}
	all := known == nil
	if all {
		known = &connectors.State{}
	}
	if want.Stage != "" && want.Stage != known.Stage {
		t.embedded[c.stageField] = want.Stage
	}
	managed := len(want.Segments)+len(want.Absent) > 0
	if managed && (all || segmentText(want.Segments) != segmentText(known.Segments)) {
		t.embedded[c.segmentField] = segmentText(want.Segments)
	}
	for _, name := range slices.Sorted(maps.Keys(want.Traits)) {
		value := fieldText(want.Traits[name])
		held, ok := known.Traits[name]
		switch {
		case ok && fieldText(held) == value:
		case slices.Contains(own, name):
			t.own[name] = value
		default:
			t.embedded[name] = value
		}
	}
}

// change is the body that brings a contact to the desired state. It never says
// whether the person is subscribed.
func (t *task) change(c *Connector, held *contact) map[string]any {
	body := map[string]any{}
	for name, value := range t.own {
		body[name] = value
	}
	if t.email != "" && t.email != normalEmail(held.Email) {
		body["email"] = t.u.Email
	}
	if len(t.embedded) == 0 {
		return body
	}
	embedded := map[string]any{}
	if c.resend {
		for name, value := range held.Embedded {
			if value != nil {
				embedded[name] = value
			}
		}
	}
	for name, value := range t.embedded {
		embedded[name] = value
	}
	body["embeddedData"] = embedded
	return body
}

// fresh is the body of a contact that is not there yet.
func (t *task) fresh(c *Connector) map[string]any {
	body := t.change(c, &contact{})
	if t.user != "" {
		body["extRef"] = t.user
	}
	if c.unsubscribed {
		body["unsubscribed"] = true
	}
	return body
}

// segmentText is the embedded data of a set of segments. A comma stands at both
// ends, so that the filter "contains ,eu," does not find europe.
func segmentText(segments []string) string {
	if len(segments) == 0 {
		return ""
	}
	return "," + strings.Join(slices.Sorted(slices.Values(segments)), ",") + ","
}

// segmentsIn reads such a value.
func segmentsIn(value string) []string {
	all := slices.DeleteFunc(strings.Split(value, ","), func(s string) bool { return strings.TrimSpace(s) == "" })
	slices.Sort(all)
	return slices.Compact(all)
}

// fieldText is a value as a contact holds it: text. Nothing clears it.
func fieldText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any, map[string]any:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(b)
	}
	return fmt.Sprint(value)
}
