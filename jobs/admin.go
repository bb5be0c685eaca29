package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// Admin changes the configuration. Pages, API and command line all go through
// it, so that a rule about what may be saved is written once. It is safe for
// concurrent use.
type Admin struct {
	Registry *Registry
	// Works does what takes long; nil: the methods that say so cannot be used.
	Works *Works
	// PlanPublished is called once a plan is in force; nil: nothing is done.
	PlanPublished func(ctx context.Context, version int64)
	// Wake is called when people became due at a connection; nil: they are
	// found the next time somebody looks.
	Wake func(connection string)
}

// Invalid is input that was refused, with every mistake that was found:
// *connectors.SettingError, or errors with a place in a text.
type Invalid struct{ Mistakes []error }

// Error gives one mistake per line.
func (e *Invalid) Error() string {
	lines := make([]string, len(e.Mistakes))
	for i, m := range e.Mistakes {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find the single mistakes.
func (e *Invalid) Unwrap() []error { return e.Mistakes }

// add takes a mistake apart, and drops what was said already.
func (e *Invalid) add(err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			e.add(one)
		}
		return
	}
	if err == nil || slices.ContainsFunc(e.Mistakes, func(have error) bool { return have.Error() == err.Error() }) {
		return
	}
	e.Mistakes = append(e.Mistakes, err)
}

func (e *Invalid) setting(field, format string, args ...any) {
	e.add(&connectors.SettingError{Field: field, Detail: fmt.Sprintf(format, args...)})
}

// orNil keeps a nil *Invalid from becoming an error that is not nil.
func (e *Invalid) orNil() error {
	if len(e.Mistakes) == 0 {
		return nil
	}
	return e
}

// ConnectionInput is what a person or a file says a connection should be.
type ConnectionInput struct {
	ID string
	// Connector may be empty when the connection exists.
	Connector string
	// Settings replace all that were there; nil keeps them.
	Settings map[string]string
	// Secrets by field name. One that is not named is kept, an empty one
	// removed; another value than before becomes the current one and leaves
	// the one before it accepted until the next change.
	Secrets map[string]secret.Text
	// Previous says, for secrets of Secrets, which value before it is accepted
	// too; an empty one: none is.
	Previous map[string]secret.Text
	// ForgetPrevious ends rotations: only current secrets stay.
	ForgetPrevious bool
	// Push replaces the push block; nil keeps it.
	Push *connectors.PushConfig
	// Rules, when not nil, are published with the connection.
	Rules *string
	// Applied, when not nil, is remembered as the workspace file's text.
	Applied *string
	// Version is the one that the change is based on; zero: whatever stands.
	Version int64
	Author  string
}

var connectionID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// reservedIDs mean the same in every connection, as namespaces of keys.
var reservedIDs = []string{lifecycle.NamespaceUser, lifecycle.NamespaceEmail, lifecycle.NamespacePhone, lifecycle.NamespaceAnonymous}

// Create makes a connection. Errors: *Invalid, store.ErrExists.
func (a *Admin) Create(ctx context.Context, in ConnectionInput) (*Conn, error) {
	if err := a.Registry.Refresh(ctx); err != nil { // also tells which key seals
		return nil, err
	}
	row := store.Connection{ID: in.ID, Connector: in.Connector, Settings: "{}", Push: "{}"}
	return a.save(ctx, row, in)
}

