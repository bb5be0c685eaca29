// Package calendly connects Calendly: signed events of bookings, cancellations,
// missed meetings and routing forms come in. There is nothing at Calendly that
// could hold a person's stage, so nothing goes out. Vendor facts are those of
// Calendly's developer pages (https://developer.calendly.com/) unless a comment
// says otherwise; guide.md lists what could not be confirmed.
package calendly

import (
	"embed"
	"errors"
	"maps"
	"net/url"
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
	_ connectors.Connector = (*Connector)(nil)
	_ connectors.Source    = (*Connector)(nil)
	_ connectors.Registrar = (*Connector)(nil)
	_ connectors.Checker   = (*Connector)(nil)
	_ connectors.Eraser    = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretSigning = "signing_key"
	secretToken   = "access_token"

	fieldScope   = "scope"
	fieldAge     = "max_age_minutes"
	fieldBaseURL = "base_url"
)

// Values of the setting scope.
const (
	scopeOrganization = "organization"
	scopeUser         = "user"
)

// maxAge is the oldest signature that a setting may allow: Calendly repeats a
// delivery for 24 hours.
const maxAge = 25 * time.Hour

// Connector is a connection to one Calendly organization, or to one user of
// it. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	scope      string
	tolerance  time.Duration
}

// Vendor gives Calendly's line of the catalogue.
func Vendor() connectors.Vendor {
	d := connectors.MustDescriptor(folder)
	return connectors.Vendor{
		Descriptor: d,
		Open:       func(cfg connectors.Config) (connectors.Connector, error) { return open(d, cfg) },
	}
}

// Descriptor implements connectors.Connector.
func (c *Connector) Descriptor() *connectors.Descriptor { return c.descriptor }

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	cfg = cfg.WithDefaults()
	form := connectors.ReadForm(d, cfg)
	base, err := baseURL(form.Setting(fieldBaseURL))
	if err != nil {
		form.Refuse(fieldBaseURL, "%v", err)
	}
	minutes, err := strconv.Atoi(form.Setting(fieldAge))
	if err != nil || minutes < 1 || minutes > int(maxAge.Minutes()) {
		form.Refuse(fieldAge, "is %q, want a number of minutes from 1 to %d", form.Setting(fieldAge), int(maxAge.Minutes()))
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	token := secret.New(strings.TrimSpace(cfg.Secret(secretToken).Reveal()))
	return &Connector{
		descriptor: d,
		cfg:        cfg,
		api:        newAPI(cfg.HTTP, base, token, slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...)),
		scope:      form.Setting(fieldScope),
		tolerance:  time.Duration(minutes) * time.Minute,
	}, nil
}

// baseURL gives the root of the API without a trailing slash.
func baseURL(given string) (string, error) {
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://api.calendly.com")
	}
	return strings.TrimRight(u.String(), "/"), nil
}
