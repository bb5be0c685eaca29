package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/stagebridge/stagebridge/store"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1 // what was asked for did not go through
	exitUsage = 2 // it could not be understood
)

// program is one run of the command: what it was started with and where it
// speaks. Tests start the real thing with a program of their own.
type program struct {
	env    map[string]string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	// inspect, when set, is shown a command's flags in place of running it.
	inspect func(*flag.FlagSet)
}

// command is one subcommand.
type command struct {
	// name as it is typed; may be two words.
	name string
	// operands is what follows the name in the usage line, flags included.
	operands string
	// summary is one line for the list of commands.
	summary string
	// words are those that an operand is known to be one of, for completion.
	words func() []string
	// run does it, and begins with program.parse. The error is shown behind the program's name.
	run func(ctx context.Context, p *program, args []string) error
}

// errReported ends a command that has already told on its own what is wrong.
var errReported = errors.New("reported")

// usageError is a command line that was not understood.
type usageError struct {
	command command
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// run is the whole program. The first interrupt or termination signal ends
// ctx, so that a server stops in an orderly way; the second one kills.
func run(ctx context.Context, args []string, env map[string]string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	p := &program{env: env, stdin: stdin, stdout: stdout, stderr: stderr}
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		return p.help(ctx, args)
	}
	c, rest, ok := findCommand(args)
	if !ok {
		return p.unknown(args)
	}
	ctx = store.WithAuthor(ctx, store.Author{Name: "command " + c.name})
	var usage *usageError
	switch err := c.run(ctx, p, rest); {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitError
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "stagebridge %s: %v\n", c.name, err)
		fmt.Fprintf(stderr, "usage: %s\n", c.usage())
		return exitUsage
	default:
		fmt.Fprintf(stderr, "stagebridge %s: %s\n", c.name, indent(err.Error()))
		return exitError
	}
}

func (c command) usage() string {
	return strings.TrimSpace("stagebridge " + c.name + " " + c.operands)
}

// parse reads a command's flags; define declares them, nil means none. It
// gives the operands, of which there must be at least low and, unless high is
// negative, at most high. Asked for help it prints that and gives flag.ErrHelp.
func (p *program) parse(c command, args []string, define func(*flag.FlagSet), low, high int) ([]string, error) {
	set := flag.NewFlagSet(c.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	if define != nil {
		define(set)
	}
	if p.inspect != nil {
		p.inspect(set)
		return nil, flag.ErrHelp
	}
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(p.stdout, "%s\n\nusage: %s\n", c.summary, c.usage())
		set.SetOutput(p.stdout)
		set.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, &usageError{c, err}
	case set.NArg() < low:
		return nil, &usageError{c, fmt.Errorf("wants %s", c.operands)}
	case high >= 0 && set.NArg() > high:
		return nil, &usageError{c, fmt.Errorf("does not know what to do with %q", set.Arg(high))}
	}
	return set.Args(), nil
}

// findCommand gives the command that the first one or two arguments name.
func findCommand(args []string) (command, []string, bool) {
	for words := min(2, len(args)); words > 0; words-- {
		name := strings.Join(args[:words], " ")
		for _, c := range commands() {
			if c.name == name {
				return c, args[words:], true
			}
		}
	}
	return command{}, nil, false
}

// indent lets every line of a list of mistakes begin on a line of its own.
func indent(s string) string {
	if !strings.Contains(s, "\n") {
		return s
	}
	return "\n  " + strings.ReplaceAll(s, "\n", "\n  ")
}
