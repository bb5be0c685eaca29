package lifecycle

import (
	"fmt"
	"testing"
)

func TestAccountMoveKind(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, "name: x\nstages: [ { name: A } ]\naccounts: { stages: [ { name: Known }, { name: Client, when: 'people >= 2' }, { name: Large, when: 'people >= 3' } ] }\n")
	for _, c := range []struct {
		from, to Stage
		been     bool
		want     string
	}{
		{"", "Known", false, "forward []"},
		{"", "Large", false, "skip [Known Client]"},
		{"Known", "Client", false, "forward []"},
		{"Known", "Client", true, "re-entry []"},
		{"Known", "Large", false, "skip [Client]"},
		{"Large", "Known", true, "back []"},
		{"Client", "Client", true, "segments []"},
		{"Client", "", false, "emptied []"},
		{"", "Known", true, "re-entry []"},
		{"Gone", "Known", false, "forward []"},
	} {
		kind, skipped := p.AccountMoveKind(c.from, c.to, c.been)
		if got := fmt.Sprint(kind, " ", skipped); got != c.want {
			t.Errorf("%q > %q, there before %v: %s, want %s", c.from, c.to, c.been, got, c.want)
		}
	}
}
