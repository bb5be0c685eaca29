package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/bench"
	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
	"github.com/stagebridge/stagebridge/web/access"
)

// benchPagesCommand opens every page of a large workspace.
func benchPagesCommand() command {
	c := command{name: "bench pages", operands: "[-people N] [-rows N] [-connections N] [-on sqlite|postgres] [-dir DIR]",
		summary: "store a large workspace and hold every page against its bounds of time, size and statements"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		z := bench.PagesSize{People: 1_000_000, Rows: 5_000_000, Connections: 30}
		on, dir := "sqlite", ""
		if _, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.IntVar(&z.People, "people", z.People, "how many people are stored")
			f.IntVar(&z.Rows, "rows", z.Rows, "how many raw events the inbox holds")
			f.IntVar(&z.Connections, "connections", z.Connections, "how many connections there are")
			f.StringVar(&on, "on", on, "sqlite, or postgres: the server of STAGEBRIDGE_TEST_POSTGRES_URL")
			f.StringVar(&dir, "dir", "", "where SQLite's files are kept, and found again by the next run; empty: nowhere")
		}, 0, 0); err != nil {
			return err
		}
		postgres := p.env["STAGEBRIDGE_TEST_POSTGRES_URL"]
		switch {
		case z.Check() != nil:
			return &usageError{c, z.Check()}
		case on != "sqlite" && on != "postgres":
			return &usageError{c, errors.New("-on is sqlite or postgres")}
		case on == "postgres" && postgres == "":
			return &usageError{c, errors.New("-on postgres wants STAGEBRIDGE_TEST_POSTGRES_URL ('scripts/services COMMAND' sets it)")}
		case on == "sqlite":
			postgres = ""
		}
		return p.benchPages(ctx, z, postgres, dir)
	}
	return c
}

// benchPages stores the workspace, where it is not there from an earlier run,
// and opens its pages.
func (p *program) benchPages(ctx context.Context, z bench.PagesSize, postgres, dir string) (err error) {
	env, drop, err := bench.Database(ctx, postgres)
	if err != nil {
		return err
	}
	defer drop()
	if dir == "" {
		if dir, err = os.MkdirTemp("", "stagebridge-bench"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	env["STAGEBRIDGE_DATA_DIR"], env["STAGEBRIDGE_LOG_LEVEL"] = dir, "warn"
	cfg, _, err := loadConfig(env)
	if err != nil {
		return err
	}
	p.tuneMemory()
	told := func(format string, args ...any) { fmt.Fprintf(p.stdout, "# "+format+"\n", args...) }
	began := time.Now()
	err = bench.LoadPages(ctx, store.Options{URL: cfg.DatabaseURL.Reveal(), Dir: dir}, z, began, told)
	fresh := err == nil
	if err != nil && !errors.Is(err, store.ErrNotEmpty) {
		return err
	}
	a, err := openAppAsked(ctx, cfg, logTo(cfg, p.stderr), bench.Asked)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	if fresh {
		if err := p.fillPages(ctx, a, z, told); err != nil {
			return err
		}
		told("stored in %s", time.Since(began).Round(time.Second))
	}
	w, err := web.New(ctx, web.Options{Store: a.store, Registry: a.registry, Admin: a.admin, Samples: samples{a.vault}, Version: version(), Log: a.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	token := rand.Text()
	if err := a.store.StartSession(ctx, access.Hash(token), "admin", 0); err != nil {
		return err
	}
	return bench.Pages(ctx, bench.PagesOptions{Handler: w, Routes: w.Pages(), Size: z, Out: p.stdout,
		Cookie: &http.Cookie{Name: "stagebridge", Value: token}})
}

// fillPages publishes the plan, makes the connections, and stores the people.
func (p *program) fillPages(ctx context.Context, a *app, z bench.PagesSize, told func(format string, args ...any)) error {
	now, err := a.admin.Plan(ctx)
	if err == nil {
		_, err = a.admin.PublishPlan(ctx, now.Version, store.Versioned{Source: bench.PagesPlan, Author: "bench"})
	}
	for _, id := range z.IDs() {
		if err != nil {
			return err
		}
		_, err = a.admin.Create(ctx, jobs.ConnectionInput{ID: id, Connector: "generic-webhook", Author: "bench", Push: &connectors.PushConfig{Enabled: z.Sink(id)},
			Settings: map[string]string{"url": "https://example.com/lifecycle"}, Secrets: map[string]secret.Text{"signing_secret": secret.New(bench.SigningKey)}})
	}
	if err != nil {
		return err
	}
	if _, err := a.admin.PublishRules(ctx, "shop", 0, store.Versioned{Source: bench.PagesRules, Author: "bench"}); err != nil {
		return err
	}
	if err := a.store.AddUser(ctx, store.User{Name: "admin", Password: "none", Role: string(access.Admin)}); err != nil {
		return err
	}
	for i := range 20 {
		if err := a.store.AddUser(ctx, store.User{Name: fmt.Sprint("user-", i), Password: "none", Role: string(access.Viewer)}); err != nil {
			return err
		}
	}
	events, err := bench.FillPeople(ctx, a.store, a.registry.Config().Plan, z, time.Now(), told)
	if err != nil {
		return err
	}
	told("%d people with %d events", z.People, events)
	if err := bench.FillAccounts(ctx, a.store, a.registry.Config().Plan, z, lifecycle.At(time.Now())); err != nil {
		return err
	}
	if _, _, err := a.admin.OpenErasure(ctx, lifecycle.ProfileID(z.People/4), "asked by mail", "bench"); err != nil {
		return err
	}
	return p.summarise(ctx, a)
}
