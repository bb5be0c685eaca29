package main

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/store"
)

// TestJobs: long work is listed with who began it and why, and a publishing that
// nobody does yet is canceled, which puts back the plan before.
func TestJobs(t *testing.T) {
	t.Parallel()
	env := settings(t, nil)
	folder := files(t, map[string]string{"a.yaml": "name: a\nstages:\n  - { name: Visit }\n"})
	c := &cli{t, env, folder}
	if got := c.run(exitOK, "jobs", "list", "-kind", "replay"); got != "there is none\n" {
		t.Errorf("none yet: %s", got)
	}
	c.run(exitOK, "plan", "publish", "-reason", "shorter", folder+"/a.yaml")
	c.pages(func(ctx context.Context, a *app) error {
		_, _, err := a.admin.RollOutPlan(ctx, 2, store.Versioned{Source: "name: b\nstages:\n  - { name: Other }\n", Author: "ann", Note: "a try"}, store.WholeShare)
		return err
	})
	list := c.run(exitOK, "jobs", "list", "-kind", "plan publish")
	for _, want := range []string{`(?m)^JOB +BEGUN +KIND +ABOUT +STATE +DONE +BY +REASON$`, `(?m)^2 .* plan publish .* queued +0 people +ann +a try$`, `(?m)^1 .* plan publish .* done .* command line +shorter$`} {
		if !regexp.MustCompile(want).MatchString(list) {
			t.Errorf("%q is not told:\n%s", want, list)
		}
	}
	if got := c.run(exitOK, "jobs", "list", "-state", "queued", "-limit", "1"); strings.Count(got, "\n") != 2 || !strings.Contains(got, "a try") {
		t.Errorf("what is queued:\n%s", got)
	}
	c.has(c.run(exitOK, "jobs", "cancel", "2"), "job 2 is canceled, after 0 people\n")
	c.has(c.run(exitOK, "plan", "rollout"), "everybody is under version 2\n")
	c.has(c.run(exitError, "jobs", "cancel", "1"), "job 1 is done; nothing was changed")
	c.has(c.run(exitError, "jobs", "cancel", "99"), "there is no job 99")
	c.has(c.run(exitUsage, "jobs", "cancel", "first"), `"first" is no number of a job`)
	c.has(c.run(exitUsage, "jobs", "list", "-state", "lost"), `-state is "lost", want queued, running, done, failed, canceled`)
	c.has(c.run(exitUsage, "jobs", "list", "-limit", "0"), "want 1 to 500")
}

func TestTellWorks(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	all := []store.Work{
		{ID: 3, Kind: "replay", Subject: "crm", State: store.WorkRunning, Done: 5, Total: 10, Cancel: true, Author: "ann", Reason: "mended\nrules"},
		{ID: 2, Kind: "replay", State: store.WorkFailed, Done: 1, Author: "bo", Reason: "why", Error: "the database is away"},
	}
	if err := tellWorks(&out, all, func(string) string { return "raw events" }); err != nil {
		t.Fatal(err)
	}
	want := `JOB  BEGUN                 KIND    ABOUT  STATE               DONE                BY   REASON
3    1970-01-01T00:00:00Z  replay  crm    running, canceling  5 of 10 raw events  ann  mended rules
2    1970-01-01T00:00:00Z  replay         failed              1 raw events        bo   the database is away
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
