package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web/access"
)

// Bounds of what people and tools may send, in bytes.
const (
	maxAPIBody  = 2 << 20
	maxFormBody = 1 << 20
)

// Service is something beside the database that the program can do without
// for a while.
type Service struct {
	Name string
	Ping func(context.Context) error
}

// Options are what a Web needs. Store, Registry and Admin are required; what
// else is missing is not offered.
type Options struct {
	Store    *store.Store
	Registry *jobs.Registry
	Admin    *jobs.Admin
	// Ingest takes what vendors send.
	Ingest *Ingest
	// Redis is what the page of the jobs looks into.
	Redis asynq.RedisConnOpt
	// Notices tells people what needs them; nil: nobody is told.
	Notices *jobs.Notices
	// Kept says in the settings how long data are kept.
	Kept []Kept
	// Services are asked by /readyz.
	Services []Service
	// Reasons say what does not go on; nil: nobody looks. See Operations.
	Reasons func() []string

	// PublicURL is this server's own address; cookies are bound to https when
	// it is one.
	PublicURL string
	// APIToken opens the JSON API; without it the API refuses everybody.
	APIToken secret.Text
	// AdminPassword, when set, is the password of the user admin from now on.
	AdminPassword secret.Text
	// OIDC lets people log in through an identity provider; nil: with a password
	// only. Its Redirect is filled in.
	OIDC *access.OIDC
	// MetricsToken opens /metrics; without it there is none here.
	MetricsToken secret.Text
	// TrustedProxies are believed about the address of a request.
	TrustedProxies []netip.Prefix
	// Samples lets a person send a sample event; nil: not here.
	Samples Samples
	// Simulated marks every page: the vendors are not real.
	Simulated bool
	Version   string
	// Metrics are what /metrics gives; nil: there is none here.
	Metrics prometheus.Gatherer
	Now     func() time.Time
	Log     *slog.Logger
}

// Web is the HTTP side. It is an http.Handler and safe for concurrent use.
type Web struct {
	echo     *echo.Echo
	store    *store.Store
	registry *jobs.Registry
	admin    *jobs.Admin

	apiToken, metricsToken secret.Text
	operations             *Operations
	notices                *jobs.Notices
	kept                   []Kept
	passwords              passwords
	access                 *access.Access
	oidc                   *access.OIDC
	attempts, apiAttempts  *throttle
	accounts               *accountThrottle
	origins                *http.CrossOriginProtection
	setupToken             string // opens /setup while there is no user
	public                 string // PUBLIC_URL; "" where it is not set
	secure                 bool
	simulated              bool
	version                string
	pages                  *pages
	jobsUI                 *jobsUI
	summary                summaries
	described              func() (description, error)
	reports                reportTurns
	answers                keptReports
	beside                 beside
	trends                 trends
	live                   liveParts
	samples                Samples
	complained             throttledLog
	now                    func() time.Time
	log                    *slog.Logger
}

