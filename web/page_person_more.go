package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// personMore is what folds on the page of a person.
type personMore struct {
	// Account is the key of the account that they belong to; empty for none.
	Account string
	Keys    []shownKey
	Visits  []shownVisit
	Claims  []lifecycle.Claim
	// Conflicts are the newest first.
	Conflicts  []lifecycle.Conflict
	Lifecycles []shownLifecycle
}

// shownKey is a key with its class: strong, medium or weak.
type shownKey struct{ Key, Class string }

// shownVisit sums up the times in one stage; Spent counts the present visit.
type shownVisit struct {
	lifecycle.Visit
	Spent   string
	Present bool
}

// shownLifecycle is one of the plan's further lifecycles and where the person
// stands in it; Explain is of no stage where they are not in it.
type shownLifecycle struct {
	ID, About string
	Explain   lifecycle.Explanation
	Stages    []lifecycle.Stage
	Pinned    bool
	Visits    []shownVisit
}

func (w *Web) personMore(c echo.Context, p *store.Person, prof *lifecycle.Profile, x *lifecycle.Explanation) (personMore, error) {
	cfg, now := w.registry.Config(), lifecycle.At(w.now())
	m := personMore{Visits: shownVisits(&prof.Standing, now), Claims: slices.Collect(prof.Claims()), Conflicts: slices.Collect(prof.Conflicts())}
	slices.SortStableFunc(m.Conflicts, func(a, b lifecycle.Conflict) int { return cmp.Compare(b.At, a.At) })
	for _, text := range p.Keys {
		space, value, _ := strings.Cut(text, ":")
		m.Keys = append(m.Keys, shownKey{text, string(cfg.Guards.Class(lifecycle.Key{Namespace: space, Value: value}))})
	}
	plan := cfg.PlanOf(p.ID)
	for _, l := range plan.Lifecycles() {
		at := prof.StandingIn(l.ID)
		one := shownLifecycle{ID: l.ID, About: l.About, Stages: plan.StageNamesOf(l.ID), Visits: shownVisits(&at, now)}
		if i := slices.IndexFunc(x.Lifecycles, func(o lifecycle.Explanation) bool { return o.Lifecycle == l.ID }); i >= 0 {
			one.Explain = x.Lifecycles[i]
			one.Pinned = one.Explain.Via == lifecycle.ViaPin
		}
		m.Lifecycles = append(m.Lifecycles, one)
	}
	var err error
	m.Account, err = w.store.AccountOf(c.Request().Context(), p.ID)
	return m, err
}

func shownVisits(at *lifecycle.Standing, now lifecycle.Instant) []shownVisit {
	var all []shownVisit
	for v := range at.Visits() {
		all = append(all, shownVisit{v, lasting(at.Spent(v, now)), v.Stage == at.Stage})
	}
	return all
}

// personKeysPage answers: where do this person's keys come from, and what made
// them one person's?
type personKeysPage struct {
	ID    string
	Title string
	jobs.Provenance
	Joins []shownJoin
}

// shownJoin is what brought a key to the person of another. Decided says that
// somebody did it by hand, and Reason why.
type shownJoin struct {
	jobs.JoinOrigin
	Decided bool
	Reason  string
}

func (w *Web) personKeysPage(c echo.Context) error {
	p, _, err := w.person(c)
	if err != nil {
		return err
	}
	x, err := w.admin.Provenance(c.Request().Context(), p.ID)
	if err != nil {
		return err
	}
	body := personKeysPage{ID: number(int64(p.ID)), Title: "Person " + number(int64(p.ID)), Provenance: *x}
	if len(p.Keys) > 0 {
		body.Title = p.Keys[0]
	}
	for _, j := range x.Joined {
		one := shownJoin{JoinOrigin: j, Decided: j.Decision != lifecycle.Observed}
		if one.Decided && j.Event != nil {
			one.Reason, _ = j.Event.Properties["reason"].(string)
		}
		body.Joins = append(body.Joins, one)
	}
	return w.render(c, http.StatusOK, "person_keys", "Keys of "+body.Title, body)
}
