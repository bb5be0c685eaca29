package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/archive"
)

// moveCommand brings an installation from SQLite to PostgreSQL.
func moveCommand() command {
	c := command{name: "move", operands: "-to postgres://…", summary: "bring everything from SQLite in the data folder to an empty PostgreSQL database, and compare the two; stop the server first"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		to := ""
		_, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.StringVar(&to, "to", "", "address of the empty database; the variable "+prefix+"MOVE_TO keeps its password out of the list of processes")
		}, 0, 0)
		if err != nil {
			return err
		}
		if to == "" {
			to = p.env[prefix+"MOVE_TO"]
		}
		if to == "" {
			return &usageError{c, errors.New("-to is missing")}
		}
		return p.withApp(ctx, func(a *app) error { return p.move(ctx, a, secret.New(to)) })
	}
	return c
}

func (p *program) move(ctx context.Context, a *app, to secret.Text) error {
	if a.store.Postgres() {
		return fmt.Errorf("%sDATABASE_URL is set: the data are in PostgreSQL already", prefix)
	}
	// Nothing comes in while the data are copied. A server that runs all the same
	// answers webhooks with 503, and vendors send them again.
	if err := a.store.Own(ctx); err != nil {
		return fmt.Errorf("%w; stop the server first", err)
	}
	progress := &tableProgress{to: p.stderr, every: time.Second}
	counts, err := archive.Move(ctx, a.store, store.Options{URL: to.Reveal(), Log: a.log}, progress.rows)
	if err != nil {
		return fmt.Errorf("%w; the database was left empty and the data folder as it was", err)
	}
	if err := a.store.NoteMoved(ctx, time.Now().UTC().Format("2006-01-02 15:04 UTC")); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "moved %d rows of %d tables; every table was read again and compared\n", allRows(counts), len(counts))
	fmt.Fprintf(p.stdout, "Set %[1]sDATABASE_URL to the new database and %[1]sSECRET_KEY to this installation's key", prefix)
	if a.config.SecretKey.Empty() {
		fmt.Fprintf(p.stdout, " (the content of secret.key in %s)", a.config.DataDir)
	}
	fmt.Fprint(p.stdout, ", then start the server.\nThe data folder keeps the old copy, with which a server does not start any more.\n")
	return nil
}

// stayed refuses a folder whose data went to another database.
func stayed(ctx context.Context, s *store.Store) error {
	when, err := s.Moved(ctx)
	if err != nil || when == "" {
		return err
	}
	return fmt.Errorf("the data of this folder were moved to PostgreSQL on %s; set %sDATABASE_URL", when, prefix)
}
