// Package customerio connects Customer.io Journeys: reporting webhooks come in;
// the stage and the segments go out as attributes of a person. Vendor facts are
// those of https://docs.customer.io (read 2026-11) unless a comment says
// otherwise; guide.md lists what could not be confirmed.
package customerio

import (
	"embed"
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
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
	_ connectors.Registrar   = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Lister      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretWebhook  = "webhook_key"
	secretTrack    = "track_api_key"
	secretApp      = "app_api_key"
	fieldSite      = "site_id"
	fieldRegion    = "region"
	fieldIdentify  = "identify_by"
	fieldStage     = "stage_attribute"
	fieldPrefix    = "segment_prefix"
	fieldAge       = "signature_age"
	fieldErase     = "erase_by"
	fieldBaseURL   = "base_url"
	stageTimeAfter = "_at"
)

// Connector is a connection to one workspace. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	track, app *api

	region     string
	identifyBy string // kindEmail or kindID
	stage      string
	prefix     string
	tolerance  time.Duration
	eraseBy    string
}

// Vendor gives Customer.io's line of the catalogue.
func Vendor() connectors.Vendor {
	d := connectors.MustDescriptor(folder)
	return connectors.Vendor{
		Descriptor: d,
		Open:       func(cfg connectors.Config) (connectors.Connector, error) { return open(d, cfg) },
	}
}

// Descriptor implements connectors.Connector.
func (c *Connector) Descriptor() *connectors.Descriptor { return c.descriptor }

// maxNameBytes bounds an attribute's name
// (https://docs.customer.io/journeys/attributes/, 150 characters).
const maxNameBytes = 150

var attributeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_ .-]*$`)

// reserved are attributes that identify a person or hold their consent; a push
// never writes them (https://docs.customer.io/messaging/people/reserved-attributes/).
func reserved(name string) bool {
	switch strings.ToLower(name) {
	case "id", "email", "phone", "cio_id", "anonymous_id", "unsubscribed":
		return true
	}
	return strings.HasPrefix(name, "_") || strings.HasPrefix(strings.ToLower(name), "cio_")
}

// writable reports whether a name can be an attribute that a push writes.
func writable(name string) bool {
	return attributeForm.MatchString(name) && len(name) <= maxNameBytes && !reserved(name) && !connectors.ConsentField(name)
}

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	form := connectors.ReadForm(d, cfg)
	for _, field := range []string{fieldStage, fieldPrefix} {
		if !writable(form.Setting(field)) {
			form.Refuse(field, "is %q, want a letter, then letters, digits, underscores, dots, spaces or hyphens, and no attribute that Customer.io keeps for itself", form.Setting(field))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Push.Traits)) {
		if !writable(name) || name == form.Setting(fieldStage) || strings.HasPrefix(name, form.Setting(fieldPrefix)) {
			form.Refuse("push.traits", "%q is not an attribute that can be written", name)
		}
	}
	trackURL, appURL := addresses(form.Setting(fieldRegion))
	if given := form.Setting(fieldBaseURL); given != "" {
		base, err := cleanURL(given)
		if err != nil {
			form.Refuse(fieldBaseURL, "%v", err)
		}
		trackURL, appURL = base, base
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	hide := slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...)
	c := &Connector{
		descriptor: d,
		cfg:        cfg,
		track:      &api{client: cfg.HTTP, base: trackURL, secrets: hide},
		app:        &api{client: cfg.HTTP, base: appURL, secrets: hide},
		region:     form.Setting(fieldRegion),
		identifyBy: form.Setting(fieldIdentify),
		stage:      form.Setting(fieldStage),
		prefix:     form.Setting(fieldPrefix),
		tolerance:  maxAge(form.Setting(fieldAge)),
		eraseBy:    form.Setting(fieldErase),
	}
	if key := trimmed(cfg.Secret(secretTrack)); key != "" && form.Setting(fieldSite) != "" {
		c.track.authorization = basic(form.Setting(fieldSite), key)
	}
	if key := trimmed(cfg.Secret(secretApp)); key != "" {
		c.app.authorization = "Bearer " + key
	}
	return c, nil
}

func trimmed(s secret.Text) string { return strings.TrimSpace(s.Reveal()) }

// addresses gives the Track and the App API of a region.
func addresses(region string) (track, app string) {
	if region == "eu" {
		return "https://track-eu.customer.io", "https://api-eu.customer.io"
	}
	return "https://track.customer.io", "https://api.customer.io"
}

func cleanURL(given string) (string, error) {
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://track.customer.io")
	}
	return strings.TrimRight(u.String(), "/"), nil
}
