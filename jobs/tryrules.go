package jobs

import (
	"cmp"
	"context"
	"reflect"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/store"
)

// Trial is what draft rules make of the newest raw events of a connection.
// Nothing of it is written.
type Trial struct {
	// Rules are those of the draft, in the order of the file.
	Rules []TriedRule
	// Sampled raw events were mapped; Changed of them become something else than
	// by the rules in force.
	Sampled, Changed int
	// Shown are the newest of them: first those that change, last the echoes of
	// our own writes.
	Shown []TriedEvent
	// Unmatched are groups of raw events that no rule of the draft takes, the
	// largest first.
	Unmatched []Unmatched
}

// TriedRule is a rule of a draft and how many raw events it matched.
type TriedRule struct {
	mapping.Listed
	Matched int
}

// TriedEvent is one raw event under both sets of rules.
type TriedEvent struct {
	Previewed
	// Why tells what each rule of the draft for its type made of it.
	Why mapping.Explanation
}

// Unmatched are raw events of one type and shape.
type Unmatched struct {
	Type, Shape string
	Count       int
	// Example is the newest of them, and Proposal a first rule for it, in YAML.
	Example  int64
	Proposal string
}

// mostUnmatched is how many groups a trial tells.
const mostUnmatched = 10

// TryRules maps the newest raw events of a connection by draft rules, at most
// 500, and tells of the first shown ones in full. The error is *Invalid where
// the draft has mistakes.
func (a *Admin) TryRules(ctx context.Context, id string, source []byte, newest, shown int) (*Trial, error) {
	draft, err := a.CheckRules(ctx, id, source)
	if err != nil {
		return nil, err
	}
	rows, err := a.Registry.o.Store.RecentRows(ctx, id, min(max(newest, 1), maxPreview))
	if err != nil {
		return nil, err
	}
	now := a.Registry.Config()
	then := underDraft(now, id, draft, source)
	at := lifecycle.At(a.Registry.o.Now())
	t := &Trial{Sampled: len(rows)}
	matched := map[string]int{}
	groups := unmatchedGroups{}
	var telling [3][]Previewed // those that change, those that rules saw, the rest
	for i := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		row := &rows[i]
		was, is := mapRow(now, row, at), mapRow(then, row, at)
		p := Previewed{Row: *row, Now: Mapped{was.outcome, was.events}, Draft: Mapped{is.outcome, is.events}}
		if p.Changed = !reflect.DeepEqual(p.Now, p.Draft); p.Changed {
			t.Changed++
		}
		for _, rule := range is.out.Matched {
			matched[rule]++
		}
		if is.outcome.Reason == "unmatched" {
			groups.add(row)
		}
		class := 2
		switch {
		case p.Changed:
			class = 0
		case is.outcome.Reason != "echo":
			class = 1
		}
		if len(telling[class]) < shown {
			telling[class] = append(telling[class], p)
		}
	}
	for _, p := range slices.Concat(telling[:]...) {
		if len(t.Shown) < shown {
			t.Shown = append(t.Shown, TriedEvent{Previewed: p, Why: explainRow(draft, &p.Row)})
		}
	}
	for _, l := range draft.List() {
		t.Rules = append(t.Rules, TriedRule{l, matched[l.Name]})
	}
	t.Unmatched = groups.largest()
	return t, nil
}

// explainRow tells what rules make of a raw event; a body that cannot be read
// has its outcome say so.
func explainRow(rules *mapping.Ruleset, row *store.Row) mapping.Explanation {
	meta := ParseMeta(row.Meta)
	body, err := mapping.Decode(meta.Format, row.Body)
	if err != nil {
		return mapping.Explanation{Output: mapping.Output{Err: err}}
	}
	in := inputOf(row, &meta, body)
	return rules.Explain(&in)
}

// unmatchedGroups gathers raw events by type and shape.
type unmatchedGroups map[[2]string]*Unmatched

func (g unmatchedGroups) add(row *store.Row) {
	body, err := mapping.Decode(ParseMeta(row.Meta).Format, row.Body)
	if err != nil {
		return
	}
	key := [2]string{row.Type, mapping.Shape(body)}
	u := g[key]
	if u == nil { // rows come newest first
		u = &Unmatched{Type: key[0], Shape: key[1], Example: row.ID, Proposal: mapping.Propose(row.Type, body)}
		g[key] = u
	}
	u.Count++
}

func (g unmatchedGroups) largest() []Unmatched {
	var all []Unmatched
	for _, u := range g {
		all = append(all, *u)
	}
	slices.SortFunc(all, func(a, b Unmatched) int {
		return cmp.Or(b.Count-a.Count, cmp.Compare(a.Type, b.Type), cmp.Compare(a.Shape, b.Shape))
	})
	return all[:min(len(all), mostUnmatched)]
}
