package main

import (
	"context"
	"embed"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// scripts teach a shell to ask this program what may follow.
//
//go:embed completion
var scripts embed.FS

// shells whose script there is.
var shells = [...]string{"bash", "zsh", "fish", "powershell"}

// completionCommand prints the script of a shell. Each script calls it back with
// -words, so that a command is completed as soon as it is there.
func completionCommand() command {
	c := command{name: "completion", operands: "bash|zsh|fish|powershell", summary: "print the script that completes commands and flags in a shell",
		words: func() []string { return shells[:] }}
	c.run = func(_ context.Context, p *program, args []string) error {
		words := false
		operands, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.BoolVar(&words, "words", false, "list what may follow the words behind --; for the scripts' own use")
		}, 0, -1)
		switch {
		case err != nil:
			return err
		case words:
			return writeCandidates(p.stdout, operands)
		case len(operands) != 1 || !slices.Contains(shells[:], operands[0]):
			return &usageError{c, fmt.Errorf("wants one of %s", strings.Join(shells[:], ", "))}
		}
		script, err := scripts.ReadFile("completion/" + operands[0])
		if err != nil {
			return err
		}
		_, err = p.stdout.Write(script)
		return err
	}
	return c
}

// candidate is a word that may come next.
type candidate struct{ word, means string }

// writeCandidates writes one word and what it means to a line, with a tab between.
func writeCandidates(out io.Writer, before []string) error {
	for _, c := range candidates(before) {
		if _, err := fmt.Fprintf(out, "%s\t%s\n", c.word, c.means); err != nil {
			return err
		}
	}
	return nil
}

// candidates gives what may follow the words before: the next word of a
// command, or a command's flags and known operands. It is empty where anything
// may come, such as a file or the value of a flag.
func candidates(before []string) []candidate {
	if len(before) > 0 && before[0] == "help" {
		return commandWords(before[1:])
	}
	found := commandWords(before)
	if len(before) == 0 {
		return append(found, candidate{"help", "list the commands, or tell about one"})
	}
	c, given, ok := findCommand(before)
	if !ok {
		return found
	}
	d := describe(c)
	if n := len(given); n > 0 && slices.ContainsFunc(d.flags, func(f *flag.Flag) bool {
		return takesValue(f) && given[n-1] == "-"+f.Name
	}) {
		return nil
	}
	for _, f := range d.flags {
		found = append(found, candidate{"-" + f.Name, meaning(f)})
	}
	if c.words != nil {
		for _, w := range c.words() {
			found = append(found, candidate{word: w})
		}
	}
	return found
}

// commandWords gives the words that lead on from these to a command.
func commandWords(before []string) []candidate {
	var found []candidate
	for _, d := range commands() {
		words := strings.Fields(d.name)
		if len(words) <= len(before) || !slices.Equal(words[:len(before)], before) {
			continue
		}
		next := candidate{words[len(before)], d.summary}
		if len(words) > len(before)+1 {
			next.means = "commands about a " + next.word
		}
		if !slices.ContainsFunc(found, func(c candidate) bool { return c.word == next.word }) {
			found = append(found, next)
		}
	}
	return found
}
