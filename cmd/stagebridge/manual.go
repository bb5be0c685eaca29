package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
)

//go:generate go run . manual -format markdown -o ../../docs/commands.md

// manualCommand writes all commands with their flags as one text.
func manualCommand() command {
	c := command{name: "manual", operands: "[-format man|markdown] [-o FILE]", summary: "write the manual page of all commands; 'stagebridge manual | man -l -' shows it"}
	c.run = func(_ context.Context, p *program, args []string) error {
		format, path := "man", ""
		if _, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.StringVar(&format, "format", format, "man or markdown")
			f.StringVar(&path, "o", "", "the file that it is written to; the standard output when empty")
		}, 0, 0); err != nil {
			return err
		}
		formats := map[string]func([]described) string{"man": manPage, "markdown": commandsPage}
		write, ok := formats[format]
		if !ok {
			return &usageError{c, fmt.Errorf("-format is %q, want man or markdown", format)}
		}
		text := write(describeAll())
		if path == "" {
			_, err := io.WriteString(p.stdout, text)
			return err
		}
		return os.WriteFile(path, []byte(text), 0o644)
	}
	return c
}

// commandsPage is docs/commands.md.
func commandsPage(all []described) string {
	var b strings.Builder
	b.WriteString(`<!-- Written by 'go generate ./cmd/stagebridge' out of the commands themselves. -->
# Commands

` + "`stagebridge COMMAND -help` tells the same; `stagebridge completion SHELL` and" + `
` + "`stagebridge manual` give completion and a manual page. Commands read the settings" + `
of the server (config.example.env) and work on its database, beside it.

`)
	for _, d := range all {
		fmt.Fprintf(&b, "- [%s](#%s): %s\n", d.name, strings.ReplaceAll(d.name, " ", "-"), markdownText(d.summary))
	}
	for _, d := range all {
		fmt.Fprintf(&b, "\n## %s\n\n    %s\n\n%s\n", d.name, d.usage(), markdownText(sentence(d.summary)))
		if len(d.flags) > 0 {
			b.WriteString("\n| flag | meaning |\n| --- | --- |\n")
		}
		for _, f := range d.flags {
			name := strings.TrimSpace("-" + f.Name + " " + valueName(f))
			fmt.Fprintf(&b, "| `%s` | %s |\n", name, strings.ReplaceAll(markdownText(meaning(f)+defaultOf(f)), "|", `\|`))
		}
	}
	return b.String()
}

// markdownText keeps Markdown from reading a plain text as markup.
func markdownText(s string) string {
	return strings.NewReplacer("<", "&lt;", "*", `\*`, "_", `\_`, "[", `\[`).Replace(s)
}

// manPage is the manual page stagebridge(1).
func manPage(all []described) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH STAGEBRIDGE 1 \"\" \"stagebridge %s\" \"Stagebridge\"\n", version())
	b.WriteString(".SH NAME\nstagebridge \\- one truth about where each customer stands, in every tool\n" +
		".SH SYNOPSIS\n.B stagebridge\n.I COMMAND\n[\\fIflags\\fR] [\\fIoperands\\fR]\n.SH COMMANDS\n")
	for _, d := range all {
		fmt.Fprintf(&b, ".SS %s\n.nf\n.B %s\n.fi\n.PP\n%s\n", manText(d.name), manText(d.usage()), manText(sentence(d.summary)))
		for _, f := range d.flags {
			fmt.Fprintf(&b, ".TP\n.BI %s \" %s\"\n%s\n", manText("-"+f.Name), manText(valueName(f)), manText(sentence(meaning(f)+defaultOf(f))))
		}
	}
	b.WriteString(".SH ENVIRONMENT\nEvery setting is an environment variable; config.example.env tells what each means.\n")
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		fmt.Fprintf(&b, ".TP\n.B %s\n", manText(prefix+f.Tag.Get("envconfig")))
		switch value := f.Tag.Get("default"); {
		case f.Type == secretType:
			fmt.Fprintf(&b, "A secret; %s names a file that holds it.\n", manText(prefix+f.Tag.Get("envconfig")+fileSuffix))
		case value == "":
			b.WriteString("Empty unless it is set.\n")
		default:
			fmt.Fprintf(&b, "Default: %s\n", manText(value))
		}
	}
	fmt.Fprintf(&b, ".SH EXIT STATUS\n%d: done. %d: what was asked for did not go through. %d: the command line could not be understood.\n", exitOK, exitError, exitUsage)
	return b.String()
}

// manText keeps roff from reading a plain text as markup.
func manText(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`, "…", "...").Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}

// valueName names what follows a flag; "" for a flag that stands alone.
func valueName(f *flag.Flag) string {
	if !takesValue(f) {
		return ""
	}
	name, _ := flag.UnquoteUsage(f)
	return name
}

// defaultOf tells a default that the flag's meaning does not.
func defaultOf(f *flag.Flag) string {
	if value := f.DefValue; value != "" && value != "0" && value != "false" && value != "0s" && !strings.Contains(f.Usage, "default") {
		return " (default " + value + ")"
	}
	return ""
}
