package plandocs

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// score is a number computed of everybody: Rules say what gives points, Notes
// how it fades and between what it stays.
type score struct {
	Name, About  string
	Rules, Notes []string
}

func (p *page) scores(plan *lifecycle.Plan, usedBy map[lifecycle.EventName][]string) {
	for _, s := range plan.Scores() {
		told := score{Name: s.Name, About: s.About}
		for _, rule := range s.Rules {
			names := rule.Events
			if rule.Event != "" {
				names = []lifecycle.EventName{rule.Event}
				text := fmt.Sprintf("%s for each “%s”", pointsWords(rule.Points), rule.Event)
				if rule.Most != 0 {
					text += fmt.Sprintf(", at most %s together", number(rule.Most))
				}
				told.Rules = append(told.Rules, text)
			} else {
				told.Rules = append(told.Rules, fmt.Sprintf("%s while %s", pointsWords(rule.Points), rule.Condition))
			}
			for _, name := range names {
				if of := "score " + s.Name; !slices.Contains(usedBy[name], of) {
					usedBy[name] = append(usedBy[name], of)
				}
			}
		}
		if s.HalfLife > 0 {
			told.Notes = append(told.Notes, "an event is worth half after "+span(s.HalfLife))
		}
		if s.Least != nil {
			told.Notes = append(told.Notes, fmt.Sprintf("never less than %d", *s.Least))
		}
		if s.Most != nil {
			told.Notes = append(told.Notes, fmt.Sprintf("never more than %d", *s.Most))
		}
		p.Scores = append(p.Scores, told)
	}
}

func pointsWords(p float64) string {
	if p == 1 || p == -1 {
		return number(p) + " point"
	}
	return number(p) + " points"
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', 10, 64) }
