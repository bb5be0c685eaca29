// Package churnzero connects ChurnZero: webhook steps of plays come in; the stage
// and the segments go out as custom attributes of contacts through the HTTP API,
// and contacts are listed and read back through the REST API. Vendor facts are
// those of https://support.churnzero.com (read 2026-11) unless a comment says
// otherwise; guide.md lists what could not be confirmed.
package churnzero

import (
	"embed"
	"encoding/base64"
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
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Lister      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretURL        = "url_secret"
	secretApp        = "app_key"
	secretREST       = "rest_key"
	fieldBaseURL     = "base_url"
	fieldNewID       = "new_contact_id"
	fieldNewAccount  = "new_account"
	fieldStage       = "stage_attribute"
	fieldSegments    = "segments_attribute"
	fieldOwnPlays    = "own_plays"
	fieldRESTURL     = "rest_url"
	fieldRESTUser    = "rest_user"
	fieldStageProp   = "stage_property"
	fieldSegmentProp = "segments_property"
)

// Connector is a connection to one tenant. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api, rest  *api

	newID, newAccount           string // newID is user or email
	stage, segments             string
	stageProperty, segmentsProp string
	ownPlays                    string
}

// Vendor gives ChurnZero's line of the catalogue.
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
	attributeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 _-]{0,99}$`)
	propertyForm  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
)

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	setting := func(name string) string {
		if v := cfg.Settings[name]; strings.TrimSpace(v) != "" {
			return v
		}
		i := slices.IndexFunc(d.Settings, func(f connectors.FieldSpec) bool { return f.Name == name })
		return d.Settings[i].Default
	}
	trimmed := func(name string) string { return strings.TrimSpace(setting(name)) }
	form := connectors.ReadForm(d, cfg)
	stage, segments := trimmed(fieldStage), trimmed(fieldSegments)
	for field, name := range map[string]string{fieldStage: stage, fieldSegments: segments} {
		if !attributeForm.MatchString(name) || standard(name) {
			form.Refuse(field, "is %q, want letters, digits, spaces, underscores and hyphens, and none of ChurnZero's own attributes", name)
		}
	}
	if strings.EqualFold(stage, segments) {
		form.Refuse(fieldSegments, "is the attribute of the stage; segments need one of their own")
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Push.Traits)) {
		identity := name == traitAccount || name == traitContact
		if !identity && (!attributeForm.MatchString(name) || strings.EqualFold(name, stage) || strings.EqualFold(name, segments)) {
			form.Refuse("push.traits", "%q is not an attribute that can be written", name)
		}
	}
	for _, field := range []string{fieldStageProp, fieldSegmentProp} {
		if p := trimmed(field); p != "" && !propertyForm.MatchString(p) {
			form.Refuse(field, "is %q, want a property of the REST API", p)
		}
	}
	addresses := map[string]string{}
	for _, field := range []string{fieldBaseURL, fieldRESTURL} {
		address, err := cleanURL(trimmed(field))
		if err != nil {
			form.Refuse(field, "%v", err)
		}
		addresses[field] = address
	}
	rest := addresses[fieldRESTURL]
	key := strings.TrimSpace(cfg.Secret(secretREST).Reveal())
	if n := len(slices.DeleteFunc([]string{rest, trimmed(fieldRESTUser), key}, func(s string) bool { return s == "" })); n > 0 && n < 3 {
		form.Refuse(fieldRESTURL, "the REST API takes rest_url, rest_user and rest_key together")
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	hide := slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...)
	c := &Connector{
		descriptor:    d,
		cfg:           cfg,
		api:           &api{client: cfg.HTTP, base: addresses[fieldBaseURL], secrets: hide},
		rest:          &api{client: cfg.HTTP, base: rest, secrets: hide},
		newID:         trimmed(fieldNewID),
		newAccount:    trimmed(fieldNewAccount),
		stage:         stage,
		segments:      segments,
		stageProperty: trimmed(fieldStageProp),
		segmentsProp:  trimmed(fieldSegmentProp),
		ownPlays:      setting(fieldOwnPlays),
	}
	if rest != "" {
		c.rest.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(trimmed(fieldRESTUser)+":"+key))
	}
	if c.ownPlays == "-" {
		c.ownPlays = ""
	}
	return c, nil
}

// standard reports whether a name is one of a contact's own attributes, which
// identify the person or are for traits.
func standard(name string) bool {
	return slices.Contains([]string{"email", "firstname", "lastname"}, strings.ToLower(name))
}

func cleanURL(given string) (string, error) {
	if given == "" {
		return "", nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://acme.us1app.churnzero.net/i")
	}
	return strings.TrimRight(u.String(), "/"), nil
}
