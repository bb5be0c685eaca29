package main

import (
	"context"
	"flag"
	"io"
	"slices"
	"strings"
)

// described is a command and the flags that it declares: what help, completion,
// the manual page and docs/commands.md are made of.
type described struct {
	command
	flags []*flag.Flag
}

// describe asks a command for its flags, without running it.
func describe(c command) described {
	d := described{command: c}
	p := &program{env: map[string]string{}, stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard,
		inspect: func(set *flag.FlagSet) {
			set.VisitAll(func(f *flag.Flag) { d.flags = append(d.flags, f) })
		}}
	// It ends in flag.ErrHelp as soon as it has declared them.
	_ = c.run(context.Background(), p, nil)
	return d
}

// describeAll describes every command in alphabetical order.
func describeAll() []described {
	all := make([]described, 0, 64)
	for _, c := range commands() {
		all = append(all, describe(c))
	}
	slices.SortFunc(all, func(a, b described) int { return strings.Compare(a.name, b.name) })
	return all
}

// takesValue says whether a flag is followed by its value.
func takesValue(f *flag.Flag) bool {
	boolean, ok := f.Value.(interface{ IsBoolFlag() bool })
	return !ok || !boolean.IsBoolFlag()
}

// meaning is what a flag does, on one line.
func meaning(f *flag.Flag) string {
	_, usage := flag.UnquoteUsage(f)
	return oneLine(usage)
}
