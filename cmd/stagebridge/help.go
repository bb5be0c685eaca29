package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// commands lists every subcommand in the order of the help text.
func commands() []command {
	return slices.Concat([]command{
		serveCommand(),
		demoCommand(),
		applyCommand(),
		diffCommand(),
		exportCommand(),
		sendCommand(),
		importCommand(),
		pullCommand(),
		explainCommand(),
		eraseCommand(),
		erasuresCommand(),
		exportPersonCommand(),
		accountCommand(),
		reportCommand(),
		scoreCommand(),
		replayCommand(),
		jobsListCommand(),
		jobsCancelCommand(),
		benchCommand(),
		benchSoakCommand(),
		benchQueueingCommand(),
		benchPagesCommand(),
		rulesTestCommand(),
		rulesDiffCommand(),
		rulesPublishCommand(),
		rulesRollbackCommand(),
		rulesVersionsCommand(),
		planCheckCommand(),
		planLintCommand(),
		planDocsCommand(),
		violationsCommand(),
		planPreviewCommand(),
		planDiffCommand(),
		planPublishCommand(),
		planRolloutCommand(),
		planRollbackCommand(),
		planVersionsCommand(),
		connectorsCommand(),
		lookmlCommand(),
		backupCommand(),
		restoreCommand(),
		moveCommand(),
		healthCommand(),
		completionCommand(),
		manualCommand(),
		openapiCommand(),
		versionCommand(),
	}, secretsCommands(), userCommands())
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

// nearestCommand gives the command that one of the typed forms was probably
// meant to be, or begins; "" when none is near.
func nearestCommand(typed ...string) string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
		if strings.HasPrefix(c.name, typed[len(typed)-1]+" ") {
			return c.name
		}
	}
	for _, t := range typed {
		if near := document.Nearest(t, names); near != "" {
			return near
		}
	}
	return ""
}
