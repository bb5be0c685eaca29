// Package crisp connects Crisp workspaces: website hooks and plugin hooks come
// in; the stage goes out as custom data and segments as segments of the
// profile. Vendor facts are those of https://docs.crisp.chat and of Crisp's own
// client libraries unless a comment says otherwise; guide.md lists what could
// not be confirmed.
package crisp

import (
	"embed"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

//go:embed connector.yaml rules.yaml guide.md
var folder embed.FS

var (
	_ connectors.Connector   = (*Connector)(nil)
	_ connectors.Source      = (*Connector)(nil)
	_ connectors.Enricher    = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretKey       = "token_key"
	secretWebhook   = "webhook_secret"
	secretSigning   = "signing_secret"
	fieldWebsite    = "website_id"
	fieldIdentifier = "token_identifier"
	fieldTier       = "tier"
	fieldBaseURL    = "base_url"
	fieldStageKey   = "stage_key"
	fieldPrefix     = "segment_prefix"
	fieldLookUp     = "look_up_sessions"
	fieldDataBody   = "data_body"
	fieldMinutes    = "signature_minutes"
)

// maxMinutes is the longest age of a signed webhook that may be set: a week.
const maxMinutes = 7 * 24 * 60

// Connector is a connection to one workspace. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	sessions   *sessions

	website   string
	stageKey  string
	prefix    string
	lookUp    bool
	tolerance time.Duration
}

// Vendor gives Crisp's line of the catalogue.
func Vendor() connectors.Vendor {
	d := connectors.MustDescriptor(folder)
	return connectors.Vendor{
		Descriptor: d,
		Open:       func(cfg connectors.Config) (connectors.Connector, error) { return open(d, cfg) },
	}
}

// Descriptor implements connectors.Connector.
func (c *Connector) Descriptor() *connectors.Descriptor { return c.descriptor }

var (
	idForm  = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	keyForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
)

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	cfg = cfg.WithDefaults()
	form := connectors.ReadForm(d, cfg)
	for _, name := range []string{fieldWebsite, fieldIdentifier} {
		if v := form.Setting(name); v != "" && !idForm.MatchString(v) {
			form.Refuse(name, "is %q, want the id that Crisp shows", v)
		}
	}
	if v := form.Setting(fieldStageKey); !keyForm.MatchString(v) {
		form.Refuse(fieldStageKey, "is %q, want letters, digits, dots, hyphens and underscores", v)
	}
	for name := range cfg.Push.Traits {
		if !keyForm.MatchString(name) || name == form.Setting(fieldStageKey) || name == "email" {
			form.Refuse("push.traits", "%q is not a data key that traits are written to", name)
		}
	}
	minutes, err := strconv.Atoi(form.Setting(fieldMinutes))
	if err != nil || minutes < 1 || minutes > maxMinutes {
		form.Refuse(fieldMinutes, "is %q, want a number of minutes up to %d", form.Setting(fieldMinutes), maxMinutes)
	}
	base, err := url.Parse(form.Setting(fieldBaseURL))
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Scheme != "https" && base.Scheme != "http" {
		form.Refuse(fieldBaseURL, "is not an address such as https://api.crisp.chat")
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	website := form.Setting(fieldWebsite)
	a := newAPI(cfg.HTTP, strings.TrimRight(base.String(), "/"), website, credentials{
		identifier: form.Setting(fieldIdentifier), key: secret.New(strings.TrimSpace(cfg.Secret(secretKey).Reveal())), tier: form.Setting(fieldTier),
		hide: slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...),
	})
	a.bare = form.Setting(fieldDataBody) == "bare"
	return &Connector{
		descriptor: d,
		cfg:        cfg,
		api:        a,
		sessions:   &sessions{now: cfg.Now},
		website:    website,
		stageKey:   form.Setting(fieldStageKey),
		prefix:     form.Given(fieldPrefix),
		lookUp:     form.Setting(fieldLookUp) == "true" && a.ready,
		tolerance:  time.Duration(minutes) * time.Minute,
	}, nil
}
