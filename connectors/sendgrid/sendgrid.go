// Package sendgrid connects Twilio SendGrid: the event webhook comes in; the
// stage and the segments go out as custom fields of contacts in Marketing
// Campaigns. Vendor facts are those of https://www.twilio.com/docs/sendgrid (read
// 2026-11) unless a comment says otherwise; guide.md lists what could not be
// confirmed.
package sendgrid

import (
	"crypto/ecdsa"
	"embed"
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

//go:embed connector.yaml rules.yaml guide.md
var folder embed.FS

var (
	_ connectors.Connector   = (*Connector)(nil)
	_ connectors.Source      = (*Connector)(nil)
	_ connectors.Registrar   = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.JobPoller   = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretVerification = "verification_key"
	secretAPIKey       = "api_key"
	fieldRegion        = "region"
	fieldStage         = "stage_field"
	fieldSegments      = "segments_field"
	fieldCreate        = "create_fields"
	fieldBaseURL       = "base_url"
	stageTimeAfter     = "_at"
)

// Connector is a connection to one account or subuser. It is safe for
// concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	fields     *fields
	// keys verify the webhook, the current one first.
	keys []*ecdsa.PublicKey

	stage, segments string
}

// Vendor gives SendGrid's line of the catalogue.
func Vendor() connectors.Vendor {
	d := connectors.MustDescriptor(folder)
	return connectors.Vendor{
		Descriptor: d,
		Open:       func(cfg connectors.Config) (connectors.Connector, error) { return open(d, cfg) },
	}
}

// Descriptor implements connectors.Connector.
func (c *Connector) Descriptor() *connectors.Descriptor { return c.descriptor }

// fieldForm is what a custom field may be called.
var fieldForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	form := connectors.ReadForm(d, cfg)
	stage, segments := form.Setting(fieldStage), form.Setting(fieldSegments)
	for field, name := range map[string]string{fieldStage: stage, fieldSegments: segments} {
		if !fieldForm.MatchString(name) || reservedField(name) {
			form.Refuse(field, "is %q, want letters, digits and underscores, and no field that SendGrid keeps for itself", name)
		}
	}
	if strings.EqualFold(stage, segments) {
		form.Refuse(fieldSegments, "is the field of the stage; segments need one of their own")
	}
	ours := []string{strings.ToLower(stage), strings.ToLower(stage + stageTimeAfter), strings.ToLower(segments)}
	for _, name := range slices.Sorted(maps.Keys(cfg.Push.Traits)) {
		writable := ownField(name) || fieldForm.MatchString(name) && !reservedField(name) && !connectors.ConsentField(name)
		if !writable || slices.Contains(ours, strings.ToLower(name)) {
			form.Refuse("push.traits", "%q is not a field that can be written", name)
		}
	}
	base, err := baseURL(form.Setting(fieldRegion), form.Setting(fieldBaseURL))
	if err != nil {
		form.Refuse(fieldBaseURL, "%v", err)
	}
	var keys []*ecdsa.PublicKey
	for _, text := range cfg.Secrets[secretVerification] {
		if text.Empty() {
			continue
		}
		key, err := parseKey(text.Reveal())
		if err != nil {
			form.Refuse(secretVerification, "%v", err)
			continue
		}
		keys = append(keys, key)
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	a := &api{
		client: cfg.HTTP, base: base, now: cfg.Now,
		key:     strings.TrimSpace(cfg.Secret(secretAPIKey).Reveal()),
		secrets: slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...),
	}
	return &Connector{
		descriptor: d,
		cfg:        cfg,
		api:        a,
		fields:     newFields(a, form.Setting(fieldCreate) == "true"),
		keys:       keys,
		stage:      stage,
		segments:   segments,
	}, nil
}

func baseURL(region, given string) (string, error) {
	if given == "" && region == "eu" {
		return "https://api.eu.sendgrid.com", nil
	}
	if given == "" {
		return "https://api.sendgrid.com", nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://api.sendgrid.com")
	}
	return strings.TrimRight(u.String(), "/"), nil
}
