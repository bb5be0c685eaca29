package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// eraseCommand erases a person, here and at every vendor that can be asked.
func eraseCommand() command {
	c := command{name: "erase", operands: "[-reason TEXT] [-yes] KEY", summary: "erase a person (email:ann@example.com, or the number) from everything that is stored, and have vendors asked to"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		reason, yes := "", false
		keys, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.StringVar(&reason, "reason", "", "why; kept with the request, unless it names the person")
			f.BoolVar(&yes, "yes", false, "do not ask")
		}, 1, 1)
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error { return p.erase(ctx, a, keys[0], reason, yes) })
	}
	return c
}

func (p *program) erase(ctx context.Context, a *app, key, reason string, yes bool) error {
	person, err := a.findPerson(ctx, key)
	if err != nil {
		return err
	}
	if !yes {
		fmt.Fprintf(p.stdout, "Person %d (%s) will be erased for good: events, raw events, history, pushes, decisions. Type the number to go on: ", person.ID, strings.Join(person.Keys, ", "))
		line, err := bufio.NewReader(p.stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if strings.TrimSpace(line) != fmt.Sprint(person.ID) {
			return errors.New("nothing was erased")
		}
	}
	e, _, err := a.admin.OpenErasure(ctx, person.ID, reason, cliAuthor)
	if err != nil {
		return err
	}
	if e.State == store.ErasureOpen {
		work, err := a.admin.ConfirmErasure(ctx, e.ID, cliAuthor)
		if err != nil {
			return err
		}
		if _, err := p.follow(ctx, a, work.ID); err != nil {
			return err
		}
	}
	return p.tellErasure(ctx, a, e.ID)
}

// tellErasure shows what was removed, and what each vendor has still to do.
func (p *program) tellErasure(ctx context.Context, a *app, id int64) error {
	e, err := a.store.Erasure(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "erasure %d: %s\n", e.ID, e.State)
	var r jobs.Removed
	if e.Result != "" {
		if err := json.Unmarshal([]byte(e.Result), &r); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "  %d events and the bytes of %d raw events are gone\n", r.Events, r.RawEvents)
	}
	for _, place := range r.Mend {
		fmt.Fprintf(p.stdout, "  names the person, change it by hand: %s\n", place)
	}
	all, err := a.store.Certificates(ctx, []int64{id})
	if err != nil {
		return err
	}
	for _, c := range all[id] {
		fmt.Fprintf(p.stdout, "  %s: %s%s\n", c.Connection, c.State, behind(c.Proof+c.Message))
	}
	return nil
}

func behind(text string) string {
	if text == "" {
		return ""
	}
	return ": " + oneLine(text)
}

// erasuresCommand lists requests, or keeps and applies the list of what was
// erased.
func erasuresCommand() command {
	c := command{name: "erasures", operands: "[-o FILE | -apply FILE]", summary: "list requests for erasure; write the list of what was erased, to be kept beside the backups, or hold a restored one against it"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		out, apply := "", ""
		if _, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.StringVar(&out, "o", "", "write the list of keyed hashes of what was erased to this file; - for standard output")
			f.StringVar(&apply, "apply", "", "erase again what is in this list, after a backup was restored that is older")
		}, 0, 0); err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error {
			switch {
			case out != "":
				return p.writeErased(ctx, a, out)
			case apply != "":
				return p.applyErased(ctx, a, apply)
			}
			return p.listErasures(ctx, a)
		})
	}
	return c
}

func (p *program) listErasures(ctx context.Context, a *app) error {
	w := tabwriter.NewWriter(p.stdout, 0, 4, 2, ' ', 0)
	for before := int64(0); ; {
		all, err := a.store.Erasures(ctx, store.ErasureFilter{Before: before, Limit: store.MaxPage})
		if err != nil {
			return err
		}
		for i := range all {
			e := &all[i]
			fmt.Fprintf(w, "%d\tperson %d\t%s\topened %s by %s\t%s\n", e.ID, e.Person, e.State, when(e.Opened), e.Author, e.DecidedBy)
			before = e.ID
		}
		if len(all) < store.MaxPage {
			return w.Flush()
		}
	}
}

func (p *program) writeErased(ctx context.Context, a *app, path string) error {
	list, err := a.admin.Erased(ctx)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(map[string]any{"items": list}, "", " ")
	if err != nil {
		return err
	}
	if path == "-" {
		_, err := p.stdout.Write(append(b, '\n'))
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o600)
}

func (p *program) applyErased(ctx context.Context, a *app, path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var list struct {
		Items []jobs.ErasedEntry `json:"items"`
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return fmt.Errorf("%s: is no list of erasures: %w", path, err)
	}
	n, err := a.admin.ApplyErased(ctx, list.Items)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	works, err := a.store.Works(ctx, store.WorkFilter{Kind: jobs.WorkErase, Limit: 1})
	if err != nil || len(works) == 0 {
		return err
	}
	if _, err := p.follow(ctx, a, works[0].ID); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "everything that is stored was held against %d hashes\n", n)
	return nil
}

// exportPersonCommand writes all that is held about a person.
func exportPersonCommand() command {
	c := command{name: "export-person", operands: "[-o FILE] KEY", summary: "write all that is held about a person as JSON, raw events included"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		path := "-"
		keys, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.StringVar(&path, "o", path, "file to write, which must not be there; - for standard output")
		}, 1, 1)
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error {
			person, err := a.findPerson(ctx, keys[0])
			if err != nil {
				return err
			}
			if err := a.store.NoteAudit(ctx, "person.export", fmt.Sprint("person:", person.ID), nil, nil); err != nil {
				return err
			}
			if path == "-" {
				return a.admin.ExportPerson(ctx, person.ID, p.stdout)
			}
			_, err = writeWhole(path, func(w io.Writer) error { return a.admin.ExportPerson(ctx, person.ID, w) })
			return err
		})
	}
	return c
}
