package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// governancePage answers: what comes in that does not fit the plan?
type governancePage struct {
	// Connection and Class narrow the page; empty: everything.
	Connection, Class string
	Connections       []string
	Groups            []violationGroup
	// More: only the first of them were read.
	More bool
	// Release is the newest judging again; nil: never yet.
	Release *workRow
}

// violationGroup is what was found of one class, the most frequent first.
type violationGroup struct {
	Class string
	Count int64
	// Parks: events of it are quarantined, so that there is something to release.
	Parks bool
	Rows  []store.Violation
}

// shownViolations is how many a page reads.
const shownViolations = 300

func (w *Web) governancePage(c echo.Context) error {
	f, err := violationFilter(c)
	if err != nil {
		return err
	}
	body, err := w.governanceOf(c.Request().Context(), f)
	if err != nil {
		return err
	}
	return w.render(c, http.StatusOK, "governance", "Governance", body)
}

func (w *Web) governanceOf(ctx context.Context, f store.ViolationFilter) (governancePage, error) {
	body := governancePage{Connection: f.Connection, Class: string(f.Class), Connections: w.registry.IDs()}
	f.Limit = shownViolations
	all, next, err := w.admin.Violations(ctx, f)
	if err != nil {
		return body, err
	}
	body.Groups, body.More = groupViolations(all), next != ""
	newest, err := w.store.Works(ctx, store.WorkFilter{Kind: jobs.WorkRelease, Limit: 1})
	if err == nil && len(newest) > 0 {
		row := w.workRow(&newest[0])
		body.Release = &row
	}
	return body, err
}

func groupViolations(all []store.Violation) []violationGroup {
	var groups []violationGroup
	at := map[lifecycle.ViolationClass]int{}
	for i := range all {
		v := all[i]
		n, there := at[v.Class]
		if !there {
			n = len(groups)
			at[v.Class], groups = n, append(groups, violationGroup{Class: string(v.Class)})
		}
		g := &groups[n]
		g.Count, g.Rows, g.Parks = g.Count+v.Count, append(g.Rows, v), g.Parks || v.Action == lifecycle.Quarantine
	}
	for i := range groups {
		slices.SortFunc(groups[i].Rows, func(a, b store.Violation) int { return cmp.Compare(b.Count, a.Count) })
	}
	slices.SortFunc(groups, func(a, b violationGroup) int { return cmp.Compare(b.Count, a.Count) })
	return groups
}

// releaseForm has parked raw events judged again.
func (w *Web) releaseForm(c echo.Context) error {
	class, err := classOf(c.FormValue("class"))
	if err != nil {
		return err
	}
	f := jobs.ReleaseFilter{Connection: c.FormValue("connection"), Class: class}
	if _, _, err := w.admin.Release(c.Request().Context(), f, author(c), false); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/plan/governance")
}
