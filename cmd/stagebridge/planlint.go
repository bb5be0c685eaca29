package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/catalog"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/lifecycle/lint"
	"github.com/stagebridge/stagebridge/mapping"
)

// planLintCommand gives advice about a plan that can be published as it is.
func planLintCommand() command {
	c := command{name: "plan lint", operands: "[-json] [FILE]", summary: "advice about a plan's names and events; of the plan in force, and what came in, without a file"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		asJSON := false
		files, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.BoolVar(&asJSON, "json", false, "tell it as JSON")
		}, 0, 1)
		if err != nil {
			return err
		}
		var found []lint.Finding
		if len(files) == 1 {
			found, err = lintFile(files[0])
		} else {
			err = p.withApp(ctx, func(a *app) error {
				found, err = a.admin.LintPlan(ctx, nil)
				return err
			})
		}
		if err != nil {
			return err
		}
		return tellLint(p.stdout, found, asJSON)
	}
	return c
}

// tellLint prints the findings. Errors among them end the command with a
// failure, warnings do not.
func tellLint(out io.Writer, found []lint.Finding, asJSON bool) error {
	wrong := lint.Errors(found)
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		if err := e.Encode(map[string]any{"items": append([]lint.Finding{}, found...), "errors": wrong, "warnings": len(found) - wrong}); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			fmt.Fprintln(out, f)
		}
		fmt.Fprintf(out, "%d errors, %d warnings\n", wrong, len(found)-wrong)
	}
	if wrong > 0 {
		return errReported
	}
	return nil
}

// lintFile looks at a plan by itself or, in a workspace, with the rules of the
// connections beside it.
func lintFile(file string) ([]lint.Finding, error) {
	source, err := readText(file)
	if err != nil {
		return nil, err
	}
	plan, err := parsePlan(file, source)
	if err != nil {
		return nil, err
	}
	beside, err := connectionsBeside(file)
	if err != nil {
		return nil, err
	}
	facts := lint.Facts{EmittedKnown: len(beside) > 0}
	for _, c := range beside {
		facts.Emitted = append(facts.Emitted, jobs.Emitted(c.id, c.file, c.rules)...)
		facts.Pushed = append(facts.Pushed, c.pushed...)
	}
	return lint.Plan(file, source, plan, facts), nil
}

// besideConnection is a connection of the workspace that a plan stands in.
type besideConnection struct {
	id    string
	file  string // of its rules; empty where they are the connector's own
	rules *mapping.Ruleset
	// pushed are the traits that it sends.
	pushed []lint.Pushed
}

// connectionsBeside reads the connections of the workspace that a plan stands
// in, by id; none where it stands in no workspace. Their secrets are not read.
func connectionsBeside(plan string) ([]besideConnection, error) {
	folder := filepath.Dir(plan)
	files, err := filepath.Glob(filepath.Join(folder, "connections", "*.yaml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var all []besideConnection
	var errs []error
	for _, file := range files {
		c := besideConnection{id: strings.TrimSuffix(filepath.Base(file), ".yaml")}
		node := readNode(file)
		if node == nil {
			errs = append(errs, fmt.Errorf("%s: cannot be read; 'stagebridge diff' tells why", file))
			continue
		}
		c.pushed = pushedTraits(c.id, node.Get("push").Get("traits"))
		c.file = filepath.Join(folder, "rules", c.id+".yaml")
		source, err := readText(c.file)
		if errors.Is(err, fs.ErrNotExist) {
			source, err = defaultRules(file, textOf(node.Get("connector")))
			c.rules, err = compiled(c.file, source, err)
			c.file = ""
		} else {
			c.rules, err = compiled(c.file, source, err)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, c)
	}
	return all, errors.Join(errs...)
}

func compiled(file string, source []byte, err error) (*mapping.Ruleset, error) {
	if err != nil {
		return nil, err
	}
	return mapping.Compile(file, source, rulesOptions(file))
}

// defaultRules are those of a connector.
func defaultRules(file, connector string) ([]byte, error) {
	all := catalog.All()
	i := slices.IndexFunc(all, func(v connectors.Vendor) bool { return v.Descriptor.ID == connector })
	if i < 0 {
		return nil, fmt.Errorf("%s: connector: %q is not in the catalogue", file, connector)
	}
	return all[i].Descriptor.Rules, nil
}

func pushedTraits(connection string, traits *document.Node) []lint.Pushed {
	if traits == nil {
		return nil
	}
	var all []lint.Pushed
	for _, e := range traits.Entries {
		all = append(all, lint.Pushed{Connection: connection, Field: e.Key, Trait: textOf(e.Value)})
	}
	return all
}

// createOrStdout opens a file to write, or gives what the command prints to.
func createOrStdout(p *program, file string) (io.Writer, func() error, error) {
	if file == "" {
		return p.stdout, func() error { return nil }, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, nil, err
	}
	return f, f.Close, nil
}
