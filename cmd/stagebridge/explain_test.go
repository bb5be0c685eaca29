package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestExplainTellsWhatIsMissing: of somebody who bought yesterday the command
// names what keeps them from each other stage and when time alone acts; of
// somebody who bought long ago, from when the time was counted.
func TestExplainTellsWhatIsMissing(t *testing.T) {
	t.Parallel()
	yesterday, longAgo := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly), time.Now().UTC().AddDate(0, 0, -100).Format(time.DateOnly)
	file := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(file, fmt.Appendf(nil, "id,day,usd\nnew,%s,10\nold,%s,10\n", yesterday, longAgo), 0o600); err != nil {
		t.Fatal(err)
	}
	env := imported(t, file, 2)
	asked := func(key string) string {
		t.Helper()
		r := stagebridge(t, env, "explain", key)
		if r.code != exitOK {
			t.Fatalf("%s: %+v", key, r)
		}
		return r.stdout
	}
	lapse := time.Now().UTC().AddDate(0, 0, 59).Format(time.DateOnly)
	for key, lines := range map[string][]string{
		"user:new": {
			"\nstage: Customer, since " + yesterday,
			"  brought by: Order:Completed at " + yesterday,
			"\n  Retained Customer\n    missing: count(\"Order:Completed\") >= 2 (is 1), last " + yesterday,
			"\n  Advocate\n    missing: seen(\"Referral:Made\")",
			"\n  Churned (beside the path), changes by itself at " + lapse,
			"    missing: inactive(\"60d\"), last " + yesterday,
			"\ntime alone may change something at ",
		},
		"user:old": {
			"\nstage: Churned, since " + time.Now().UTC().AddDate(0, 0, -40).Format(time.DateOnly),
			"  brought by: the passing of time since Order:Completed at " + longAgo,
			"  furthest on the path: Customer, since " + longAgo,
		},
	} {
		got := asked(key)
		for _, line := range lines {
			if !strings.Contains(got, line) {
				t.Errorf("%s: %q is not in\n%s", key, line, got)
			}
		}
	}
}
