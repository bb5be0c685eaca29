package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/sample"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// becomeWait is how long send waits to see what became of its event.
const becomeWait = 10 * time.Second

// sendCommand posts a sample event to the running server.
func sendCommand() command {
	c := command{name: "send", operands: "[-email ADDRESS] CONNECTION TYPE", summary: "sign and post a sample event to the running server, as the vendor would"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		email := "sample@example.com"
		operands, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.StringVar(&email, "email", email, "the person whom the sample is about, where the vendor names one")
		}, 2, 2)
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error { return p.send(ctx, a, operands[0], operands[1], email) })
	}
	return c
}

func (p *program) send(ctx context.Context, a *app, id, kind, email string) error {
	c, err := a.registry.Find(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return unknownConnection(a, id)
	}
	if err != nil {
		return err
	}
	secrets, err := jobs.OpenSecrets(a.vault, c.ID, c.Secrets)
	if err != nil {
		return err
	}
	addr, public, err := a.serverAddress(ctx, p)
	if err != nil {
		return err
	}
	target := c.PublicURL
	if rest, own := strings.CutPrefix(target, a.config.PublicURL); own {
		target = public + rest // not where the connection has an address of its own
	}
	r, err := sample.Request(ctx, sample.Options{
		Connector: c.Connector, Settings: c.Settings, Secrets: secrets, URL: target, Type: kind, Email: email, Stamp: time.Now(),
	})
	if err != nil {
		return err
	}
	// Signatures cover the public address; the request goes to the server of
	// this machine, so that it works before any proxy stands in front of it.
	r.URL = &url.URL{Scheme: "http", Host: reachable(addr), Path: "/hooks/" + id, RawQuery: r.URL.RawQuery}
	r.Host = ""
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("no server answers at %s: %w", addr, errors.Unwrap(err))
	}
	defer response.Body.Close()
	words, err := io.ReadAll(io.LimitReader(response.Body, maxHealthBody))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the server refused it with %s: %s", response.Status, strings.TrimSpace(string(words)))
	}
	receipt := response.Header.Get("Stagebridge-Receipt")
	fmt.Fprintf(p.stdout, "sent %s to %s: %s, receipt %s\n", kind, id, response.Status, receipt)
	inbox, err := strconv.ParseInt(receipt, 10, 64)
	if err != nil {
		return fmt.Errorf("the receipt %q is not one of this server", receipt)
	}
	return a.became(ctx, p.stdout, inbox)
}

// noteAddress is the store's note of where the server listens and what vendors
// call, so that a command in another terminal need not be told.
const noteAddress = "server address"

func (s *server) noteAddress(ctx context.Context) error {
	return s.store.SetNote(ctx, noteAddress, s.listener.Addr().String()+" "+s.config.PublicURL)
}

// serverAddress gives where the server listens and what vendors call: as the
// settings say, or else as the server noted when it started last.
func (a *app) serverAddress(ctx context.Context, p *program) (addr, public string, err error) {
	addr, public = a.config.Addr, a.config.PublicURL
	noted, err := a.store.Note(ctx, noteAddress)
	if errors.Is(err, store.ErrNotFound) {
		return addr, public, nil
	}
	if err != nil {
		return "", "", err
	}
	at, url, _ := strings.Cut(noted, " ")
	if p.env[prefix+"ADDR"] == "" {
		addr = at
	}
	if p.env[prefix+"PUBLIC_URL"] == "" {
		public = url
	}
	return addr, public, nil
}

// became waits until a raw event has an outcome and tells it.
func (a *app) became(ctx context.Context, out io.Writer, inbox int64) error {
	ctx, cancel := context.WithTimeout(ctx, becomeWait)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		t, err := a.store.Trace(ctx, inbox)
		if err != nil {
			return err
		}
		if t.Raw.Status != "pending" {
			return tellTrace(out, t)
		}
		select {
		case <-ctx.Done():
			fmt.Fprintf(out, "still pending")
			if t.Raw.Waiting != "" {
				fmt.Fprintf(out, ": %s, next try %s", t.Raw.Waiting, when(t.Raw.NextTry))
			}
			fmt.Fprintln(out)
			return nil
		case <-tick.C:
		}
	}
}

// tellTrace prints what a raw event led to.
func tellTrace(out io.Writer, t *store.Trace) error {
	o := t.Raw.Outcome
	fmt.Fprintf(out, "became: %s", t.Raw.Status)
	for _, words := range []string{o.Step, o.Reason, o.Detail} {
		if words != "" {
			fmt.Fprintf(out, ", %s", words)
		}
	}
	if o.Rule != "" {
		fmt.Fprintf(out, ", rule %s", o.Rule)
	}
	fmt.Fprintln(out)
	for i := range t.Events {
		fmt.Fprintf(out, "event: %s at %s\n", t.Events[i].Event.Name, when(t.Events[i].Event.At))
	}
	for i := range t.Moves {
		if m := &t.Moves[i]; m.From != m.To {
			fmt.Fprintf(out, "move: %s to %s (%s)\n", orNothing(string(m.From)), m.To, m.Kind)
		}
	}
	for _, person := range t.People {
		fmt.Fprintf(out, "person %d (%s): %s\n", person.ID, strings.Join(person.Keys, ", "), person.Stage)
	}
	for _, s := range t.Deliveries {
		fmt.Fprintf(out, "at %s: %s %s\n", s.Connection, s.State, s.Reason)
	}
	return nil
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
