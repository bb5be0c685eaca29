package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/catalog"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/jobs/observe"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
)

// app is the program's parts put together: the store and what is configured in
// it. The server and every subcommand that needs the database begin with it.
type app struct {
	config   Config
	log      *slog.Logger
	store    *store.Store
	vault    *secret.Vault
	keys     *jobs.Keys
	registry *jobs.Registry
	admin    *jobs.Admin
	works    *jobs.Works
	observed observed
	// listener, when not nil, is listened on in place of ADDR.
	listener net.Listener
}

// openApp opens the database, brings its schema up to date and reads what is
// configured.
func openApp(ctx context.Context, c Config, log *slog.Logger) (*app, error) {
	return openAppAsked(ctx, c, log, nil)
}

// openAppAsked is openApp with who hears of every statement; see store.Options.
func openAppAsked(ctx context.Context, c Config, log *slog.Logger, asked func(ctx context.Context, text string)) (*app, error) {
	a := &app{config: c, log: log}
	var err error
	if a.vault, err = c.vault(); err != nil {
		return nil, err
	}
	if a.observed, err = newObserved(c, log); err != nil {
		return nil, err
	}
	if a.store, err = store.Open(ctx, store.Options{URL: c.DatabaseURL.Reveal(), Dir: c.DataDir, Committed: a.observed.metrics.Committed, Asked: asked, Log: log}); err != nil {
		return nil, err
	}
	if err := a.configure(ctx); err != nil {
		return nil, errors.Join(err, a.store.Close())
	}
	return a, nil
}

func (a *app) configure(ctx context.Context) error {
	if err := stayed(ctx, a.store); err != nil {
		return err
	}
	if err := a.checkKey(ctx); err != nil {
		return err
	}
	instance, err := a.store.Instance(ctx)
	if err != nil {
		return err
	}
	if err := a.firstPlan(ctx); err != nil {
		return err
	}
	a.registry, err = jobs.NewRegistry(ctx, jobs.RegistryOptions{
		Store: a.store, Vault: a.vault, Catalog: catalog.All(), PublicURL: a.config.PublicURL, Instance: instance, Parse: parsePlan, Log: a.log,
		HTTP: connectors.NewClient(a.config.outbound(a.config.VendorTimeout)),
	})
	if err != nil {
		return err
	}
	a.works = jobs.NewWorks(a.store, nil, a.log)
	a.works.Add(jobs.PublishKind(a.works, &jobs.Processor{Store: a.store, Registry: a.registry, Now: a.store.Now, Log: a.log}))
	a.works.Add(jobs.SummariesKind(a.store, a.registry, a.store.Now))
	a.works.Add(jobs.ReportKind(a.store, a.registry, a.store.Now))
	a.works.Add(jobs.ScoresKind(a.store, a.registry, a.store.Now))
	a.works.Add(jobs.ReleaseKind(a.store))
	a.works.Add(jobs.ResyncKind(a.store, a.registry))
	puller := &jobs.Puller{Store: a.store, Registry: a.registry, Limiter: jobs.NewLimiter(nil), Request: a.config.VendorTimeout, Now: a.store.Now}
	a.works.Add(puller.Kind())
	a.admin = &jobs.Admin{Registry: a.registry, Works: a.works}
	a.works.Add(jobs.RulesPreviewKind(a.admin))
	a.works.Add(jobs.PlanPreviewKind(a.admin))
	a.works.Add((&jobs.Eraser{Processor: &jobs.Processor{Store: a.store, Registry: a.registry, Now: a.store.Now, Log: a.log}}).Kind())
	a.works.Add(jobs.ReplayKind(&jobs.Processor{Store: a.store, Registry: a.registry, Now: time.Now, Log: a.log}))
	return nil
}

// firstPlan publishes the default plan where there is none yet.
func (a *app) firstPlan(ctx context.Context) error {
	if _, err := a.store.Plan(ctx); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	source, _ := plans.Source(plans.Default)
	_, err := a.store.PublishPlan(ctx, 0, store.Versioned{Source: string(source), Author: "stagebridge", Note: "the plan a new installation starts with"})
	if errors.Is(err, store.ErrStale) {
		return nil // another replica was faster
	}
	return err
}

func (a *app) close() error { return a.store.Close() }