// Update changes a connection. Errors: *Invalid, store.ErrNotFound, and
// store.ErrStale when it changed since in.Version.
func (a *Admin) Update(ctx context.Context, in ConnectionInput) (*Conn, error) {
	c, err := a.fresh(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Version != 0 && in.Version != c.Version {
		return nil, fmt.Errorf("jobs: connection %s: %w", in.ID, store.ErrStale)
	}
	return a.save(ctx, c.Connection, in)
}

// Delete removes a connection and what waits for it; raw events and what they
// told of people stay. The webhook at the vendor is not touched.
func (a *Admin) Delete(ctx context.Context, id string) error {
	if err := a.Registry.o.Store.DeleteConnection(ctx, id); err != nil {
		return err
	}
	return a.Registry.Refresh(ctx)
}

// Pause stops pushing to a connection, or lets it go on. A paused connection
// keeps taking what the vendor sends.
func (a *Admin) Pause(ctx context.Context, id string, paused bool) (*Conn, error) {
	c, err := a.fresh(ctx, id)
	if err != nil || c.Paused == paused {
		return c, err
	}
	row := c.Connection
	row.Paused = paused
	if c, err = a.store(ctx, row, nil); err == nil && !paused {
		a.wake(id)
	}
	return c, err
}

// Validate finds out whether Create or Update, whichever fits, would refuse
// the input. The error is *Invalid; nothing is written.
func (a *Admin) Validate(ctx context.Context, in ConnectionInput) error {
	row := store.Connection{ID: in.ID, Connector: in.Connector, Settings: "{}", Push: "{}"}
	c, err := a.fresh(ctx, in.ID)
	switch {
	case err == nil:
		row = c.Connection
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	_, _, err = a.prepare(row, in)
	return err
}

// fresh gives a connection as the database has it now.
func (a *Admin) fresh(ctx context.Context, id string) (*Conn, error) {
	if err := a.Registry.Refresh(ctx); err != nil {
		return nil, err
	}
	return a.Registry.Find(ctx, id)
}

// save checks everything, collects every mistake, and writes only when there
// is none.
func (a *Admin) save(ctx context.Context, before store.Connection, in ConnectionInput) (*Conn, error) {
	row, rules, err := a.prepare(before, in)
	if err != nil {
		return nil, err
	}
	moved := !samePush(before.Push, row.Push)
	if moved { // noted first, so that a crash behind the change does not forget it
		if err := a.Registry.o.Store.SetNote(ctx, resyncNote+row.ID, "changed"); err != nil {
			return nil, err
		}
	}
	c, err := a.store(ctx, row, rules)
	if err != nil {
		return nil, err
	}
	// The caller may go away meanwhile; what follows is finished all the same.
	ctx = context.WithoutCancel(ctx)
	switch {
	case !c.Push.Enabled:
	case moved: // what the vendor should hold has changed for everybody
		_, err = a.Resync(ctx, row.ID)
	case row.Settings != before.Settings || !bytes.Equal(row.Secrets, before.Secrets):
		// Whoever the vendor refused may have been refused for what was mended.
		_, err = a.RetrySync(ctx, store.SyncFilter{Connections: []string{row.ID}, State: store.SyncFailed}, false)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// prepare puts the input into a row, and gives the rules to publish with it.
// The error is *Invalid where the input is refused.
func (a *Admin) prepare(row store.Connection, in ConnectionInput) (store.Connection, *store.Versioned, error) {
	var wrong Invalid
	if !connectionID.MatchString(in.ID) {
		wrong.setting("id", "is %q, want 1 to 40 lower-case letters, digits and hyphens, the first no hyphen", in.ID)
	} else if slices.Contains(reservedIDs, in.ID) {
		wrong.setting("id", "%q is the name of a kind of key", in.ID)
	}
	vendor, ok := findVendor(a.Registry.o.Catalog, row.Connector)
	switch {
	case !ok && row.Connector == "":
		wrong.setting("connector", "is required")
	case !ok:
		wrong.setting("connector", "%q is not in the catalogue", row.Connector)
	case in.Connector != "" && in.Connector != row.Connector:
		wrong.setting("connector", "is %s and cannot be changed; make a new connection", row.Connector)
	}
	if err := wrong.orNil(); err != nil {
		return row, nil, err
	}
	if err := a.fill(&row, vendor, in, &wrong); err != nil {
		return row, nil, err
	}
	rules := a.checkRow(row, vendor, in, &wrong)
	return row, rules, wrong.orNil()
}

// fill puts the input into the row.
func (a *Admin) fill(row *store.Connection, vendor connectors.Vendor, in ConnectionInput, wrong *Invalid) error {
	old := map[string]string{}
	if err := json.Unmarshal([]byte(row.Settings), &old); err != nil {
		old = map[string]string{} // unreadable ones are replaced
	}
	settings := old
	if in.Settings != nil {
		settings = trimmed(in.Settings)
	}
	var err error
	if row.Settings, err = encode(settings); err != nil {
		return err
	}
	if in.Push != nil {
		if row.Push, err = encode(in.Push); err != nil {
			return err
		}
	}
	if in.Applied != nil {
		row.Applied = *in.Applied
	}
	row.Secrets, err = a.secrets(row, vendor, in, old, settings, wrong)
	return err
}

// checkRow opens the connection as it would be, and compiles its rules.
func (a *Admin) checkRow(row store.Connection, vendor connectors.Vendor, in ConnectionInput, wrong *Invalid) *store.Versioned {
	cfg, err := a.Registry.config(row, vendor)
	wrong.add(err)
	if err != nil {
		return nil
	}
	for _, mistake := range vendor.Descriptor.Check(cfg) {
		wrong.add(mistake)
	}
	if cfg.Settings[SettingErasures] == erasuresAutomatic && len(row.Secrets) == 0 {
		wrong.setting(SettingErasures, "cannot be automatic where no secret proves who sends")
	}
	open, err := vendor.Open(cfg)
	wrong.add(err)
	checkPush(cfg.Push, open, wrong)
	if in.Rules == nil {
		return nil
	}
	_, err = a.compile(row.ID, row.Connector, cfg.Settings, cfg.Push, []byte(*in.Rules))
	wrong.add(err)
	return &store.Versioned{Source: *in.Rules, Author: in.Author, Note: "saved with the connection"}
}

func checkPush(p connectors.PushConfig, open connectors.Connector, wrong *Invalid) {
	if _, can := open.(connectors.Destination); p.Enabled && open != nil && !can {
		wrong.setting("push.enabled", "%s takes nothing", open.Descriptor().Name)
	}
	if a := p.Accounts; a != nil && a.Enabled {
		if _, can := open.(connectors.AccountDestination); open != nil && !can {
			wrong.setting("push.accounts.enabled", "%s takes no accounts", open.Descriptor().Name)
		}
		if !slices.Contains([]string{"", "skip", "keep"}, a.Unmapped) {
			wrong.setting("push.accounts.unmapped", "is %q, want skip or keep", a.Unmapped)
		}
		if !slices.Contains([]string{"", "all", "none"}, a.Segments) {
			wrong.setting("push.accounts.segments", "is %q, want all, none or a list of names", a.Segments)
		}
	}
	if !slices.Contains([]string{"", "skip", "keep"}, p.Unmapped) {
		wrong.setting("push.unmapped", "is %q, want skip or keep", p.Unmapped)
	}
	if err := p.CheckLifecycles(); err != nil {
		wrong.setting("push.lifecycles", "%s", err)
	}
	if _, err := lifecycle.ParseWindow(p.MaxAge); err != nil && p.MaxAge != "" {
		wrong.setting("push.max_age", "%s", err)
	}
	if !slices.Contains([]string{"", "all", "none"}, p.Segments) {
		wrong.setting("push.segments", "is %q, want all, none or a list of names", p.Segments)
	}
}

// store writes a row and brings it into force.
func (a *Admin) store(ctx context.Context, row store.Connection, rules *store.Versioned) (*Conn, error) {
	saved, err := a.Registry.o.Store.SaveConnection(ctx, row, rules)
	if err != nil {
		return nil, err
	}
	if err := a.Registry.Refresh(ctx); err != nil {
		return nil, err
	}
	a.Registry.o.Log.Info("connection saved", slog.String("connection", row.ID), slog.Int64("version", saved.Version))
	return a.Registry.Find(ctx, row.ID)
}

func (a *Admin) wake(connection string) {
	if a.Wake != nil {
		a.Wake(connection)
	}
}

// PublicURL is where vendors reach this installation, without a trailing slash.
func (r *Registry) PublicURL() string { return r.o.PublicURL }

// Catalog gives the vendors in the order of the catalogue.
func (r *Registry) Catalog() []connectors.Vendor { return r.o.Catalog }

func samePush(a, b string) bool {
	var x, y connectors.PushConfig
	return errors.Join(json.Unmarshal([]byte(a), &x), json.Unmarshal([]byte(b), &y)) == nil && reflect.DeepEqual(x, y)
}

func trimmed(settings map[string]string) map[string]string {
	kept := map[string]string{}
	for name, value := range settings {
		if value = strings.TrimSpace(value); value != "" {
			kept[name] = value
		}
	}
	return kept
}

func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("jobs: encode: %w", err)
	}
	return string(b), nil
}
