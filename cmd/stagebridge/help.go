package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
)

// commands lists every subcommand in the order of the help text.
func commands() []command {
	return []command{
		healthCommand(),
		versionCommand(),
	}
}

// help prints the list of commands, or one command's own help.
func (p *program) help(ctx context.Context, args []string) int {
	if len(args) > 1 {
		if c, _, ok := findCommand(args[1:]); ok {
			// Asking for help always ends in flag.ErrHelp, which is no failure.
			_ = c.run(ctx, p, []string{"-help"})
			return exitOK
		}
		return p.unknown(args[1:])
	}
	fmt.Fprint(p.stdout, "Stagebridge keeps one truth about where each customer stands in their lifecycle\n"+
		"and keeps every connected tool in agreement with it.\n\nusage: stagebridge COMMAND [flags]\n\n")
	w := tabwriter.NewWriter(p.stdout, 0, 0, 3, ' ', 0)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %s\t%s\n", strings.TrimSpace(c.name+" "+c.operands), c.summary)
	}
	w.Flush()
	fmt.Fprint(p.stdout, "\n'stagebridge COMMAND -help' tells more. Settings come from environment variables;\n"+
		"config.example.env lists them.\n")
	return exitOK
}

// unknown says that there is no such command and names the nearest one.
func (p *program) unknown(args []string) int {
	typed := strings.Join(args[:min(2, len(args))], " ")
	fmt.Fprintf(p.stderr, "stagebridge: there is no command %q\n", args[0])
	if nearest := nearestCommand(typed, args[0]); nearest != "" {
		fmt.Fprintf(p.stderr, "did you mean 'stagebridge %s'?\n", nearest)
	}
	fmt.Fprintln(p.stderr, "'stagebridge help' lists all commands")
	return exitUsage
}

// nearestCommand gives the command whose name is fewest edits away from one of
// the typed forms, or that begins with it; "" when none is near.
func nearestCommand(typed ...string) string {
	best, fewest := "", 3
	for _, c := range commands() {
		for _, t := range typed {
			d := distance(t, c.name)
			if strings.HasPrefix(c.name, t+" ") {
				d = 1
			}
			if d < fewest {
				best, fewest = c.name, d
			}
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes: the fewest insertions,
// deletions and replacements that turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
