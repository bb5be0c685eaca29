package live

import (
	"context"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// answers counts scores, at i those of i points; CSAT and CES begin at 1.
type answers struct {
	nps  [11]int64
	csat [6]int64
	ces  [8]int64
}

// surveyCounter counts the answers to surveys.
type surveyCounter struct {
	o       *Options
	plan    *lifecycle.Plan
	cal     *calendar
	all     answers
	periods []answers
	stages  map[lifecycle.Stage]*answers
	outside int64 // answers with a score off the scale
	unkind  int64 // answers of no kind that has a scale
}

func newSurveys(plan *lifecycle.Plan, o *Options) counter {
	cal := newCalendar(o, o.Unit)
	return &surveyCounter{o: o, plan: plan, cal: cal, periods: make([]answers, cal.len()), stages: map[lifecycle.Stage]*answers{}}
}

func (c *surveyCounter) take(p *summary.Person) error {
	for i := range p.Events {
		e := &p.Events[i]
		if e.Name != "Survey:Answered" || e.At < c.o.From || e.At >= c.o.end() {
			continue
		}
		kind := e.Property("kind")
		if kind != "nps" && kind != "csat" && kind != "ces" {
			c.unkind++
			continue
		}
		score, ok := e.Number("score")
		if !ok || score != float64(int(score)) || !c.all.count(kind, int(score)) {
			c.outside++
			continue
		}
		if n := c.cal.index(e.At); n >= 0 {
			c.periods[n].count(kind, int(score))
		}
		stage := stageBefore(p, e.At)
		if c.stages[stage] == nil {
			c.stages[stage] = &answers{}
		}
		c.stages[stage].count(kind, int(score))
	}
	return nil
}

// count adds an answer; false where the scale does not have the score.
func (a *answers) count(kind string, score int) bool {
	scale, least := a.nps[:], 0
	switch kind {
	case "csat":
		scale, least = a.csat[:], 1
	case "ces":
		scale, least = a.ces[:], 1
	}
	if score < least || score >= len(scale) {
		return false
	}
	scale[score]++
	return true
}

// SurveyLine is one line of the report surveys.
type SurveyLine struct {
	Name string       `json:"name"` // a period, a stage, or all
	NPS  stats.NPS    `json:"nps"`
	CSAT reports.Rate `json:"csat"`
	// CES is the mean, of so many answers.
	CES        stats.Share `json:"ces"`
	CESAnswers int64       `json:"ces_answers"`
}

// SurveyReport is the data of the report surveys.
type SurveyReport struct {
	All     SurveyLine   `json:"all"`
	Periods []SurveyLine `json:"periods"`
	Stages  []SurveyLine `json:"stages"`
}

func newSurveyLine(name string, a *answers) (SurveyLine, error) {
	l := SurveyLine{Name: name}
	var err error
	if l.NPS, err = stats.NewNPS(a.nps); err != nil {
		return l, err
	}
	if l.CSAT, err = stats.CSAT([5]int64(a.csat[1:])); err != nil {
		return l, err
	}
	for _, n := range a.ces {
		l.CESAnswers += n
	}
	l.CES.Value, l.CES.Known, err = stats.CES(a.ces[1:])
	return l, err
}

func (c *surveyCounter) report(_ context.Context, r *Report) error {
	r.Definition = "NPS = " + stats.NPSFormula + "; CSAT = " + stats.CSATFormula + "; CES = " + stats.CESFormula + " on a scale of 1 to 7"
	r.note("every Survey:Answered of kind nps, csat or ces with a score counts, several of one person too; stages are those held just before")
	if c.outside > 0 {
		r.note("%d answers are left out: they have no whole score on their scale (nps 0 to 10, csat 1 to 5, ces 1 to 7)", c.outside)
	}
	if c.unkind > 0 {
		r.note("%d answers to surveys of other kinds are left out", c.unkind)
	}
	c.cal.say(r)
	d := SurveyReport{Periods: []SurveyLine{}, Stages: []SurveyLine{}}
	columns := []string{"", "NPS", "Answers", "CSAT", "Answers", "CES", "Answers"}
	all, periods, stages := Table{"All", columns, nil}, Table{"By " + string(c.o.Unit), columns, nil}, Table{"By stage", columns, nil}
	var err error
	if d.All, err = newSurveyLine("all", &c.all); err != nil {
		return err
	}
	all.Rows = append(all.Rows, d.All.row())
	if n := d.All.NPS.Promoters + d.All.NPS.Passives + d.All.NPS.Detractors; n > 0 && n < 30 {
		r.note("with %d answers the interval of the NPS is rough", n)
	}
	for i := range c.periods {
		l, err := newSurveyLine(c.cal.label(i), &c.periods[i])
		if err != nil {
			return err
		}
		d.Periods, periods.Rows = append(d.Periods, l), append(periods.Rows, l.row())
	}
	for _, stage := range sortedStages(c.stages) {
		l, err := newSurveyLine(stageName(stage), c.stages[stage])
		if err != nil {
			return err
		}
		d.Stages, stages.Rows = append(d.Stages, l), append(stages.Rows, l.row())
	}
	r.Data, r.Tables = &d, append(r.Tables, all, periods, stages)
	return nil
}

func (l *SurveyLine) row() []string {
	nps, ces := "no answer", "no answer"
	if l.NPS.Known {
		nps = fmt.Sprintf("%.0f (%.0f to %.0f)", l.NPS.Score, l.NPS.Low, l.NPS.High)
	}
	if l.CES.Known {
		ces = decimals(l.CES.Value)
	}
	csat := rate(l.CSAT)
	if csat == "" {
		csat = "no answer"
	}
	return []string{l.Name, nps, number(l.NPS.Promoters + l.NPS.Passives + l.NPS.Detractors), csat, number(l.CSAT.Of), ces, number(l.CESAnswers)}
}
