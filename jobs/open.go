package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// Secrets are a connection's credentials by field name: the current value
// first, then, during a rotation, the previous one.
type Secrets map[string][]secret.Text

// SealSecrets encrypts credentials for the store.
func SealSecrets(v *secret.Vault, connection string, all Secrets) ([]byte, error) {
	plain := map[string][]string{}
	for name, values := range all {
		for _, s := range values {
			plain[name] = append(plain[name], s.Reveal())
		}
	}
	b, err := json.Marshal(plain)
	if err != nil {
		return nil, fmt.Errorf("jobs: secrets of %s: %w", connection, err)
	}
	return v.Seal(b, connection)
}

// OpenSecrets decrypts them. The error is secret.ErrKey for another key.
func OpenSecrets(v *secret.Vault, connection string, sealed []byte) (Secrets, error) {
	all := Secrets{}
	if len(sealed) == 0 {
		return all, nil
	}
	b, err := v.Open(sealed, connection)
	if err != nil {
		return nil, err
	}
	plain := map[string][]string{}
	if err := json.Unmarshal(b, &plain); err != nil {
		return nil, fmt.Errorf("jobs: secrets of %s: %w", connection, err)
	}
	for name, values := range plain {
		for _, s := range values {
			all[name] = append(all[name], secret.New(s))
		}
	}
	return all, nil
}

// open makes a Conn of a row. Settings and rules that are wrong are kept in
// the Conn, so that the connection still takes what vendors send; only a
// database error fails. was is the Conn so far, or nil: its credentials stay in
// use where those of the row were sealed with a key that is not known here.
func (r *Registry) open(ctx context.Context, row store.Connection, was *Conn) (*Conn, error) {
	c := &Conn{Connection: row}
	vendor, ok := findVendor(r.o.Catalog, row.Connector)
	if !ok {
		c.Err = fmt.Errorf("connector %q is not in this version", row.Connector)
		return c, nil
	}
	c.Vendor = vendor
	c.RulesSource = vendor.Descriptor.Rules
	if row.Rules > 0 {
		v, err := r.o.Store.Rules(ctx, row.ID, row.Rules)
		if err != nil {
			return nil, err
		}
		c.RulesSource = []byte(v.Source)
	}
	cfg, err := r.config(row, vendor)
	c.Settings, c.Push, c.PublicURL = cfg.Settings, cfg.Push, cfg.PublicURL
	c.Rules, c.RulesErr = mapping.Compile("rules/"+row.ID+".yaml", c.RulesSource, mapping.Options{
		Connection: row.ID, Connector: row.Connector, IdentityScope: c.Settings["identity_scope"], Stages: c.Push.Stages,
	})
	if c.Err = err; err == nil {
		c.Open, c.Err = vendor.Open(cfg)
	} else if errors.Is(err, secret.ErrKey) && was != nil && was.Open != nil && was.Connector == row.Connector && was.Connection.Settings == row.Settings && was.Connection.Push == row.Push {
		c.Open, c.Err = was.Open, nil
	}
	if c.Err != nil {
		return c, nil
	}
	if _, lists := c.Open.(connectors.Lister); lists {
		if c.listed, err = listedRules(row, c.Settings["identity_scope"]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (r *Registry) config(row store.Connection, vendor connectors.Vendor) (connectors.Config, error) {
	cfg := connectors.Config{
		ID: row.ID, Instance: r.o.Instance, PublicURL: r.o.PublicURL + "/hooks/" + row.ID,
		HTTP: r.o.HTTP, Now: r.o.Now, Log: r.o.Log.With("connection", row.ID), Settings: map[string]string{},
	}
	var errs []error
	if err := json.Unmarshal([]byte(row.Settings), &cfg.Settings); err != nil {
		errs = append(errs, fmt.Errorf("settings: %w", err))
	}
	if err := json.Unmarshal([]byte(row.Push), &cfg.Push); err != nil {
		errs = append(errs, fmt.Errorf("push: %w", err))
	}
	if own := cfg.Settings["public_url"]; own != "" {
		cfg.PublicURL = own
	}
	for _, f := range vendor.Descriptor.Settings {
		if cfg.Settings[f.Name] == "" && f.Default != "" {
			cfg.Settings[f.Name] = f.Default
		}
	}
	secrets, err := OpenSecrets(r.o.Vault, row.ID, row.Secrets)
	if err != nil {
		errs = append(errs, err)
	}
	cfg.Secrets = secrets
	return cfg, errors.Join(errs...)
}

func findVendor(all []connectors.Vendor, id string) (connectors.Vendor, bool) {
	for _, v := range all {
		if v.Descriptor.ID == id {
			return v, true
		}
	}
	return connectors.Vendor{}, false
}
