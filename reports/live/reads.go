package live

import (
	"slices"

	"github.com/stagebridge/stagebridge/reports/stats"
)

// everywhere are the options that every report takes: they say which people and
// days it looks at.
func everywhere() []string {
	return []string{"from", "to", "segment", "account", "source", "person", "plan", "zone"}
}

// readsBesides says which further options change the answer of each report.
// Those of connections and lifecycles follow from what it is about.
func readsBesides() map[string][]string {
	return map[string][]string{
		"attribution":   {"currency", "rates", "won", "touches", "by", "lookback", "halflife"},
		"churn":         {"unit", "events", "window", "basis", "stages"},
		"clv":           {"unit", "events", "currency", "rates", "weeks", "margin", "discount"},
		"cohorts":       {"unit", "kind", "events"},
		"concentration": {"events", "currency", "rates"},
		"contact":       {"touches"},
		"content":       {"won", "touches", "by", "lookback"},
		"contracts":     {"currency", "rates", "weeks", "discount"},
		"conversion":    {"unit"},
		"cycle":         {"won", "start"},
		"economics":     {"events", "currency", "rates", "window", "basis", "stages", "spend", "margin", "discount"},
		"funnel":        {"window", "counting", "by"},
		"lift":          {"events", "currency", "rates", "group"},
		"mrr":           {"unit", "currency", "rates"},
		"precedes":      {"stage", "lookback"},
		"rfm":           {"events", "currency", "rates"},
		"speed":         {"score", "hours"},
		"split":         {"unit", "events"},
		"stickiness":    {"events"},
		"surveys":       {"unit"},
		"velocity":      {"currency", "rates", "won"},
		"winrate":       {"unit", "won"},
	}
}

// OptionsOf lists the options that can change the answer of a report, in the
// order of OptionInfos; nil where there is no such report.
func OptionsOf(name string) []OptionInfo {
	i := slices.IndexFunc(Reports(), func(x Info) bool { return x.Name == name })
	if i < 0 {
		return nil
	}
	reads := append(everywhere(), readsBesides()[name]...)
	if !Reports()[i].path {
		reads = append(reads, "connection")
	}
	if ReadsStages(name) {
		reads = append(reads, "lifecycle")
	}
	all := slices.DeleteFunc(OptionInfos(), func(x OptionInfo) bool { return !slices.Contains(reads, x.Name) })
	for i := range all {
		if all[i].Name == "by" { // periods for the funnel, names of touches for others
			all[i].Choices = slices.DeleteFunc(all[i].Choices, func(choice string) bool {
				_, err := stats.ParseUnit(choice)
				return (err == nil) != (name == "funnel")
			})
		}
	}
	return all
}
