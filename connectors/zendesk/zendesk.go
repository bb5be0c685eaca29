// Package zendesk connects a Zendesk account: webhooks about users and tickets
// come in; the stage goes out as a user field and segments as user tags. Vendor
// facts are those of https://developer.zendesk.com/ unless a comment says
// otherwise; guide.md lists what could not be confirmed.
package zendesk

import (
	"embed"
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

//go:embed connector.yaml rules.yaml guide.md
var folder embed.FS

var (
	_ connectors.Connector   = (*Connector)(nil)
	_ connectors.Source      = (*Connector)(nil)
	_ connectors.Enricher    = (*Connector)(nil)
	_ connectors.Registrar   = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.JobPoller   = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Lister      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// createEvery is the pause between two users that are made, once Zendesk has
// refused one for coming too soon: its pages name a limit of one call of
// create_or_update a second for the account ("Rate limits", read 2026-11).
const createEvery = time.Second

// Names of secrets and settings in connector.yaml.
const (
	secretSigning  = "signing_secret"
	secretTrigger  = "trigger_signing_secret"
	secretToken    = "api_token"
	fieldSubdomain = "subdomain"
	fieldEmail     = "email"
	fieldStage     = "stage_field"
	fieldCreate    = "create_field"
	fieldPrefix    = "tag_prefix"
	fieldBaseURL   = "base_url"
)

// Connector is a connection to one account. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	fields     *userFields
	creates    *rate.Limiter

	stageField string
	tagPrefix  string
}

// Vendor gives Zendesk's line of the catalogue.
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
	subdomainForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,62}$`)
	keyForm       = regexp.MustCompile(`^[a-z0-9_]{1,100}$`)
	prefixForm    = regexp.MustCompile(`^[a-z0-9_:/-]{1,50}$`)
)

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	form := connectors.ReadForm(d, cfg)
	stage := form.Setting(fieldStage)
	if !keyForm.MatchString(stage) {
		form.Refuse(fieldStage, "is %q, want lower-case letters, digits and underscores", stage)
	}
	prefix := form.Setting(fieldPrefix)
	if !prefixForm.MatchString(prefix) {
		form.Refuse(fieldPrefix, "is %q, want lower-case letters, digits, underscores, hyphens, colons and slashes", prefix)
	}
	for key := range cfg.Push.Traits {
		if !keyForm.MatchString(key) || key == stage {
			form.Refuse("push.traits", "%q is not the key of a user field that can be written", key)
		}
	}
	token := secret.New(strings.TrimSpace(cfg.Secret(secretToken).Reveal()))
	subdomain := strings.TrimSuffix(form.Setting(fieldSubdomain), ".zendesk.com")
	if subdomain != "" && !subdomainForm.MatchString(subdomain) {
		form.Refuse(fieldSubdomain, "is %q, want what stands before .zendesk.com", subdomain)
	}
	if subdomain == "" && form.Setting(fieldBaseURL) == "" && !token.Empty() {
		form.Refuse(fieldSubdomain, "is required beside the API token")
	}
	base, err := baseURL(form.Setting(fieldBaseURL), subdomain)
	if err != nil {
		form.Refuse(fieldBaseURL, "%v", err)
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	a := newAPI(cfg.HTTP, base, form.Setting(fieldEmail), token, slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...))
	return &Connector{
		descriptor: d,
		cfg:        cfg,
		api:        a,
		fields:     &userFields{api: a, create: form.Setting(fieldCreate) == "true"},
		creates:    rate.NewLimiter(rate.Inf, 1),
		stageField: stage,
		tagPrefix:  prefix,
	}, nil
}

// baseURL gives the root of the API with the version, without a trailing slash.
func baseURL(given, subdomain string) (string, error) {
	if given == "" {
		return "https://" + subdomain + ".zendesk.com/api/v2", nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://acme.zendesk.com")
	}
	return strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/api/v2") + "/api/v2", nil
}
