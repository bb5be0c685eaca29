package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/mapping"
)

// rulesTestCommand compiles mapping rules and runs the tests in the same file.
func rulesTestCommand() command {
	c := command{name: "rules test", operands: "[-v] FILE…", summary: "check mapping rules and run the tests written beside them"}
	c.run = func(_ context.Context, p *program, args []string) error {
		verbose := false
		files, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.BoolVar(&verbose, "v", false, "name the tests that pass as well")
		}, 1, -1)
		if err != nil {
			return err
		}
		return p.eachFile(files, func(file string, source []byte) (string, error) {
			return testRules(file, source, verbose)
		})
	}
	return c
}

// testRules gives what passed and the advice on the rules, or an error with a
// line for each mistake or each difference.
func testRules(file string, source []byte, verbose bool) (string, error) {
	rules, err := mapping.Compile(file, source, rulesOptions(file))
	if err != nil {
		return "", err
	}
	var failed []error
	var words strings.Builder
	results := mapping.RunTests(rules)
	switch len(results) {
	case 0:
		words.WriteString("no tests")
	case 1:
		words.WriteString("1 test")
	default:
		fmt.Fprintf(&words, "%d tests", len(results))
	}
	for _, r := range results {
		for _, problem := range r.Problems {
			failed = append(failed, fmt.Errorf("%s:%d: test %q: %s", file, r.Line, r.Name, problem))
		}
		if verbose && r.Passed() {
			fmt.Fprintf(&words, "\n    line %d: %s", r.Line, r.Name)
		}
	}
	for _, advice := range rules.Lint(slices.Sorted(maps.Keys(plans.Vocabulary()))) {
		fmt.Fprintf(&words, "\n    advice: %v", advice)
	}
	return words.String(), errors.Join(failed...)
}

// rulesOptions finds out which connection a file of rules is for, because keys
// and claims depend on it. In a workspace that is the connection of the same
// name; beside a connector.yaml it is that connector.
func rulesOptions(file string) mapping.Options {
	folder, base := filepath.Split(file)
	id := strings.TrimSuffix(base, filepath.Ext(base))
	if d := readNode(filepath.Join(folder, "connector.yaml")); d != nil {
		id = textOf(d.Get("id"))
		return mapping.Options{Connection: id, Connector: id}
	}
	o := mapping.Options{Connection: id, Connector: id}
	c := readNode(filepath.Join(folder, "..", "connections", base))
	if c == nil {
		return o
	}
	o.Connector = textOf(c.Get("connector"))
	o.IdentityScope = textOf(c.Get("settings").Get("identity_scope"))
	if stages := c.Get("push").Get("stages"); stages != nil {
		o.Stages = map[string]string{}
		for _, e := range stages.Entries {
			o.Stages[e.Key] = textOf(e.Value)
		}
	}
	return o
}

// readNode reads a file that may be missing; its mistakes are for whoever
// checks that file.
func readNode(file string) *document.Node {
	source, err := readText(file)
	if err != nil {
		return nil
	}
	n, err := document.Parse(file, source)
	if err != nil {
		return nil
	}
	return n
}

func textOf(n *document.Node) string {
	if n == nil {
		return ""
	}
	return n.Text
}
