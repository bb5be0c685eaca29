package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/apply"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// settleTime is how long other processes may take to see that another key is in
// force. They look once a second.
const settleTime = 3 * time.Second

// secretKeys are SECRET_KEY and those before it, or on SQLite what the key file
// beside the database holds.
func secretKeys(c Config) ([]secret.Text, error) {
	previous := secret.Keys(c.SecretKeyPrevious.Reveal())
	if !c.SecretKey.Empty() {
		return append([]secret.Text{c.SecretKey}, previous...), nil
	}
	if !c.DatabaseURL.Empty() {
		return nil, fmt.Errorf("%sSECRET_KEY is not set: with PostgreSQL the key that encrypts stored credentials has to come from you, for example from 'openssl rand -base64 32'", prefix)
	}
	kept, err := secret.KeyFile(c.DataDir)
	if err == nil && len(kept) == 0 {
		err = fmt.Errorf("%s is empty", filepath.Join(c.DataDir, "secret.key"))
	}
	return append(kept, previous...), err
}

// secretKey is the key that backups are encrypted with.
func secretKey(c Config) (secret.Text, error) {
	all, err := secretKeys(c)
	if err != nil {
		return secret.Text{}, err
	}
	return all[0], nil
}

func (c *Config) vault() (*secret.Vault, error) {
	all, err := secretKeys(*c)
	if err != nil {
		return nil, err
	}
	return secret.NewVault(all[0], all[1:]...)
}

// keysOf looks after everything that is stored encrypted.
func keysOf(s *store.Store, v *secret.Vault) *jobs.Keys {
	return &jobs.Keys{Store: s, Vault: v, Notes: []string{apply.SealedNotes}}
}

// checkKey refuses keys that are not those which the stored credentials were
// sealed with, before anything is written with them.
func (a *app) checkKey(ctx context.Context) error {
	a.keys = keysOf(a.store, a.vault)
	var wrong *jobs.KeyError
	err := a.keys.Check(ctx)
	switch {
	case !errors.As(err, &wrong):
		return err
	case len(wrong.Names) == 0:
		return fmt.Errorf("%[1]sSECRET_KEY (or secret.key in the data folder) is not the key that the stored credentials were encrypted with, which has the id %[2]s; nothing was changed. Start with the old key, or give it in %[1]sSECRET_KEY_PREVIOUS", prefix, wrong.Sealed)
	}
	return fmt.Errorf("%w. Give that key in %sSECRET_KEY_PREVIOUS and run 'stagebridge secrets rotate'", err, prefix)
}

// secretsCommands are those about the key of the stored credentials.
func secretsCommands() []command {
	return []command{
		accessCommand("secrets status", "", "tell by which keys the stored credentials are encrypted; keys are shown by their ids", 0, (*program).secretsStatus),
		accessCommand("secrets rotate", "", "encrypt all stored credentials with SECRET_KEY, which every process must know; SECRET_KEY_PREVIOUS holds the key so far", 0, (*program).rotateSecrets),
		newKeyCommand(),
		forgetCommand(),
	}
}

func (p *program) secretsStatus(ctx context.Context, a *app, _ []string) error {
	state, err := a.keys.State(ctx)
	if err != nil {
		return err
	}
	for _, id := range state.Known {
		var about []string
		if id == state.Newest {
			about = append(about, "SECRET_KEY")
		}
		if id == state.Sealing {
			about = append(about, "in force")
		}
		fmt.Fprintf(p.stdout, "%s  %d values  %s\n", id, state.Values[id], strings.Join(about, ", "))
	}
	if state.Newest != state.Sealing {
		fmt.Fprintln(p.stdout, "Once every process was started with both keys, run 'stagebridge secrets rotate'.")
	}
	return nil
}

func (p *program) rotateSecrets(ctx context.Context, a *app, _ []string) error {
	n, err := a.keys.Rotate(ctx, settleTime)
	if err != nil {
		return err
	}
	state, err := a.keys.State(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "encrypted %d values anew; all %d are encrypted with the key %s\n", n, state.Values[state.Newest], state.Newest)
	if len(state.Known) > 1 {
		fmt.Fprintf(p.stdout, "The keys before may go out of %sSECRET_KEY_PREVIOUS, or secret.key. Keep them elsewhere as long as backups that were made with them.\n", prefix)
	}
	return nil
}

func newKeyCommand() command {
	c := command{name: "secrets new-key", summary: "put a new key into secret.key of the data folder, for use from the next start; then run 'secrets rotate'"}
	c.run = func(_ context.Context, p *program, args []string) error {
		if _, err := p.parse(c, args, nil, 0, 0); err != nil {
			return err
		}
		config, _, err := loadConfig(p.env)
		if err != nil {
			return err
		}
		if !config.SecretKey.Empty() {
			return fmt.Errorf("%[1]sSECRET_KEY is set: put a new key there, the one so far into %[1]sSECRET_KEY_PREVIOUS, and start every process again", prefix)
		}
		if err := secret.AddKey(config.DataDir); errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("there is no secret.key in %s; the first start makes one", config.DataDir)
		} else if err != nil {
			return err
		}
		_, err = fmt.Fprintln(p.stdout, "A new key stands first in secret.key. Start the server again, then run 'stagebridge secrets rotate'.")
		return err
	}
	return c
}

// forgetCommand is for whoever lost the key.
func forgetCommand() command {
	c := command{name: "secrets forget", operands: "-yes", summary: "with the key lost: drop the credentials that no known key opens, so that the server starts and they can be entered again"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		yes := false
		if _, err := p.parse(c, args, func(f *flag.FlagSet) { f.BoolVar(&yes, "yes", false, "really drop them") }, 0, 0); err != nil {
			return err
		}
		config, _, err := loadConfig(p.env)
		if err != nil {
			return err
		}
		v, err := config.vault()
		if err != nil {
			return err
		}
		s, err := store.Open(ctx, store.Options{URL: config.DatabaseURL.Reveal(), Dir: config.DataDir, Log: logTo(config, p.stderr)})
		if err != nil {
			return err
		}
		return errors.Join(p.forget(ctx, keysOf(s, v), yes), s.Close())
	}
	return c
}

func (p *program) forget(ctx context.Context, k *jobs.Keys, yes bool) error {
	state, err := k.State(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, some := range slices.Sorted(maps.Keys(state.Strange)) {
		names = append(names, state.Strange[some]...)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintln(p.stdout, name)
	}
	if !yes {
		return fmt.Errorf("%d values cannot be opened with the keys that there are; -yes drops them. Nothing was changed", len(names))
	}
	n, err := k.Forget(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "dropped %d values; enter the credentials again\n", n)
	return err
}
