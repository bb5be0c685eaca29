package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// serveCommand runs the server until it is told to stop.
func serveCommand() command {
	c := command{name: "serve", operands: "[-role all|web|worker]", summary: "run the server; with nothing configured on SQLite and an embedded Redis"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		role := "all"
		if _, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.StringVar(&role, "role", role, "what this process does: all, web or worker")
		}, 0, 0); err != nil {
			return err
		}
		as := map[string]roles{"all": {true, true}, "web": {web: true}, "worker": {work: true}}
		r, ok := as[role]
		if !ok {
			return &usageError{c, fmt.Errorf("-role is %q, want all, web or worker", role)}
		}
		return p.serve(ctx, r)
	}
	return c
}

// gcPercent trades some tens of megabytes for a tenth of the processor time:
// what a server allocates lives for one batch. GOGC overrides it.
const gcPercent = 200

func (p *program) tuneMemory() {
	if p.env["GOGC"] == "" {
		debug.SetGCPercent(gcPercent)
	}
}

func (p *program) serve(ctx context.Context, r roles) error {
	cfg, warnings, err := loadConfig(p.env)
	if err != nil {
		return err
	}
	p.tuneMemory()
	log := logTo(cfg, p.stderr)
	for _, w := range warnings {
		log.Warn(w)
	}
	s, err := p.start(ctx, cfg, r, log)
	if err != nil && ctx.Err() != nil {
		log.Info("stopped while it started", "because", err)
		return nil
	}
	if err != nil {
		return err
	}
	if r.web {
		log.Info("listening", "address", s.url(), "public", cfg.PublicURL)
		if err := s.noteAddress(ctx); err != nil {
			log.Warn("'stagebridge send' will not find this server by itself", "error", err)
		}
		if link := s.web.SetupPath(); link != "" {
			fmt.Fprintf(p.stdout, "Open %s%s once to set the first password.\n", s.url(), link)
		}
	}
	select {
	case <-ctx.Done():
	case err = <-s.served:
	}
	log.Info("stopping")
	stopped := s.stop()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, stopped)
}

// start opens everything, brings the workspace folder into force and begins.
func (p *program) start(ctx context.Context, cfg Config, r roles, log *slog.Logger) (*server, error) {
	a, err := openApp(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	if err := a.applyWorkspace(ctx, p); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return startServer(ctx, a, r, false)
}

// logTo makes the log that the settings ask for.
func logTo(c Config, to io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(to, o))
	}
	return slog.New(slog.NewTextHandler(to, o))
}