// New checks every template, prepares the first login and adds the routes.
func New(ctx context.Context, o Options) (*Web, error) {
	w := &Web{
		store: o.Store, registry: o.Registry, admin: o.Admin,
		notices: o.Notices, kept: o.Kept,
		operations: &Operations{Store: o.Store, Services: o.Services, Reasons: o.Reasons, Metrics: o.Metrics, Version: o.Version},
		apiToken:   o.APIToken, metricsToken: o.MetricsToken, passwords: newPasswords(), origins: http.NewCrossOriginProtection(),
		secure: strings.HasPrefix(o.PublicURL, "https://"), simulated: o.Simulated, version: o.Version, now: o.Now, log: o.Log,
	}
	if w.now == nil {
		w.now = time.Now
	}
	w.public = strings.TrimSuffix(o.PublicURL, "/")
	w.described = sync.OnceValues(w.describeThis)
	w.live.closing, w.samples = make(chan struct{}), o.Samples
	w.access = &access.Access{Store: o.Store, Now: w.now}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if w.oidc = o.OIDC; w.oidc != nil {
		w.oidc.Redirect = strings.TrimSuffix(o.PublicURL, "/") + OIDCPath
		if err := w.oidc.Check(); err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
	}
	w.attempts, w.apiAttempts, w.accounts = newThrottle(w.now), newThrottle(w.now), newAccountThrottle(w.now)
	if o.PublicURL != "" {
		if err := w.origins.AddTrustedOrigin(originOf(o.PublicURL)); err != nil {
			return nil, fmt.Errorf("web: public URL: %w", err)
		}
	}
	var err error
	if w.pages, err = loadPages(w.now); err != nil {
		return nil, err
	}
	if o.Redis != nil {
		if w.jobsUI, err = newJobsUI(o.Redis); err != nil {
			return nil, err
		}
	}
	if err := w.prepareLogin(ctx, o.AdminPassword); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = w.fail
	e.IPExtractor = extractor(o.TrustedProxies)
	w.echo = e
	if o.Ingest != nil {
		o.Ingest.Routes(e)
	}
	w.routes(e)
	return w, nil
}

// ServeHTTP implements http.Handler.
func (w *Web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	defer w.recovered(rw, r)
	w.echo.ServeHTTP(rw, r)
}

// Close ends what is computed beside pages and gives back what the page of the
// jobs holds open. The store is closed after it.
func (w *Web) Close() error {
	w.trends.end()
	w.beside.close()
	if w.jobsUI == nil {
		return nil
	}
	return w.jobsUI.Close()
}

