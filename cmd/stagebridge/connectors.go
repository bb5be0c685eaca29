package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/catalog"
	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// connectorsCommand tells what can be connected, out of the descriptors.
func connectorsCommand() command {
	c := command{name: "connectors", operands: "[ID | -rules ID]", summary: "list what can be connected, or tell what one connector needs"}
	c.run = func(_ context.Context, p *program, args []string) error {
		rules := false
		names, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.BoolVar(&rules, "rules", false, "print the rules that a connection of this connector starts with")
		}, 0, 1)
		if err != nil {
			return err
		}
		if len(names) == 0 && rules {
			return &usageError{c, errors.New("-rules wants the id of a connector")}
		}
		if len(names) == 0 {
			return listConnectors(p.stdout)
		}
		v, ok := catalog.Find(names[0])
		if !ok {
			return unknownConnector(names[0])
		}
		if rules {
			_, err := p.stdout.Write(v.Descriptor.Rules)
			return err
		}
		return describeConnector(p.stdout, v.Descriptor)
	}
	return c
}

func unknownConnector(id string) error {
	var ids []string
	for _, v := range catalog.All() {
		ids = append(ids, v.Descriptor.ID)
	}
	if near := document.Nearest(id, ids); near != "" {
		return fmt.Errorf("there is no connector %q; did you mean %s?", id, near)
	}
	return fmt.Errorf("there is no connector %q; there are %s", id, strings.Join(ids, ", "))
}

func listConnectors(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tDOES")
	for _, v := range catalog.All() {
		can, err := connectors.CapabilitiesOf(v)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Descriptor.ID, v.Descriptor.Name, does(can))
	}
	return w.Flush()
}

// does puts capabilities into words.
func does(c connectors.Capabilities) string {
	var words []string
	for _, can := range []struct {
		yes  bool
		word string
	}{
		{c.Source, "takes webhooks"},
		{c.TrackingAPI, "takes client libraries at /v1"},
		{c.Poller, "asks for what is new"},
		{c.Enricher, "fetches records"},
		{c.Registrar, "registers itself"},
		{c.Takes == connectors.TakesState, "gets stage and segments"},
		{c.Takes == connectors.TakesEvents, "gets every move"},
		{c.JobPoller, "follows jobs"},
		{c.Reader, "reads back"},
		{c.Lister, "lists people"},
		{c.Eraser, "forwards erasures"},
		{c.Checker, "tests itself"},
	} {
		if can.yes {
			words = append(words, can.word)
		}
	}
	return strings.Join(words, ", ")
}

func describeConnector(out io.Writer, d *connectors.Descriptor) error {
	fmt.Fprintf(out, "%s (%s)\n%s\n", d.Name, d.ID, d.Summary)
	describeFields(out, "secrets", d.Secrets)
	describeFields(out, "settings", d.Settings)
	if len(d.Links) > 0 {
		fmt.Fprint(out, "\nlinks:\n")
		for _, l := range d.Links {
			fmt.Fprintf(out, "  %s: %s\n", l.Title, l.URL)
		}
	}
	_, err := fmt.Fprintf(out, "\nSetting it up:\n\n%s", d.Guide)
	return err
}

func describeFields(out io.Writer, block string, fields []connectors.FieldSpec) {
	if len(fields) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s:\n", block)
	for _, f := range fields {
		fmt.Fprintf(out, "  %s%s\n      %s\n", f.Name, demands(f), f.Help)
	}
}

// demands says behind a field's name whether it must be set, what it may be
// and what it is otherwise.
func demands(f connectors.FieldSpec) string {
	var words []string
	switch f.Required {
	case "always":
		words = append(words, "required")
	case "source":
		words = append(words, "required to receive")
	case "destination":
		words = append(words, "required to push")
	}
	if len(f.Choices) > 0 {
		words = append(words, "one of "+strings.Join(f.Choices, ", "))
	}
	if f.Default != "" {
		words = append(words, "default "+f.Default)
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, "; ") + ")"
}
