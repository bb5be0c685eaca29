package web

import (
	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/live"
)

// reportFilter is one field of the form. One with Options is chosen from a list,
// of which an empty choice is called Empty.
type reportFilter struct {
	Name, Label, Value string
	Type               string
	Options            []string
	Empty              string
	// Help is what the option means, as the command tells it; it stands beside a
	// field that folds.
	Help  string
	Folds bool
}

// reportForm is what a report can be asked: Filters stand open, and More folds
// unless something in it is given.
type reportForm struct {
	Filters, More []reportFilter
	Open          bool
}

// reportForm makes the form out of the options that the report says it reads, so
// that none is missing.
func (w *Web) reportForm(c echo.Context, name string) reportForm {
	plan, ids := w.registry.Config().Plan, w.registry.IDs()
	var form reportForm
	for _, x := range live.OptionsOf(name) {
		f := reportFilter{Name: x.Name, Label: reportLabel(x.Name), Value: c.QueryParam(x.Name), Type: "text", Options: x.Choices, Empty: "as usual", Help: x.Help}
		switch x.Name {
		case "from", "to":
			f.Type = "date"
		case "plan", "person", "window", "weeks", "lookback", "halflife":
			f.Type = "number"
		case "segment":
			f.Options, f.Empty = segmentNames(plan), "all"
		case "connection", "source":
			f.Options, f.Empty = ids, "all"
		case "lifecycle":
			if f.Options = lifecycleIDs(plan); len(f.Options) == 0 {
				continue // there is but the main one
			}
		case "stage":
			f.Options, f.Empty = stageNames(plan), "each"
		}
		switch {
		case x.Name == "by" && name == "funnel":
			f.Label, f.Empty = "Cohorts by", "none"
		case x.Name == "window" && name != "funnel":
			f.Label = "Days that a purchase counts"
		}
		if len(f.Options) > 0 || len(x.Choices) > 0 || f.Empty != "as usual" {
			f.Type = ""
		}
		if standsOpen(x.Name) {
			form.Filters = append(form.Filters, f)
			continue
		}
		f.Folds = true
		form.Open = form.Open || f.Value != ""
		form.More = append(form.More, f)
	}
	return form
}

// standsOpen tells which options are asked for most.
func standsOpen(name string) bool {
	switch name {
	case "from", "to", "segment", "source", "lifecycle", "connection", "unit", "currency":
		return true
	}
	return false
}

// reportLabel calls an option in a word or two; an option without one has its
// own name.
func reportLabel(name string) string {
	labels := map[string]string{
		"from": "From", "to": "To, not included", "zone": "Time zone", "unit": "Periods", "kind": "Back", "events": "Events, with commas", "segment": "Segment",
		"account": "Account", "lifecycle": "Lifecycle", "connection": "Told by", "source": "First told by", "plan": "Plan version", "person": "Person",
		"currency": "Currency", "window": "Days to move in", "weeks": "Weeks ahead", "rates": "Rates", "counting": "Counted", "won": "Events that win, with commas",
		"touches": "Touches, with commas", "by": "Touches by", "start": "Begins with", "basis": "A customer has a", "stages": "Stages, with commas",
		"stage": "Moves to", "group": "Compared", "lookback": "Days before", "halflife": "Half-life in days", "score": "Lead score from", "hours": "Business hours",
		"spend": "Spent on winning", "margin": "Margin", "discount": "Discount a year",
	}
	if label, ok := labels[name]; ok {
		return label
	}
	return name
}

func segmentNames(plan *lifecycle.Plan) (names []string) {
	for _, s := range plan.Segments() {
		names = append(names, string(s.Name))
	}
	return names
}

func stageNames(plan *lifecycle.Plan) (names []string) {
	for _, s := range plan.StageNames() {
		names = append(names, string(s))
	}
	return names
}

// lifecycleIDs names the plan's further lifecycles.
func lifecycleIDs(plan *lifecycle.Plan) (ids []string) {
	for _, l := range plan.Lifecycles() {
		ids = append(ids, l.ID)
	}
	return ids
}
