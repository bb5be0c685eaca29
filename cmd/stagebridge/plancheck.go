package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
)

// planCheckCommand reads a tracking plan as publishing it would.
func planCheckCommand() command {
	c := command{name: "plan check", operands: "FILE…", summary: "check tracking plans; lists every mistake with its place"}
	c.run = func(_ context.Context, p *program, args []string) error {
		files, err := p.parse(c, args, nil, 1, -1)
		if err != nil {
			return err
		}
		return p.eachFile(files, func(file string, source []byte) (string, error) {
			plan, err := parsePlan(file, source)
			if err != nil {
				return "", err
			}
			words := fmt.Sprintf("%d stages, %d segments", len(plan.Stages()), len(plan.Segments()))
			for _, l := range plan.Lifecycles() {
				words += fmt.Sprintf(", lifecycle %s of %d stages", l.ID, len(l.Stages))
			}
			for _, event := range plan.Reads() {
				if _, known := plan.Events()[event]; !known {
					words += fmt.Sprintf("\n    reads %s, which nothing describes: a slip, or an event of your own to list under events", event)
				}
			}
			return words + scoreClashes(file, plan), nil
		})
	}
	return c
}

// parsePlan compiles a plan over the events that the product speaks.
func parsePlan(file string, source []byte) (*lifecycle.Plan, error) {
	return lifecycle.ParsePlan(file, source, plans.Vocabulary())
}

// eachFile reads each file and shows what check says of it: a few words, or
// its error, whose every line names the file by itself. All files are checked,
// whatever the first ones give.
func (p *program) eachFile(files []string, check func(file string, source []byte) (string, error)) error {
	failed := false
	for _, file := range files {
		words := ""
		source, err := readText(file)
		if err == nil {
			words, err = check(file, source)
		}
		if err != nil {
			failed = true
			fmt.Fprintln(p.stderr, err)
			continue
		}
		fmt.Fprintf(p.stdout, "ok  %s  %s\n", file, words)
	}
	if failed {
		return errReported
	}
	return nil
}

// readText reads a file, one byte more than is taken at most, so that the
// parser refuses a longer one.
func readText(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	source, err := io.ReadAll(io.LimitReader(f, document.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return source, nil
}