// routes is the contents page: every address but those of /hooks.
func (w *Web) routes(e *echo.Echo) {
	seen := []echo.MiddlewareFunc{w.identified, w.logged, w.headed}

	// Health, for machines.
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		e.Add(method, "/healthz", echo.WrapHandler(http.HandlerFunc(w.operations.healthz)))
		e.Add(method, "/readyz", echo.WrapHandler(http.HandlerFunc(w.operations.readyz)))
	}
	e.GET("/metrics", w.metricsPage, w.identified, w.headed)
	e.GET("/assets/:file", w.asset)

	// Logging in.
	open := append(seen[:len(seen):len(seen)], w.sameOrigin, limited(maxFormBody))
	e.GET("/login", w.loginPage, open...)
	e.POST("/login", w.login, open...)
	e.POST("/logout", w.logout, open...)
	if w.oidc != nil {
		e.GET("/login/oidc", w.beginOIDC, open...)
		e.GET(OIDCPath, w.finishOIDC, open...)
	}
	e.GET("/setup", w.setupPage, open...)
	e.POST("/setup", w.setup, open...)

	// Pages.
	page := append(open[:len(open):len(open)], w.loggedIn)
	e.GET("/", w.overview, page...)
	e.GET("/funnel", w.funnelPage, page...)
	e.GET("/account", w.accountPage, page...)
	e.POST("/account/password", w.changePassword, page...)
	e.POST("/account/sessions", w.endSessions, page...)
	e.GET("/connections", w.connectionsPage, page...)
	e.GET("/connections/new", w.newConnectionPage, page...)
	e.POST("/connections/new", w.createConnection, page...)
	e.GET("/connections/:id", w.connectionPage, page...)
	e.GET("/live/overview", w.liveOverview, page...)
	e.GET("/live/connections/:id", w.liveConnection, page...)
	e.POST("/connections/:id/sample", w.sampleForm, page...)
	e.GET("/connections/:id/edit", w.editConnectionPage, page...)
	e.POST("/connections/:id/edit", w.updateConnection, page...)
	e.GET("/connections/:id/rules", w.rulesPage, page...)
	e.POST("/connections/:id/rules", w.editRules, page...)
	e.GET("/connections/:id/rules/:version", w.rulesVersionPage, page...)
	e.POST("/connections/:id/rules/:version", w.rollbackRulesForm, page...)
	e.POST("/connections/:id/:action", w.actOnConnection, page...)
	e.GET("/plan", w.planPage, page...)
	e.POST("/plan", w.editPlan, page...)
	e.GET("/plan/docs", w.planDocsPage, page...)
	e.GET("/plan/governance", w.governancePage, page...)
	e.POST("/plan/governance/release", w.releaseForm, page...)
	e.GET("/plan/versions/:version", w.planVersionPage, page...)
	e.POST("/plan/versions/:version", w.rollbackPlanForm, page...)
	e.POST("/plan/rollout", w.changeRollout, page...)
	e.POST("/plan/rollback", w.stepBack, page...)
	e.GET("/people", w.peoplePage, page...)
	e.GET("/people/:id", w.personPage, page...)
	e.GET("/people/:id/keys", w.personKeysPage, page...)
	e.POST("/people/:id/pin", w.pinForm, page...)
	e.POST("/people/:id/identity", w.identityForm, page...)
	e.POST("/people/:id/join", w.previewJoinForm, page...)
	e.GET("/people/:id/export", w.apiExportProfile, page...)
	e.GET("/people/reviews", w.reviewsPage, page...)
	e.POST("/people/reviews/:id/:action", w.decideReviewForm, page...)
	e.POST("/people/reviews/joins", w.confirmJoinForm, page...)
	e.GET("/people/erasures", w.erasuresPage, page...)
	e.POST("/people/erasures", w.openErasureForm, page...)
	e.GET("/people/erasures/:id", w.erasurePage, page...)
	e.GET("/live/erasures/:id", w.liveErasure, page...)
	e.POST("/people/erasures/:id/:action", w.decideErasureForm, page...)
	e.GET("/accounts", w.accountsPage, page...)
	e.GET("/accounts/:key", w.accountViewPage, page...)
	e.GET("/segments", w.segmentsPage, page...)
	e.GET("/segments/:name/members.csv", w.segmentMembers, page...)
	e.GET("/work", w.workPage, page...)
	e.GET("/live/work", w.liveWork, page...)
	e.GET("/live/work/:id", w.liveJob, page...)
	e.POST("/work/:id/cancel", w.cancelWork, page...)
	e.GET("/inbox", w.inboxPage, page...)
	e.GET("/inbox/:id", w.rawEventPage, page...)
	e.POST("/inbox/replay", w.replayForm, page...)
	e.GET("/reports", w.reportsPage, page...)
	e.GET("/reports/:name", w.reportPage, page...)
	e.GET("/sync", w.syncPage, page...)
	e.POST("/sync/retry", w.retrySyncForm, page...)
	e.POST("/sync/:id/:action", w.actOnSync, page...)
	e.GET("/settings", w.settingsPage, page...)
	e.GET("/api/docs", w.apiDocs, page...)
	e.GET("/api/docs/openapi.json", w.apiDescriptionFile, page...)
	e.GET("/api/docs/:chapter", w.apiDocs, page...)
	e.POST("/settings/users", w.changeUsers, page...)
	e.POST("/settings/tokens", w.changeTokens, page...)
	e.GET("/settings/audit", w.auditPage, page...)
	e.GET("/settings/erased/export", w.erasedFile, page...)
	if w.notices != nil {
		e.GET("/settings/notifications", w.notificationsPage, page...)
		e.POST("/settings/notifications", w.changeNotifications, page...)
	}
	if w.jobsUI != nil {
		e.GET("/jobs", w.jobsPage, page...)
		e.GET("/jobs/", w.jobsPage, page...)
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete} {
			e.Add(method, jobsPath, w.jobsUI.serve, page...)
			e.Add(method, jobsPath+"/*", w.jobsUI.serve, page...)
		}
	}

	// The API that other tools rely on: see the design, section 8.
	api := e.Group("/api/v1", append(seen[:len(seen):len(seen)], w.authorized, limited(maxAPIBody))...)
	w.apiRoutes(api) // see operationGroups
}
