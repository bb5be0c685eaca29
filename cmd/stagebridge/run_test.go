package main

import (
	"bytes"
	"strings"
	"testing"
)

// result is what one run of the program left.
type result struct {
	code           int
	stdout, stderr string
}

// stagebridge runs the real program in this process with an environment of its own.
func stagebridge(t *testing.T, env map[string]string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, env, strings.NewReader(""), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

func TestRun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{name: "nothing", code: exitOK, stdout: "usage: stagebridge COMMAND"},
		{name: "help", args: []string{"help"}, code: exitOK, stdout: "print the version"},
		{name: "help flag", args: []string{"--help"}, code: exitOK, stdout: "print the version"},
		{name: "help of a command", args: []string{"help", "version"}, code: exitOK, stdout: "usage: stagebridge version"},
		{name: "help of nothing known", args: []string{"help", "versoin"}, code: exitUsage, stderr: "stagebridge version"},
		{name: "own help", args: []string{"version", "-help"}, code: exitOK, stdout: "usage: stagebridge version"},
		{name: "slip", args: []string{"verson"}, code: exitUsage, stderr: "did you mean 'stagebridge version'?"},
		{name: "far off", args: []string{"frobnicate"}, code: exitUsage, stderr: `there is no command "frobnicate"`},
		{name: "unknown flag", args: []string{"version", "-x"}, code: exitUsage, stderr: "usage: stagebridge version"},
		{name: "too much", args: []string{"version", "now"}, code: exitUsage, stderr: `does not know what to do with "now"`},
		{name: "version", args: []string{"version"}, code: exitOK, stdout: "stagebridge "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := stagebridge(t, nil, tt.args...)
			if got.code != tt.code {
				t.Errorf("exit code %d, want %d", got.code, tt.code)
			}
			if !strings.Contains(got.stdout, tt.stdout) || tt.stdout == "" && got.stdout != "" {
				t.Errorf("standard output %q, want %q in it", got.stdout, tt.stdout)
			}
			if !strings.Contains(got.stderr, tt.stderr) || tt.stderr == "" && got.stderr != "" {
				t.Errorf("standard error %q, want %q in it", got.stderr, tt.stderr)
			}
		})
	}
}

// TestEveryCommandHelps asks each command for its help, which must name it and
// do nothing else.
func TestEveryCommandHelps(t *testing.T) {
	t.Parallel()
	list := stagebridge(t, nil, "help").stdout
	seen := map[string]bool{}
	for _, c := range commands() {
		if seen[c.name] {
			t.Errorf("%s is there twice", c.name)
		}
		seen[c.name] = true
		if !strings.Contains(list, "  "+c.name) || c.summary == "" {
			t.Errorf("%s is not in the list of commands, or without a summary", c.name)
		}
		got := stagebridge(t, nil, append(strings.Fields(c.name), "-help")...)
		if got.code != exitOK || got.stderr != "" || !strings.Contains(got.stdout, "usage: stagebridge "+c.name) {
			t.Errorf("%s -help: code %d, output %q, errors %q", c.name, got.code, got.stdout, got.stderr)
		}
	}
}
