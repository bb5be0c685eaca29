package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// PreviewPlan is the plan that people of the part preview are under.
const PreviewPlan = `name: bench
stages:
  - { name: Visit }
  - { name: Subscriber, when: 'seen("Newsletter:Subscribed") || seen("Account:Created")' }
  - { name: Customer, when: 'seen("Order:Completed") || seen("Deal:Won")' }
  - { name: Retained Customer, when: 'count("Order:Completed") >= 2' }
segments:
  dormant: inactive("60d")
  recent: within("Order:Completed", "30d")
`

// previewDrafts are edits of it: one that facts decide for everybody, and one
// that asks where people have been, for which all events are read.
func previewDrafts() map[string]string {
	return map[string]string{
		"told by facts":        strings.NewReplacer(`>= 2`, `>= 3`, `"60d"`, `"45d"`).Replace(PreviewPlan),
		"derived from events":  PreviewPlan + "  lost: was(\"Customer\") && inactive(\"60d\")\n",
		"nothing but its name": strings.Replace(PreviewPlan, "name: bench", "name: other", 1),
	}
}

// Dry is what a dry run of a plan looked at, and how long it took.
type Dry struct {
	What                    string
	People, Decided, Events int64
	Seconds                 float64
}

// PreviewsResult is what a process that stored people and tried plans says.
type PreviewsResult struct {
	Runs []Dry
	Peak int64
}

// Previews stores people under a plan and tries drafts of it.
func Previews(ctx context.Context, s *store.Store, plan *lifecycle.Plan, people, runs int, try func(source string) (Dry, error)) (PreviewsResult, error) {
	var r PreviewsResult
	if _, err := Populate(ctx, s, plan, people, lifecycle.At(time.Now())); err != nil {
		return r, err
	}
	for what, draft := range previewDrafts() {
		for range runs {
			d, err := try(draft)
			if err != nil {
				return r, err
			}
			d.What = what
			r.Runs = append(r.Runs, d)
		}
	}
	r.Peak = peakOf(os.Getpid())
	return r, nil
}

// preview measures dry runs of a plan over a million people.
func (b *bench) preview(ctx context.Context) error {
	for _, postgres := range []bool{false, true} {
		if postgres && b.o.Postgres == "" {
			continue
		}
		if err := b.previewOn(ctx, postgres); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) previewOn(ctx context.Context, postgres bool) error {
	name := map[bool]string{false: "SQLite", true: "PostgreSQL"}[postgres]
	people := b.size(1_000_000, 10_000)
	dir, err := os.MkdirTemp("", "stagebridge-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	env, drop, err := b.db.env(ctx, postgres)
	if err != nil {
		return err
	}
	defer drop()
	b.progress("(d) storing %d people on %s", people, name)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "bench", "-runs", fmt.Sprint(b.o.Runs), "-people", fmt.Sprint(people), "-child", "preview")
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, append(env, "STAGEBRIDGE_DATA_DIR="+dir, "STAGEBRIDGE_LOG_LEVEL=warn")...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("the child that tries plans: %w", err)
	}
	var r PreviewsResult
	if err := json.Unmarshal(out, &r); err != nil {
		return err
	}
	for what := range previewDrafts() {
		var perPerson, perEvent []float64
		var last Dry
		for _, d := range r.Runs {
			if d.What == what {
				last = d
				perPerson, perEvent = append(perPerson, float64(d.People)/d.Seconds), append(perEvent, float64(d.Events)/d.Seconds)
			}
		}
		text := fmt.Sprintf("(d) dry run over %d people, %s, %s: people", last.People, what, name)
		rate := median(perPerson)
		if last.Events > 0 {
			text, rate = strings.TrimSuffix(text, "people")+"events", median(perEvent)
		}
		b.add(row{what: text, rate: fmt.Sprintf("%.0f", rate), memory: fmt.Sprintf("%.0f", float64(r.Peak)/1e6)})
	}
	return nil
}
