package web

import "github.com/stagebridge/stagebridge/lifecycle"

// standingBody is where a person stands in a lifecycle beside the main one.
type standingBody struct {
	Stage string `json:"stage"`
	Since string `json:"since"`
}

func standingsOf(prof *lifecycle.Profile) map[string]standingBody {
	all := map[string]standingBody{}
	for l := range prof.Lifecycles() {
		if l.Stage != "" {
			all[l.ID] = standingBody{string(l.Stage), when(l.Since)}
		}
	}
	return all
}

// lifecycleWhyBody says why a person has a stage in a lifecycle beside the main
// one, as explainBody does for that.
type lifecycleWhyBody struct {
	Stage     string        `json:"stage"`
	Since     string        `json:"since"`
	Via       string        `json:"via"`
	Condition string        `json:"condition"`
	Why       *reasonBody   `json:"why"`
	Event     string        `json:"event,omitempty"`
	Inbox     string        `json:"inbox,omitempty"`
	Until     string        `json:"until,omitempty"`
	Wanted    string        `json:"wanted,omitempty"`
	Path      string        `json:"path"`
	PathSince string        `json:"path_since"`
	Next      []outlookBody `json:"next"`
	Visits    []visitBody   `json:"visits"`
	leavingBody
}

func lifecyclesWhy(all []lifecycle.Explanation, prof *lifecycle.Profile, now lifecycle.Instant) map[string]lifecycleWhyBody {
	bodies := map[string]lifecycleWhyBody{}
	for i := range all {
		x := &all[i]
		at := prof.StandingIn(x.Lifecycle)
		b := lifecycleWhyBody{
			Stage: string(x.Stage), Since: when(x.Since), Via: string(x.Via), Condition: x.Condition, Why: reasonOfCondition(x.Why), Inbox: number(x.Inbox),
			Until: when(x.Until), Wanted: string(x.Wanted), Path: string(x.Path), PathSince: when(x.PathSince), Next: outlooksOf(x.Next), Visits: visitsOf(&at, now),
			leavingBody: leavingBody{x.Leave, reasonOfCondition(x.LeaveWhy), when(x.StaysUntil)},
		}
		if x.Event != (lifecycle.EventID{}) {
			b.Event = x.Event.String()
		}
		bodies[x.Lifecycle] = b
	}
	return bodies
}

func outlooksOf(list []lifecycle.Outlook) []outlookBody {
	bodies := []outlookBody{}
	for _, o := range list {
		out := outlookBody{Stage: string(o.Stage), Side: o.Side, Condition: o.Condition, Unmet: []reasonBody{}, Due: when(o.Due), Blocked: o.Blocked}
		for i := range o.Unmet {
			out.Unmet = append(out.Unmet, *reasonOfCondition(&o.Unmet[i]))
		}
		bodies = append(bodies, out)
	}
	return bodies
}

func visitsOf(at *lifecycle.Standing, now lifecycle.Instant) []visitBody {
	bodies := []visitBody{}
	for v := range at.Visits() {
		bodies = append(bodies, visitBody{string(v.Stage), v.Count, when(v.First), when(v.Last), when(v.Left),
			int64(at.Spent(v, now).Seconds()), v.Stage == at.Stage})
	}
	return bodies
}
