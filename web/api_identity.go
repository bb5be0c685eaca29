package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// identityBody tells why a person's keys are one person's.
type identityBody struct {
	ID       string         `json:"id"`
	Keys     []keyBody      `json:"keys"`
	Joins    []joinBody     `json:"joins"`
	Absorbed []absorbedBody `json:"absorbed"`
	// Partial: so many are contested with the person that not all were read.
	Partial bool `json:"partial"`
}

// keyBody is a key with the earliest event that names it.
type keyBody struct {
	Key   string `json:"key"`
	Class string `json:"class"` // strong, medium, weak
	evidenceBody
}

// joinBody is what brought a key to the person of another.
type joinBody struct {
	Key   string `json:"key"`
	With  string `json:"with"`
	Class string `json:"class"` // strong, medium, weak; decided by a person
	evidenceBody
	Reason string `json:"reason,omitempty"`
}

// evidenceBody is an event that tells something about who a person is.
type evidenceBody struct {
	At         string `json:"at,omitempty"`
	Event      string `json:"event,omitempty"`
	Name       string `json:"name,omitempty"`
	Connection string `json:"connection,omitempty"`
	Inbox      string `json:"inbox,omitempty"`
}

// absorbedBody is somebody who became this person.
type absorbedBody struct {
	ID string `json:"id"`
	evidenceBody
}

func evidenceOf(e *lifecycle.Event) evidenceBody {
	if e == nil {
		return evidenceBody{}
	}
	return evidenceBody{At: when(e.At), Event: e.ID.String(), Name: string(e.Name), Connection: e.Connection, Inbox: number(e.Inbox)}
}

// apiIdentity tells where the person's keys come from and what joined them.
func (w *Web) apiIdentity(c echo.Context) error {
	p, _, err := w.person(c)
	if err != nil {
		return err
	}
	x, err := w.admin.Provenance(c.Request().Context(), p.ID)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, identityOf(p.ID, x))
}

func identityOf(id lifecycle.ProfileID, x *jobs.Provenance) identityBody {
	b := identityBody{ID: number(int64(id)), Keys: []keyBody{}, Joins: []joinBody{}, Absorbed: []absorbedBody{}, Partial: x.Partial}
	for _, k := range x.Keys {
		b.Keys = append(b.Keys, keyBody{k.Key.String(), string(k.Class), evidenceOf(k.Event)})
	}
	for _, j := range x.Joined {
		one := joinBody{Key: j.Key.String(), With: j.With.String(), Class: string(j.Class), evidenceBody: evidenceOf(j.Event)}
		if j.Decision != lifecycle.Observed {
			one.Class = "decided"
			if j.Event != nil {
				one.Reason, _ = j.Event.Properties["reason"].(string)
			}
		}
		b.Joins = append(b.Joins, one)
	}
	for _, m := range x.Absorbed {
		one := absorbedBody{ID: number(int64(m.Loser)), evidenceBody: evidenceBody{At: when(m.At), Inbox: number(m.Inbox)}}
		if m.Event != (lifecycle.EventID{}) {
			one.Event = m.Event.String()
		}
		b.Absorbed = append(b.Absorbed, one)
	}
	return b
}
