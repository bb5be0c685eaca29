package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// Registry holds the configuration in force on this replica: every connection
// opened, its rules compiled, and the tracking plan. It follows the database;
// readers get an immutable Config without a lock.
type Registry struct {
	o       RegistryOptions
	current atomic.Pointer[Config]
	loading sync.Mutex
	changed []func(*Config)
}

// RegistryOptions are what a Registry needs.
type RegistryOptions struct {
	Store     *store.Store
	Vault     *secret.Vault
	Catalog   []connectors.Vendor
	PublicURL string // without a trailing slash
	Instance  string
	HTTP      *connectors.Client
	// Parse compiles a plan's text; it knows the vocabulary.
	Parse func(file string, source []byte) (*lifecycle.Plan, error)
	// DefaultPlan is what is in force before one was published.
	DefaultPlan []byte
	Now         func() time.Time
	Log         *slog.Logger
}

// Config is the configuration at one version. It is never changed.
type Config struct {
	Version     int64
	Connections map[string]*Conn
	// Plan is in force for everybody but the people of Rollout.
	Plan       *lifecycle.Plan
	PlanSource store.Versioned
	// Returned: the plan's text was in force before, so people go back to it.
	Returned bool
	// Rollout is the version that a share of the people is under; nil: none.
	Rollout *Rollout
	// Epoch numbers the assignment of people to plans.
	Epoch int64
	// Guards of identity: the plan's, with the devices that connections bring.
	Guards lifecycle.Guards
	// Accounts tells that people belong to accounts, by this plan or still by
	// one before it.
	Accounts bool
	// Pushing lists the connections that push, by id.
	Pushing []*Conn
	// Blocks knows who was erased.
	Blocks *Blocks
}

// Conn is an opened connection.
type Conn struct {
	store.Connection
	Vendor connectors.Vendor
	// Open is the connector; nil when Err says why it cannot be opened.
	Open connectors.Connector
	Err  error
	// Rules are in force; nil when RulesErr says why they cannot be compiled.
	Rules       *mapping.Ruleset
	RulesErr    error
	RulesSource []byte
	// listed are the rules for what the vendor lists; nil when it lists nobody.
	listed   *mapping.Ruleset
	Push     connectors.PushConfig
	Settings map[string]string
	// PublicURL is what the vendor calls, without a trailing slash.
	PublicURL string

	managed atomic.Pointer[[]string]
	reads   atomic.Pointer[map[string][]string]
	written sync.Map // names of fields that are known to be written there
}

// managedNames are the segments that the connection ever pushed, as far as
// this process has looked.
func (c *Conn) managedNames() []string {
	if all := c.managed.Load(); all != nil {
		return *all
	}
	return nil
}

// Destination is the connector's push side; nil when it has none or pushing is
// off.
func (c *Conn) Destination() connectors.Destination {
	if d, ok := c.Open.(connectors.Destination); ok && c.Push.Enabled {
		return d
	}
	return nil
}

// NewRegistry loads the configuration for the first time.
func NewRegistry(ctx context.Context, o RegistryOptions) (*Registry, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Registry{o: o}
	if err := r.Reload(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Config gives the configuration in force.
func (r *Registry) Config() *Config { return r.current.Load() }

// OnChange calls fn with every new configuration, from the goroutine that
// loaded it, and once now.
func (r *Registry) OnChange(fn func(*Config)) {
	r.loading.Lock()
	defer r.loading.Unlock()
	r.changed = append(r.changed, fn)
	fn(r.current.Load())
}

// Find gives a connection. One that is not known yet is looked up in the
// database before it is called unknown, since another replica may have just
// made it and some vendors stop at the first 404.
func (r *Registry) Find(ctx context.Context, id string) (*Conn, error) {
	if c, ok := r.Config().Connections[id]; ok {
		return c, nil
	}
	v, err := r.o.Store.ConfigVersion(ctx)
	if err != nil {
		return nil, err
	}
	if v != r.Config().Version {
		if err := r.Reload(ctx); err != nil {
			return nil, err
		}
	}
	if c, ok := r.Config().Connections[id]; ok {
		return c, nil
	}
	return nil, fmt.Errorf("connection %q: %w", id, store.ErrNotFound)
}

// Watch reloads once a second when the database holds a newer configuration,
// until ctx ends.
func (r *Registry) Watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := r.Refresh(ctx); err != nil && ctx.Err() == nil {
			r.o.Log.Warn("configuration not read, the last one stays in force", "error", err)
		}
	}
}

