package main

import (
	"context"
	"errors"
	"flag"
	"time"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/bench"
)

// benchSoakCommand looks whether a server stays as it is under a long load.
func benchSoakCommand() command {
	c := command{name: "bench soak", operands: "[-for 1h] [-rate N] [-on sqlite|postgres]", summary: "load a server steadily at half its maximum and see that memory, files and goroutines stay flat"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		o := bench.SoakOptions{For: time.Hour, Out: p.stdout, Postgres: p.env["STAGEBRIDGE_TEST_POSTGRES_URL"], Redis: p.env["STAGEBRIDGE_TEST_REDIS_URL"]}
		on := ""
		if _, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.DurationVar(&o.For, "for", o.For, "how long")
			f.Float64Var(&o.Rate, "rate", 0, "events a second; 0 measures the maximum and takes half")
			f.StringVar(&on, "on", "", "sqlite or postgres; empty: PostgreSQL where STAGEBRIDGE_TEST_POSTGRES_URL names one, else SQLite")
		}, 0, 0); err != nil {
			return err
		}
		switch {
		case o.For <= 0 || o.Rate < 0:
			return &usageError{c, errors.New("-for and -rate must not be negative")}
		case on != "" && on != "sqlite" && on != "postgres":
			return &usageError{c, errors.New("-on is sqlite or postgres")}
		case on == "postgres" && o.Postgres == "":
			return &usageError{c, errors.New("-on postgres wants STAGEBRIDGE_TEST_POSTGRES_URL ('scripts/services COMMAND' sets it)")}
		case on == "sqlite":
			o.Postgres, o.Redis = "", ""
		}
		return bench.Soak(ctx, o)
	}
	return c
}
