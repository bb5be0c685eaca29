// Package live computes reports from what is stored, person by person. The
// arithmetic is in reports, reports/stats and reports/clv; this is where people
// and events become the counts that it works on.
package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
	"github.com/stagebridge/stagebridge/store"
)

// DefaultPurchase is the event that counts as a purchase unless others are named.
const DefaultPurchase = lifecycle.EventName("Order:Completed")

// Options of a report. The zero value looks at everybody and all time.
type Options struct {
	// From and To bound the events looked at, From included and To not. For the
	// funnel they bound the entry into the path instead.
	From, To lifecycle.Instant
	// Connection keeps only events that it told of; empty: all.
	Connection string
	// Source keeps only people of whom this connection told first; empty:
	// everybody.
	Source string
	// Segment keeps only people who are in it now; empty: everybody.
	Segment lifecycle.Segment
	// Account keeps only people who belong to it now, by its key, such as
	// domain:example.com; empty: everybody.
	Account string
	// Lifecycle is the further lifecycle of the plan whose stages a report is
	// about; empty: the main one.
	Lifecycle string
	// Plan keeps only people whom this version of the plan placed last; zero: everybody.
	Plan int64
	// Person keeps only one; zero: everybody.
	Person lifecycle.ProfileID
	// Events are those that count as purchases or as being back; empty:
	// DefaultPurchase.
	Events []lifecycle.EventName
	// Currency of amounts. Amounts in others are left out and said so. Empty: the
	// currency with the most purchases.
	Currency string
	Unit     stats.Unit          // of cohorts; empty: month
	Kind     stats.RetentionKind // empty: bounded
	// Window is how long after the time of a stage that of the next one counts in
	// the funnel, and how long a purchase makes a customer.
	Window time.Duration
	// Horizon is how many weeks ahead value is counted; zero: 52.
	Horizon int
	Zone    *time.Location    // of calendar days; nil: that of the plan
	Now     lifecycle.Instant // the end of observation where To is open
	// Settings are what only some reports read.
	Settings
	// PlanOf gives the plan that somebody is under; nil: everybody is under the
	// one in force.
	PlanOf summary.PlanOf
	// Progress is told now and then how many people were looked at.
	Progress func(people int64)

	// stages are those of the lifecycle, in the order of the plan.
	stages []lifecycle.StageInfo
	// looked is at how many people the report has looked, kept or not.
	looked int64
	// firstDay and lastDay are From and To as they were asked for, and planned
	// says that the zone is the plan's.
	firstDay, lastDay string
	planned           bool
}

// Report is the answer.
type Report struct {
	Name string `json:"name"`
	// Definition says in words what was counted and divided.
	Definition string `json:"definition"`
	// AsOf is the moment that the figures are true for.
	AsOf time.Time `json:"as_of"`
	// People is how many were looked at.
	People int64    `json:"people"`
	Notes  []string `json:"notes"`
	Tables []Table  `json:"tables"`
	// Data is the same with full precision.
	Data any `json:"data"`
}

