package main

import (
	"github.com/stagebridge/stagebridge/lifecycle"
)

// scoreClashes tells of rules beside a plan that write a trait under the name of
// one of its scores; empty where there is none, or no workspace.
func scoreClashes(file string, plan *lifecycle.Plan) string {
	if len(plan.Scores()) == 0 {
		return ""
	}
	found, err := lintFile(file)
	if err != nil {
		return "" // about the rules, not the plan: plan lint tells
	}
	words := ""
	for i := range found {
		if found[i].Code == "score_written" {
			words += "\n    " + found[i].String()
		}
	}
	return words
}
