package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/demo"
)

// demoTime is how long the story may take until everybody is where they
// should be everywhere. It takes a few seconds; with every vendor, whose rate
// limits are kept, some more.
const (
	demoTime    = 3 * time.Minute
	demoAllTime = 5 * time.Minute
)

// demoCommand shows the whole way with simulated vendors.
func demoCommand() command {
	c := command{name: "demo", operands: "[-all] [-stay]", summary: "run a story through the whole way with simulated vendors; needs nothing, leaves nothing"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		all, stay := false, false
		if _, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.BoolVar(&all, "all", false, "push to a simulated vendor of every connector, not only to those of the story")
			f.BoolVar(&stay, "stay", false, "go on serving afterwards, to look around in a browser")
		}, 0, 0); err != nil {
			return err
		}
		return p.demo(ctx, all, stay)
	}
	return c
}

func (p *program) demo(ctx context.Context, all, stay bool) (err error) {
	begun := time.Now()
	folder, err := os.MkdirTemp("", "stagebridge-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	world, err := demo.Open(all)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	s, password, err := p.demoServer(ctx, folder, stay)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	world.Run(ctx)

	fmt.Fprintf(p.stdout, "Stagebridge demo: everything runs in %s and on %s, with simulated vendors.\n"+
		"No real vendor is reached.\n\n", folder, s.url())
	limit := demoTime
	if all {
		limit = demoAllTime
	}
	result, err := tellStory(ctx, s, world, limit)
	if result != nil {
		if err := tellResult(p.stdout, world, result); err != nil {
			return err
		}
	}
	if all && result != nil {
		got, missing := world.Others(ctx, s.store)
		err = errors.Join(err, missing, tellOthers(p.stdout, world, got))
	}
	if err != nil {
		return fmt.Errorf("not everything is as the story says:\n%w", err)
	}
	fmt.Fprintf(p.stdout, "\nEverybody is in the same stage and segments here and at every vendor. It took %.1f s.\n", time.Since(begun).Seconds())
	if !stay {
		return nil
	}
	fmt.Fprintf(p.stdout, "\nOpen %s and log in as admin with the password %s\nInterrupt to end; nothing is kept.\n", s.url(), password)
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.served:
		return err
	}
}

// tellStory runs the story to its end and compares.
func tellStory(ctx context.Context, s *server, world *demo.World, limit time.Duration) (*demo.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := world.Connect(ctx, s.admin); err != nil {
		return nil, err
	}
	if _, err := world.Tell(ctx, s.url()+"/hooks"); err != nil {
		return nil, err
	}
	if err := world.Settle(ctx, s.store); err != nil {
		return nil, err
	}
	return world.Look(ctx, s.store)
}

// demoServer starts a server that shares nothing with an installation: of the
// settings only ADDR counts, and only to stay at.
func (p *program) demoServer(ctx context.Context, folder string, stay bool) (*server, string, error) {
	addr := "127.0.0.1:0"
	if stay && p.env[prefix+"ADDR"] != "" {
		addr = p.env[prefix+"ADDR"]
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, "", err
	}
	password := rand.Text()[:12]
	config, _, err := loadConfig(map[string]string{
		prefix + "ADDR": reachable(listener.Addr().String()), prefix + "DATA_DIR": folder, prefix + "ADMIN_PASSWORD": password,
		prefix + "ALLOW_PRIVATE_NETWORKS": "true", prefix + "LOG_LEVEL": "warn",
	})
	if err != nil {
		return nil, "", errors.Join(err, listener.Close())
	}
	a, err := openApp(ctx, config, logTo(config, p.stderr))
	if err != nil {
		return nil, "", errors.Join(err, listener.Close())
	}
	a.listener = listener
	s, err := startServer(ctx, a, roles{web: true, work: true}, true)
	return s, password, err
}

// tellResult prints the table that ends the demo.
func tellResult(out io.Writer, world *demo.World, r *demo.Result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "EVENTS IN\tfrom\ttaken\techoes and others ignored\ttwice")
	for _, id := range slices.Sorted(maps.Keys(r.Inbox)) {
		if x := r.Inbox[id]; x.Done+x.Ignored > 0 {
			fmt.Fprintf(w, "  %s\t%s\t%d\t%d\t%d\n", id, world.Label(id), x.Done, x.Ignored, x.Duplicates)
		}
	}
	fmt.Fprintln(w, "\t\t\t\t\nPEOPLE PER STAGE\t\tpeople\t\t")
	for _, stage := range demo.Stages() {
		fmt.Fprintf(w, "  %s\t\t%d\t\t\n", stage, r.Stages[stage])
	}
	fmt.Fprintln(w, "\t\t\t\t\nMOVES\t\tmoves\t\t")
	for _, kind := range slices.Sorted(maps.Keys(r.Moves)) {
		fmt.Fprintf(w, "  %s\t\t%d\t\t\n", kind, r.Moves[kind])
	}
	fmt.Fprintln(w, "\t\t\t\t\nWRITES ACCEPTED\tby\twrites\tpeople held there\tpeople in sync")
	for _, id := range slices.Sorted(maps.Keys(r.Written)) {
		fmt.Fprintf(w, "  %s\t%s\t%d\t%d\t%d\n", id, world.Label(id), r.Written[id], r.People[id], r.Sync[id]["synced"])
	}
	return w.Flush()
}

// tellOthers prints what the vendors beside the story got.
func tellOthers(out io.Writer, world *demo.World, all []demo.Received) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nEVERY OTHER VENDOR\tby\twrites\tpeople held there\tpeople by state")
	for _, r := range all {
		states := ""
		for _, state := range slices.Sorted(maps.Keys(r.Sync)) {
			if n := r.Sync[state]; n > 0 {
				states += fmt.Sprintf("%s%d %s", separator(states), n, state)
			}
		}
		fmt.Fprintf(w, "  %s\t%s\t%d\t%d\t%s\n", r.Connection, world.Label(r.Connection), r.Writes, r.Held, states)
	}
	return w.Flush()
}

func separator(before string) string {
	if before == "" {
		return ""
	}
	return ", "
}