// Refresh reloads if the database holds another version.
func (r *Registry) Refresh(ctx context.Context) error {
	v, err := r.o.Store.ConfigVersion(ctx)
	if err != nil || v == r.Config().Version {
		return err
	}
	return r.Reload(ctx)
}

// Reload reads the whole configuration. Connections that did not change keep
// their opened connector, with its caches and tokens.
func (r *Registry) Reload(ctx context.Context) error {
	r.loading.Lock()
	defer r.loading.Unlock()
	// The version is read first: a change in between makes the next look reload.
	version, err := r.o.Store.ConfigVersion(ctx)
	if err != nil {
		return err
	}
	rows, err := r.o.Store.Connections(ctx)
	if err != nil {
		return err
	}
	if err := r.followKey(ctx); err != nil {
		return err
	}
	next := &Config{Version: version, Connections: make(map[string]*Conn, len(rows))}
	if err := r.loadPlan(ctx, next); err != nil {
		return err
	}
	next.Accounts = slices.ContainsFunc(next.plans(), (*lifecycle.Plan).HasAccounts)
	if !next.Accounts {
		if next.Accounts, err = r.o.Store.HasAccounts(ctx); err != nil {
			return err
		}
	}
	old := r.current.Load()
	if next.Blocks, err = r.loadBlocks(ctx, old); err != nil {
		return err
	}
	for _, row := range rows {
		var was *Conn
		if old != nil {
			was = old.Connections[row.ID]
		}
		if was != nil && was.Version == row.Version && was.Connection.Rules == row.Rules {
			next.Connections[row.ID] = was
			continue
		}
		c, err := r.open(ctx, row, was)
		if err != nil {
			return err
		}
		next.Connections[row.ID] = c
	}
	for _, c := range next.Connections {
		if c.Destination() != nil {
			next.Pushing = append(next.Pushing, c)
		}
	}
	next.Guards = guardsOf(next)
	slices.SortFunc(next.Pushing, func(a, b *Conn) int { return strings.Compare(a.ID, b.ID) })
	r.current.Store(next)
	for _, fn := range r.changed {
		fn(next)
	}
	return nil
}

func (r *Registry) loadPlan(ctx context.Context, next *Config) error {
	a, err := r.o.Store.Assignment(ctx)
	if err != nil {
		return err
	}
	v := store.Versioned{Source: string(r.o.DefaultPlan)}
	if a.Base != 0 {
		if v, err = r.o.Store.PlanVersion(ctx, a.Base); err != nil {
			return err
		}
	}
	next.Epoch, next.PlanSource = a.Epoch, v
	if next.Returned, err = r.returned(ctx, v); err != nil {
		return err
	}
	if next.Plan, err = r.compiled(v); err != nil || a.Next == 0 {
		return err
	}
	if v, err = r.o.Store.PlanVersion(ctx, a.Next); err != nil {
		return err
	}
	next.Rollout = &Rollout{Share: a.Share, Source: v}
	next.Rollout.Plan, err = r.compiled(v)
	return err
}

// compiled compiles a version, unless it is in force already.
func (r *Registry) compiled(v store.Versioned) (*lifecycle.Plan, error) {
	if old := r.current.Load(); old != nil {
		switch {
		case old.PlanSource.Version == v.Version && old.PlanSource.Source == v.Source:
			return old.Plan, nil
		case old.Rollout != nil && old.Rollout.Source.Version == v.Version:
			return old.Rollout.Plan, nil
		}
	}
	plan, err := r.o.Parse("plan.yaml", []byte(v.Source))
	if err != nil {
		return nil, fmt.Errorf("jobs: plan version %d: %w", v.Version, err)
	}
	return plan.WithVersion(v.Version), nil
}