// server is a running app: the pipeline at work and the web listening.
type server struct {
	*app
	pipeline *jobs.Pipeline
	web      *web.Web
	http     *http.Server
	metrics  *http.Server // nil without METRICS_ADDR
	served   chan error
	cancel   context.CancelFunc
	wg       sync.WaitGroup
}

// Bounds of one inbound request, so that a slow sender holds nothing for long.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
)

// roles of a process.
type roles struct{ web, work bool }

// startServer starts an opened app in its roles. simulated marks the pages.
func startServer(ctx context.Context, a *app, r roles, simulated bool) (*server, error) {
	s := &server{app: a, served: make(chan error, 2)}
	var err error
	s.pipeline, err = jobs.NewPipeline(jobs.PipelineOptions{
		Store: a.store, Registry: a.registry, RedisURL: a.config.RedisURL.Reveal(), Work: r.work, Works: a.works, Batch: a.config.ProcessBatch,
		VendorTimeout: a.config.VendorTimeout, RetainClasses: a.config.retained(),
		Retain: time.Duration(a.config.RetentionDays) * 24 * time.Hour, Metrics: a.observed.metrics, Tracer: a.observed.tracer, Log: a.log,
	})
	if err != nil {
		return nil, err
	}
	a.admin.Wake = s.pipeline.DuePush
	a.admin.PlanPublished = func(ctx context.Context, version int64) {
		if err := s.pipeline.PlanPublished(ctx, version); err != nil {
			a.log.Warn("the published plan is taken up by the next look", "error", err)
		}
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	s.wg.Go(func() { a.store.RunRejections(own) })
	s.pipeline.Start()
	if r.work {
		a.store.ServeFolder()
	}
	err = observe.Register(a.observed.registry, s.pipeline.Watch().Collector())
	if err == nil {
		err = s.listenMetrics()
	}
	if err == nil && r.web {
		err = s.listen(ctx, simulated)
	}
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *server) listen(ctx context.Context, simulated bool) error {
	c := s.config
	in := &web.Ingest{
		Store: s.store, Registry: s.registry, Received: s.pipeline.Received, MaxBody: c.MaxBodyBytes, Rate: c.RateLimit, RejectLimit: c.RejectLimit,
		Metrics: s.observed.metrics, Tracer: s.observed.tracer, Log: s.log,
	}
	w, err := web.New(ctx, web.Options{
		Store: s.store, Registry: s.registry, Admin: s.admin, Ingest: in, Notices: s.pipeline.Notices(), Kept: c.kept(), Redis: s.pipeline.RedisOption(),
		Services: s.services(), Reasons: s.pipeline.Watch().Reasons, Metrics: s.observed.registry,
		PublicURL: c.PublicURL, APIToken: c.APIToken, AdminPassword: c.AdminPassword, OIDC: c.oidc(), MetricsToken: c.MetricsToken,
		TrustedProxies: c.TrustedProxies, Samples: samples{s.vault}, Simulated: simulated, Version: version(), Log: s.log,
	})
	if err != nil {
		return err
	}
	s.web = w
	if s.listener == nil {
		if s.listener, err = net.Listen("tcp", c.Addr); err != nil {
			return fmt.Errorf("%sADDR: %w", prefix, err)
		}
	}
	s.http = boundedServer(w, s.log)
	s.http.RegisterOnShutdown(w.StopLive)
	s.wg.Go(func() { s.served <- s.http.Serve(s.listener) })
	return nil
}

// url is where a person reaches the server.
func (s *server) url() string { return "http://" + s.listener.Addr().String() }

// stop ends the server in order: no new requests, those under way answered,
// jobs finished, then the database closed. It is bounded by ShutdownTimeout.
func (s *server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.config.ShutdownTimeout)
	defer cancel()
	var errs []error
	if s.http != nil {
		errs = append(errs, s.http.Shutdown(ctx))
	}
	if s.metrics != nil {
		errs = append(errs, s.metrics.Shutdown(ctx))
	}
	s.pipeline.Stop()
	if s.web != nil {
		errs = append(errs, s.web.Close())
	}
	s.cancel()
	s.wg.Wait()
	errs = append(errs, s.observed.end(ctx))
	return errors.Join(append(errs, s.close())...)
}
