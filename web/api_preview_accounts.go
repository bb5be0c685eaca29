package web

import "github.com/stagebridge/stagebridge/jobs"

// accountsPreviewBody is what publishing a plan would do to accounts.
type accountsPreviewBody struct {
	Accounts int64 `json:"accounts"`
	// Unsettled ones wait for the end of a rollout.
	Unsettled int64                    `json:"unsettled"`
	Whole     bool                     `json:"whole"`
	Changed   int64                    `json:"changed"`
	Flows     []accountFlowBody        `json:"flows"`
	Segments  []accountSegmentFlowBody `json:"segments"`
	Pushes    map[string]int64         `json:"pushes"`
}

// accountFlowBody are accounts that would move from one stage to another.
type accountFlowBody struct {
	From     string   `json:"from"`
	To       string   `json:"to"`
	Accounts int64    `json:"accounts"`
	Sample   []string `json:"sample"`
}

// accountSegmentFlowBody counts accounts that would enter and leave a segment.
type accountSegmentFlowBody struct {
	Segment string `json:"segment"`
	Gained  int64  `json:"gained"`
	Lost    int64  `json:"lost"`
}

// accountsPreviewOf is nil where no plan is about accounts.
func accountsPreviewOf(p *jobs.AccountsPreview) *accountsPreviewBody {
	if p == nil {
		return nil
	}
	b := &accountsPreviewBody{Accounts: p.Accounts, Unsettled: p.Unsettled, Whole: p.Whole, Changed: p.Changed,
		Flows: []accountFlowBody{}, Segments: []accountSegmentFlowBody{}, Pushes: map[string]int64{}}
	for _, f := range p.Flows {
		b.Flows = append(b.Flows, accountFlowBody{string(f.From), string(f.To), f.Accounts, append([]string{}, f.Sample...)})
	}
	for _, s := range p.Segments {
		b.Segments = append(b.Segments, accountSegmentFlowBody{string(s.Segment), s.Gained, s.Lost})
	}
	for _, x := range p.Pushes {
		b.Pushes[x.Connection] = x.People
	}
	return b
}
