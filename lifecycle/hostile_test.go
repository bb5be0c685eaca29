package lifecycle

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestHostilePlansEndSoon: what would loop, explode or nest without end is
// refused within 100 ms and 64 MB, or on a slow machine within thirty times what a
// large plan takes that is accepted, which is as much on a quick one.
func TestHostilePlansEndSoon(t *testing.T) {
	in := func(condition string) string {
		return "name: x\nstages:\n  - { name: Visit }\nsegments:\n  yes: |\n    " + condition + "\n"
	}
	long := strings.Repeat("x", MaxConditionBytes)
	for name, text := range map[string]string{
		"repeat":       in(`repeat(repeat("a", 900000), 900000) == "a"`),
		"doubling let": in(strings.Repeat("let a = [1]; let b = a + a; ", 100) + "b == 1"),
		"three loops":  in(`all(traits.list, all(traits.list, all(traits.list, # == 1)))`),
		"range":        in(`traits.x in 1..9000000000000000`),
		"parentheses":  in(strings.Repeat("(", MaxConditionBytes-10)),
		"not":          in(strings.Repeat("!", MaxConditionBytes-10) + "sen()"),
		"and":          in(strings.Repeat("a&&", MaxConditionBytes/3-10) + "b"),
		"members":      in("traits" + strings.Repeat(".a", MaxConditionBytes/2-10) + "()"),
		"comparisons":  in("1" + strings.Repeat("<1", MaxConditionBytes/2-10)),
		"too long":     in(strings.Repeat("true || ", 100_000) + "true"),
		"many":         "name: x\nstages:\n  - { name: Visit }\nsegments:\n" + strings.Repeat("  a: sen(1)\n", 2_000),
		"tag":          "name: x\nstages:\n  - { name: Visit }\n  - { name: C, when: !seen(\"A:B\") }\n",
		"alias":        "name: x\nstages: &a [ { name: Visit } ]\nsegments: *a\n",
		"cut short":    "name: x\nstages:\n  - { name: Visit }\n  - name: C\n    when: seen(\"A:B\") #x\n",
		"long names":   "name: " + long + "\nstages:\n  - { name: " + long + " }\n",
	} {
		best, bytes := time.Hour, uint64(0)
		for range 5 { // another process may slow some of them down
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			_, err := ParsePlan("plan.yaml", []byte(text))
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Errorf("%s: accepted", name)
			}
			best, bytes = min(best, took), after.TotalAlloc-before.TotalAlloc
		}
		limit := max(100*time.Millisecond, 30*largePlan(t))
		if best > limit || bytes > 64<<20 {
			t.Errorf("%s: took %v of %v, and %d bytes", name, best, limit, bytes)
		}
	}
}

// largePlan is how long a plan that nothing is wrong with takes here and now, of
// as many conditions as the largest of the hostile ones: a busy machine, or the
// race detector, slows both down.
func largePlan(t *testing.T) time.Duration {
	t.Helper()
	var b strings.Builder
	b.WriteString("name: x\nstages:\n  - { name: Visit }\nsegments:\n")
	for i := range MaxSegments {
		fmt.Fprintf(&b, "  s%d: count(\"A:B\") > %d\n", i, i)
	}
	best := time.Hour
	for range 5 {
		began := time.Now()
		if _, err := ParsePlan("plan.yaml", []byte(b.String())); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(began))
	}
	return best
}
