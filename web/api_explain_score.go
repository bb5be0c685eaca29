package web

import "github.com/stagebridge/stagebridge/lifecycle"

// scoreBody says what a score is made of. Value is the score now, Trait what
// profile and vendors have, as of TraitAt.
type scoreBody struct {
	Name    string          `json:"name"`
	Value   int64           `json:"value"`
	Points  float64         `json:"points"`
	Trait   int64           `json:"trait"`
	TraitAt string          `json:"trait_at,omitempty"`
	Changes string          `json:"changes,omitempty"`
	Parts   []scorePartBody `json:"parts"`
}

// scorePartBody is what one rule adds: for events of a name, or while a
// condition holds.
type scorePartBody struct {
	Event     string      `json:"event,omitempty"`
	Condition string      `json:"condition,omitempty"`
	Points    float64     `json:"points"`
	Worth     float64     `json:"worth"`
	Count     int64       `json:"count,omitempty"`
	Last      string      `json:"last,omitempty"`
	Holds     *bool       `json:"holds,omitempty"`
	Why       *reasonBody `json:"why,omitempty"`
}

func scoresOf(reasons []lifecycle.ScoreReason) []scoreBody {
	list := make([]scoreBody, len(reasons))
	for i := range reasons {
		r := &reasons[i]
		list[i] = scoreBody{r.Name, r.Value, r.Points, r.Told, when(r.ToldAt), when(r.Next), []scorePartBody{}}
		for _, p := range r.Parts {
			part := scorePartBody{Event: string(p.Event), Condition: p.Condition, Points: p.Points, Worth: p.Worth,
				Count: p.Count, Last: when(p.Last), Why: reasonOfCondition(p.Why)}
			if p.Condition != "" {
				part.Holds = &p.Holds
			}
			list[i].Parts = append(list[i].Parts, part)
		}
	}
	return list
}
