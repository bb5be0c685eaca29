package connectors

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// Connector is one connection to one vendor, opened with its settings. What it
// can do beyond describing itself it says by implementing Source, Enricher,
// Registrar, Destination, Checker and so on; callers ask by type assertion.
// A Connector is safe for concurrent use.
type Connector interface {
	Descriptor() *Descriptor
}

// Vendor is a line of the catalogue: a descriptor and the constructor of its
// connections.
type Vendor struct {
	Descriptor *Descriptor
	// Open checks the settings and gives the connector. It makes no request.
	// The error lists every setting that is missing or wrong (errors.Join of
	// *SettingError).
	Open func(Config) (Connector, error)
}

// Config is what a connection is opened with.
type Config struct {
	// ID is the connection's id, for example "hubspot-eu".
	ID string
	// Instance identifies this installation to itself in echo marks; never empty.
	Instance string
	// PublicURL is what the vendor calls, without a trailing slash:
	// https://bridge.example.com/hooks/hubspot-eu.
	PublicURL string
	// Settings by name of the descriptor's field. Defaults are filled in.
	Settings map[string]string
	// Secrets by name of the descriptor's field. The first is current; a second
	// one is the previous one, still accepted while it is being rotated out.
	Secrets map[string][]secret.Text
	// Push says what to bring to the vendor.
	Push PushConfig
	// HTTP makes every outbound request; nil gives a client with the defaults.
	HTTP *Client
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	Log *slog.Logger
}

// Secret gives the current value of a secret, or the empty one.
func (c Config) Secret(name string) secret.Text {
	if all := c.Secrets[name]; len(all) > 0 {
		return all[0]
	}
	return secret.Text{}
}

// Keys gives the values of a secret that are not empty, the current one first:
// an empty key would let everybody in.
func (c Config) Keys(name string) []secret.Text {
	return slices.DeleteFunc(slices.Clone(c.Secrets[name]), secret.Text.Empty)
}

// WithDefaults fills in the client, the clock and the log (to nowhere) where
// they are nil, so that a vendor's constructor need not ask.
func (c Config) WithDefaults() Config {
	if c.HTTP == nil {
		c.HTTP = NewClient(ClientOptions{})
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// PushConfig is the push block of a connection.
type PushConfig struct {
	Enabled bool `json:"enabled" yaml:"enabled"`
	// Create lets a push create people at the vendor. Without it a person who
	// is not there is skipped.
	Create bool `json:"create" yaml:"create"`
	// Stages translates our stage names into the vendor's. Empty: unchanged.
	Stages map[string]string `json:"stages,omitempty" yaml:"stages,omitempty"`
	// Unmapped says what becomes of a stage that Stages, when not empty, does
	// not name: "skip" (the default; the vendor's stage is left alone) or "keep" (our name is sent).
	Unmapped string `json:"unmapped,omitempty" yaml:"unmapped,omitempty"`
	// Segments is "all" (the default), "none", or nil with SegmentNames set.
	Segments     string   `json:"segments,omitempty" yaml:"-"`
	SegmentNames []string `json:"segment_names,omitempty" yaml:"-"`
	// Traits maps the vendor's field to our trait.
	Traits map[string]string `json:"traits,omitempty" yaml:"traits,omitempty"`
	// Lifecycles are the plan's further lifecycles whose stage is written, by id.
	Lifecycles map[string]LifecyclePush `json:"lifecycles,omitempty" yaml:"lifecycles,omitempty"`
	// Audience is a segment; only people in it are pushed. Empty: everybody.
	Audience string `json:"audience,omitempty" yaml:"audience,omitempty"`
	// Since cuts off moves that happened before it, for destinations that take
	// events. Zero: since the connection was made.
	Since lifecycle.Instant `json:"since,omitempty" yaml:"-"`
	// MaxAge cuts off moves that had happened longer ago than that when they
	// were found out, for destinations that take events: a duration as in plans,
	// such as 3d. Empty: however old.
	MaxAge string `json:"max_age,omitempty" yaml:"max_age,omitempty"`
	// Accounts is the push block of accounts, of which enabled, create, stages,
	// unmapped and segments count; nil: accounts are not pushed. The stages and
	// segments are those of accounts.
	Accounts *PushConfig `json:"accounts,omitempty" yaml:"-"`
}

// Checker verifies the credentials with one cheap request.
type Checker interface {
	// Check answers with a sentence for the person who pressed 'Test
	// connection', for example the account's name. The error is a *PushError.
	Check(ctx context.Context) (string, error)
}

// Registrar creates the webhook at the vendor, so that nobody need click.
type Registrar interface {
	// Register makes the vendor call Config.PublicURL for the given event
	// types (nil: all that the default rules use). It lists first and changes
	// what is there rather than adding a second webhook. A secret that the
	// vendor gives out once is in the answer and must be stored.
	Register(ctx context.Context, types []string) (*Registration, error)
	// Registered lists the webhooks at the vendor that call PublicURL.
	Registered(ctx context.Context) ([]Registration, error)
	// Unregister removes them. Removing what is not there is no error.
	Unregister(ctx context.Context) error
}

// Registration is one webhook at a vendor.
type Registration struct {
	ID    string
	URL   string
	Types []string
	// Secrets to store with the connection, by field name; usually nil.
	Secrets map[string]secret.Text
}