// Table is a part of it for people to read. A row has a text per column.
type Table struct {
	Title   string     `json:"title"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// counter gathers what one report is about.
type counter interface {
	// take looks at a person with the events that count and that the filter by
	// connection lets through; the period is the counter's own concern. What it
	// keeps of the person's lists it copies.
	take(p *summary.Person) error
	// report turns what was gathered into the answer.
	report(ctx context.Context, r *Report) error
}

// Info is one report that there is.
type Info struct {
	Name, Summary string
	// path says that it is about stages, which all events and decisions lead to.
	path bool
	make func(plan *lifecycle.Plan, o *Options) counter
}

// Reports lists them by name.
func Reports() []Info {
	all := []Info{
		{"clv", "what customers are still worth: BG/NBD and Gamma-Gamma, P(alive), expected purchases", false, newCLV},
		{"cohorts", "who comes back, by the period of the first purchase", false, newCohorts},
		{"concentration", "how much of the revenue comes from how few customers: Pareto, Gini", false, newConcentration},
		{"funnel", "how far people come along the path, with intervals", true, newFunnel},
		{"rfm", "recency, frequency and monetary value in fifths, with honest ties", false, newRFM},
		{"stay", "how long people stay in each stage, open stays counted as such (Kaplan-Meier)", true, newStay},
	}
	all = append(all, moreReports()...)
	slices.SortFunc(all, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Errors a caller branches on: there is no report of a name; people have to be
// summed up first, see summary.Keeper.
var (
	ErrUnknown  = errors.New("live: there is no such report")
	ErrNotBuilt = summary.ErrNotBuilt
)

// toldEvery is how many people Options.Progress is told about once for.
const toldEvery = 10_000

// wanter is a counter that does with less than everything that summaries have.
type wanter interface{ want() summary.Want }

// infoOf finds a report that the options have a meaning for.
func (o *Options) infoOf(name string) (Info, error) {
	i := slices.IndexFunc(Reports(), func(x Info) bool { return x.Name == name })
	if i < 0 {
		return Info{}, fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	info := Reports()[i]
	switch {
	case o.Connection == "":
	case info.path:
		return Info{}, &FieldError{"connection", "has no meaning for " + name + ": a stage follows from what all connections told"}
	case name == "churn" && o.Basis == BasisStage:
		return Info{}, &FieldError{"connection", "has no meaning for churn with the basis stage: a stage follows from what all connections told; source keeps people of whom one told first"}
	}
	if _, err := stats.ParseUnit(string(o.By)); err == nil && name != "funnel" {
		return Info{}, &FieldError{"by", "is a period, which has a meaning for funnel only"}
	}
	return info, o.checkLifecycle(name)
}

// Check tells whether there is a report of a name that the options have a
// meaning for, without computing it: ErrUnknown or a *FieldError, where it is
// known beforehand.
func (o *Options) Check(name string) error {
	_, err := o.infoOf(name)
	return err
}

// Run computes a report from the summaries of people.
func Run(ctx context.Context, s *store.Store, plan *lifecycle.Plan, name string, o Options) (*Report, error) {
	info, err := o.infoOf(name)
	if err != nil {
		return nil, err
	}
	if err := o.fillStages(plan); err != nil {
		return nil, err
	}
	if err := o.under(plan); err != nil {
		return nil, err
	}
	o.fill()
	if o.PlanOf == nil {
		o.PlanOf = func(lifecycle.ProfileID) *lifecycle.Plan { return plan }
	}
	c, want := info.make(plan, &o), summary.All()
	if w, ok := c.(wanter); ok {
		want = w.want()
	}
	want.Courses = o.Lifecycle != ""
	r := &Report{Name: name, Notes: []string{}, Tables: []Table{}}
	fresh, err := summary.Each(ctx, s, o.PlanOf, o.Now, want, func(p *summary.Person) error { return o.one(c, r, p) })
	if err != nil {
		return nil, fmt.Errorf("live: %s: %w", name, err)
	}
	r.AsOf = fresh.AsOf.Time()
	if fresh.Waiting > 0 {
		r.note("up to %d people changed since %s; the figures are those of then", fresh.Waiting, r.AsOf.Format(time.RFC3339))
	}
	o.sayZone(r)
	if o.Lifecycle != "" {
		r.note("stages are those of the lifecycle %s", o.Lifecycle)
	}
	if err := c.report(ctx, r); err != nil {
		return nil, fmt.Errorf("live: %s: %w", name, err)
	}
	return r, nil
}

// fill sets what was left out.
func (o *Options) fill() {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Unit == "" {
		o.Unit = stats.Month
	}
	if o.Kind == "" {
		o.Kind = stats.Bounded
	}
	if o.Horizon == 0 {
		o.Horizon = 52
	}
	o.chosen = slices.Clone(o.Events)
	if len(o.Events) == 0 {
		o.Events = []lifecycle.EventName{DefaultPurchase}
	}
}

// end is the end of observation.
func (o *Options) end() lifecycle.Instant {
	if o.To != 0 && o.To < o.Now {
		return o.To
	}
	return o.Now
}

// one counts a person where the filters let them through.
func (o *Options) one(c counter, r *Report, p *summary.Person) error {
	if o.looked++; o.Progress != nil && o.looked%toldEvery == 0 {
		o.Progress(o.looked)
	}
	if !o.keeps(p) {
		return nil
	}
	r.People++
	if o.Connection != "" {
		p.Events = slices.DeleteFunc(p.Events, func(e summary.Event) bool { return e.Connection != o.Connection })
	}
	if o.Lifecycle != "" {
		p.Follow(o.Lifecycle)
	}
	if err := c.take(p); err != nil {
		return fmt.Errorf("person %d: %w", p.ID, err)
	}
	return nil
}

// keeps tells whether the filters on people let somebody through.
func (o *Options) keeps(p *summary.Person) bool {
	return (o.Segment == "" || p.In(o.Segment)) && (o.Account == "" || p.Account == o.Account) && (o.Source == "" || p.Source == o.Source) &&
		(o.Plan == 0 || p.PlanVersion == o.Plan) && (o.Person == 0 || p.ID == o.Person)
}

// counts tells whether an event is one of those asked for, in the period.
func (o *Options) counts(e *summary.Event) bool {
	return slices.Contains(o.Events, e.Name) && e.At >= o.From && e.At < o.end()
}

// percent writes a share.
func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// amount writes micros of a currency.
func amount(micros int64, currency string) string {
	return fmt.Sprintf("%.2f %s", float64(micros)/1e6, currency)
}

// days writes a time in days.
func days(d time.Duration) string { return fmt.Sprintf("%.1f", d.Hours()/24) }

func number[T ~int | ~int64](n T) string { return fmt.Sprint(int64(n)) }
