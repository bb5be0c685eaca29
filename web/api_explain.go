package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// explainBody says why a person has a stage and what is missing for others.
type explainBody struct {
	ID        string              `json:"id"`
	Stage     string              `json:"stage"`
	Since     string              `json:"since"`
	Via       string              `json:"via"`
	Condition string              `json:"condition"`
	Why       *reasonBody         `json:"why"`
	Event     string              `json:"event,omitempty"`
	Inbox     string              `json:"inbox,omitempty"`
	Until     string              `json:"until,omitempty"`
	Wanted    string              `json:"wanted,omitempty"`
	Path      string              `json:"path"`
	PathSince string              `json:"path_since"`
	Next      []outlookBody       `json:"next"`
	Segments  []segmentWhyBody    `json:"segments"`
	Scores    []scoreBody         `json:"scores"`
	NextCheck string              `json:"next_check"`
	Plan      int64               `json:"plan_version"`
	Claims    []claimBody         `json:"claims"`
	Conflicts []conflictBody      `json:"conflicts"`
	Facts     map[string]factBody `json:"facts"`
	Visits    []visitBody         `json:"visits"`
	// Lifecycles are those beside the main one that the person is in, by id.
	Lifecycles map[string]lifecycleWhyBody `json:"lifecycles"`
	leavingBody
	// Cause is what brought the person here, Pin the stage set by hand while it
	// holds, Account whom they belong to.
	Cause   *causeBody     `json:"cause"`
	Pin     *pinnedBody    `json:"pin,omitempty"`
	Account *accountOfBody `json:"account,omitempty"`
	// RollingOut: only a share of the people is under the plan so far. Settled
	// is false while this person is still to be brought to it.
	RollingOut bool `json:"rolling_out,omitempty"`
	Settled    bool `json:"settled"`
}

// leavingBody is what leads out of a segment or side stage, where that is more
// than that its condition does not hold.
type leavingBody struct {
	Leave      string      `json:"leave,omitempty"`
	LeaveWhy   *reasonBody `json:"leave_why,omitempty"`
	StaysUntil string      `json:"stays_until,omitempty"`
}

// visitBody sums up the times in one stage; Seconds counts the present visit.
type visitBody struct {
	Stage   string `json:"stage"`
	Count   int64  `json:"count"`
	First   string `json:"first"`
	Last    string `json:"last"`
	Left    string `json:"left,omitempty"`
	Seconds int64  `json:"seconds"`
	Present bool   `json:"present"`
}

// factBody counts events of one name; sums are decimal texts by currency.
type factBody struct {
	Count int64             `json:"count"`
	First string            `json:"first"`
	Last  string            `json:"last"`
	Sum   map[string]string `json:"sum,omitempty"`
}

// claimBody is a stage that a connected tool says somebody has.
type claimBody struct {
	Connection string `json:"connection"`
	Stage      string `json:"stage"`
	At         string `json:"at"`
}

// outlookBody is a stage that somebody may reach, and what is missing.
type outlookBody struct {
	Stage     string       `json:"stage"`
	Side      bool         `json:"side"`
	Condition string       `json:"condition"`
	Unmet     []reasonBody `json:"unmet"`
	Due       string       `json:"due,omitempty"`
	Blocked   string       `json:"blocked,omitempty"`
}

// segmentWhyBody says why somebody is in a segment, or is not.
type segmentWhyBody struct {
	Name      string      `json:"name"`
	In        bool        `json:"in"`
	Since     string      `json:"since,omitempty"`
	Condition string      `json:"condition"`
	Why       *reasonBody `json:"why"`
	Due       string      `json:"due,omitempty"`
	leavingBody
}

// reasonBody is a condition, or a part of one, with what it came to. Op is not,
// and or or, with the parts in Of; else Text is the part as it is written.
type reasonBody struct {
	Op    string       `json:"op,omitempty"`
	Of    []reasonBody `json:"of,omitempty"`
	Holds bool         `json:"holds"`
	Text  string       `json:"text,omitempty"`
	Value any          `json:"value,omitempty"`
	Event string       `json:"event,omitempty"`
	At    string       `json:"at,omitempty"`
	Note  string       `json:"note,omitempty"`
	Flips string       `json:"flips,omitempty"`
}

func reasonOfCondition(r *lifecycle.Reason) *reasonBody {
	if r == nil {
		return nil
	}
	b := &reasonBody{Op: r.Op, Holds: r.Holds, Text: r.Text, Value: r.Value, Event: string(r.Event), At: when(r.At), Note: r.Note, Flips: when(r.Flips)}
	for i := range r.Kids {
		b.Of = append(b.Of, *reasonOfCondition(&r.Kids[i]))
	}
	return b
}

func (w *Web) explain(id lifecycle.ProfileID, prof *lifecycle.Profile) explainBody {
	plan := w.registry.Config().PlanOf(id)
	now := lifecycle.At(w.now())
	x := plan.Explain(prof, now)
	b := explainBody{
		ID: number(int64(id)), Stage: string(x.Stage), Since: when(x.Since), Via: string(x.Via), Condition: x.Condition, Why: reasonOfCondition(x.Why),
		Inbox: number(x.Inbox), Until: when(x.Until), Wanted: string(x.Wanted), Path: string(x.Path), PathSince: when(x.PathSince),
		Next: []outlookBody{}, Segments: []segmentWhyBody{}, NextCheck: when(x.NextCheck), Plan: plan.Version(),
		Scores: scoresOf(x.Scores), Claims: []claimBody{}, Conflicts: []conflictBody{}, Facts: map[string]factBody{}, Visits: []visitBody{},
		leavingBody: leavingBody{x.Leave, reasonOfCondition(x.LeaveWhy), when(x.StaysUntil)},
	}
	if x.Event != (lifecycle.EventID{}) {
		b.Event = x.Event.String()
	}
	b.Next, b.Visits = outlooksOf(x.Next), visitsOf(&prof.Standing, now)
	b.Lifecycles = lifecyclesWhy(x.Lifecycles, prof, now)
	for _, s := range x.Segments {
		b.Segments = append(b.Segments, segmentWhyBody{string(s.Name), s.In, when(s.Since), s.Condition, reasonOfCondition(s.Why), when(s.Due),
			leavingBody{s.Leave, reasonOfCondition(s.LeaveWhy), when(s.StaysUntil)}})
	}
	for c := range prof.Claims() {
		b.Claims = append(b.Claims, claimBody{c.Connection, string(c.Stage), when(c.At)})
	}
	for c := range prof.Conflicts() {
		b.Conflicts = append(b.Conflicts, conflictOf(id, &c))
	}
	for f := range prof.Facts() {
		fact := factBody{Count: f.Count, First: when(f.First), Last: when(f.Last)}
		for _, m := range f.Sums {
			if fact.Sum == nil {
				fact.Sum = map[string]string{}
			}
			fact.Sum[m.Currency] = decimal(m.Micros)
		}
		b.Facts[string(f.Name)] = fact
	}
	return b
}

func (w *Web) apiExplain(c echo.Context) error {
	p, prof, err := w.person(c)
	if err != nil {
		return err
	}
	body, err := w.explainWhole(c.Request().Context(), p.ID, prof)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, body)
}
