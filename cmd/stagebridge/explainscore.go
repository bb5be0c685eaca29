package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// tellScores prints what the scores are made of.
func tellScores(out io.Writer, scores []lifecycle.ScoreReason) {
	if len(scores) > 0 {
		fmt.Fprint(out, "\nscores:\n")
	}
	for i := range scores {
		s := &scores[i]
		fmt.Fprintf(out, "  %s: %d", s.Name, s.Value)
		if s.ToldAt != 0 && s.Told != s.Value {
			fmt.Fprintf(out, " (as a trait %d, set %s)", s.Told, when(s.ToldAt))
		}
		fmt.Fprintf(out, "%s\n", changes(s.Next))
		for j := range s.Parts {
			tellPart(out, &s.Parts[j])
		}
	}
}

func tellPart(out io.Writer, p *lifecycle.ScorePart) {
	if p.Event != "" {
		fmt.Fprintf(out, "    %s: %s each, %d so far", p.Event, pointsText(p.Points), p.Count)
		if p.Count > 0 {
			fmt.Fprintf(out, ", last %s, now worth %s", when(p.Last), pointsText(p.Worth))
		}
		fmt.Fprintln(out)
		return
	}
	holds := "no "
	if p.Holds {
		holds = "yes"
	}
	fmt.Fprintf(out, "    %s %s: %s\n", holds, p.Condition, pointsText(p.Points))
}

// pointsText gives points with at most two digits behind the point.
func pointsText(p float64) string {
	text := strconv.FormatFloat(p, 'f', 2, 64)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	return text
}
