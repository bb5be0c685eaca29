package web

import (
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// planPicture is a plan as a person reads it: the path of stages, what shows
// beside it, the segments, and the events and traits that all of it reads.
type planPicture struct {
	Stages   []stageView
	Segments []segmentView
	// Lifecycles go on beside the plan's own stages.
	Lifecycles []lifecycleView
	// Accounts are the stages of accounts, AccountSegments their segments, and
	// AccountBy how an account is found; empty where the plan is about people only.
	Accounts, AccountSegments []lifecycle.AccountStageInfo
	AccountBy                 string
	Reads                     []eventView
	Traits                    []string
}

// stageView is a stage with its people and its condition in words.
type stageView struct {
	stageRow
	// Words is the condition in words, Short their beginning where they are many,
	// Leaves the condition that leads out, From where a side stage shows, Stay how
	// long it does at least; each may be empty.
	Words, Short, Leaves, From, Stay string
}

// segmentView is a segment with its people and its condition in words.
type segmentView struct {
	segmentBody
	Words, Short, Leaves, Stay string
	// Of is the further lifecycle that it belongs to; empty: the main one.
	Of string
}

// lifecycleView is a further lifecycle.
type lifecycleView struct {
	ID, About, Events string
	Stages            []stageView
}

// eventView is an event that a condition reads.
type eventView struct {
	Name, About string
}

// wording finds the conditions of a plan in words.
type wording map[[4]string]string

func wordsOf(plan *lifecycle.Plan) wording {
	all := wording{}
	for _, x := range plan.Conditions() {
		all[wordKey(x.Lifecycle, string(x.Stage), string(x.Segment), x.Leaving)] = sentence(&x.Clause)
	}
	return all
}

func wordKey(of, stage, segment string, leaving bool) [4]string {
	if leaving {
		return [4]string{of, stage, segment, "leaving"}
	}
	return [4]string{of, stage, segment, ""}
}

func pictureOf(plan *lifecycle.Plan, s *summary) planPicture {
	all := wordsOf(plan)
	p := planPicture{Accounts: plan.AccountStages(), AccountSegments: plan.AccountSegments(), AccountBy: strings.Join(plan.AccountBy(), ", then "), Traits: plan.ReadsTraits()}
	p.Stages = all.stages("", plan.Stages(), funnel(plan, s))
	for _, x := range plan.Segments() {
		words := all[wordKey(x.Lifecycle, "", string(x.Name), false)]
		p.Segments = append(p.Segments, segmentView{
			segmentBody: segmentBody{string(x.Name), x.When, s.Segments[string(x.Name)]}, Of: x.Lifecycle, Stay: days(x.Stay),
			Words: words, Short: shortened(words), Leaves: all[wordKey(x.Lifecycle, "", string(x.Name), true)],
		})
	}
	for _, l := range plan.Lifecycles() {
		v := lifecycleView{ID: l.ID, About: l.About, Events: strings.Join(l.Events, ", ")}
		v.Stages = all.stages(l.ID, l.Stages, standingRows(&l, s))
		p.Lifecycles = append(p.Lifecycles, v)
	}
	known := plan.Events()
	for _, name := range plan.Reads() {
		p.Reads = append(p.Reads, eventView{string(name), known[name].Description})
	}
	return p
}

// stages puts the words to the rows. Stages that the plan no longer has, and
// that people are still in, have none.
func (all wording) stages(of string, infos []lifecycle.StageInfo, rows []stageRow) []stageView {
	views := make([]stageView, len(rows))
	for i, row := range rows {
		views[i].stageRow = row
		for _, x := range infos {
			if string(x.Name) != row.Name {
				continue
			}
			views[i].Words, views[i].Leaves = all[wordKey(of, row.Name, "", false)], all[wordKey(of, row.Name, "", true)]
			views[i].Short = shortened(views[i].Words)
			views[i].From, views[i].Stay = stageList(x.From), days(x.Stay)
		}
	}
	return views
}

// mostWording is how long a condition in words may be to stand there whole, in
// runes.
const mostWording = 160

// shortened gives the beginning of a long condition; empty where it is short.
func shortened(words string) string {
	runes := []rune(words)
	if len(runes) <= mostWording {
		return ""
	}
	cut := mostWording / 2
	for cut > mostWording/4 && runes[cut] != ' ' {
		cut--
	}
	return string(runes[:cut]) + " …"
}

// standingRows are the stages of a further lifecycle in the order of the plan.
func standingRows(l *lifecycle.LifecycleInfo, s *summary) []stageRow {
	var rows []stageRow
	var most int64
	for _, x := range l.Stages {
		most = max(most, s.Standings[l.ID+":"+string(x.Name)])
	}
	step := 0
	for _, x := range l.Stages {
		row := stageRow{Name: string(x.Name), Side: x.Side, When: x.When, People: s.Standings[l.ID+":"+string(x.Name)],
			Link: link("/people", "lifecycle", l.ID, "stage", string(x.Name))}
		if !x.Side {
			step = min(step+1, 8)
			row.Step = step
		}
		if row.People > 0 {
			row.Width = max(row.People*100/most, 1)
		}
		rows = append(rows, row)
	}
	return rows
}

func stageList(names []lifecycle.Stage) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}

// days says a span of time as plans name it; empty for none.
func days(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d%(24*time.Hour) == 0:
		return counted(int64(d/(24*time.Hour)), "day", "days")
	}
	return d.String()
}

func segmentsOf(plan *lifecycle.Plan, s *summary) []segmentBody {
	var all []segmentBody
	for _, x := range plan.Segments() {
		all = append(all, segmentBody{string(x.Name), x.When, s.Segments[string(x.Name)]})
	}
	return all
}
