package main

import (
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
)

func TestTellAccountsPreview(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := &jobs.AccountsPreview{Accounts: 3, Unsettled: 1, Whole: true, Changed: 1,
		Flows:    []jobs.AccountFlow{{From: "Known", To: "Known", Accounts: 2}, {To: lifecycle.Stage("Client"), Accounts: 1, Sample: []string{"domain:example.com"}}},
		Segments: []jobs.AccountSegmentFlow{{Segment: "large", Gained: 1}}, Pushes: []jobs.PushFlow{{Connection: "crm", People: 1}}}
	if err := tellAccountsPreview(&out, p); err != nil {
		t.Fatal(err)
	}
	want := `
1 of 3 accounts would change
1 of them stay where they are until the rollout is over, since their people would be under two plans
FROM    TO                  ACCOUNTS  FOR EXAMPLE
Known   stays               2         
(none)  Client              1         domain:example.com
large   1 enter             0 leave   
crm     1 accounts to push            
`
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
	out.Reset()
	if err := tellAccountsPreview(&out, &jobs.AccountsPreview{}); err != nil || !strings.Contains(out.String(), "not foretold") {
		t.Errorf("%s, %v", out.String(), err)
	}
	out.Reset()
	if err := tellAccountsPreview(&out, nil); err != nil || out.String() != "" {
		t.Errorf("%s, %v", out.String(), err)
	}
}
