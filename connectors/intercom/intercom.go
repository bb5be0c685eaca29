// Package intercom connects an Intercom workspace: webhooks about contacts,
// conversations and tickets come in; the stage goes out as a data attribute and
// segments as tags. Vendor facts are those of https://developers.intercom.com/
// (version 2.15 of the API) unless a comment says otherwise; guide.md lists what
// could not be confirmed.
package intercom

import (
	"embed"
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

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
	_ connectors.Lister      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretClient   = "client_secret"
	secretToken    = "access_token"
	fieldRegion    = "region"
	fieldWorkspace = "workspace_id"
	fieldStage     = "stage_field"
	fieldCreate    = "create_field"
	fieldPrefix    = "tag_prefix"
	fieldRole      = "role_if_new"
	fieldBaseURL   = "base_url"
)

// Connector is a connection to one workspace. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	attributes *attributes
	tags       *tags

	workspace  string
	stageField string
	tagPrefix  string
	roleIfNew  string
}

// Vendor gives Intercom's line of the catalogue.
func Vendor() connectors.Vendor {
	d := connectors.MustDescriptor(folder)
	return connectors.Vendor{
		Descriptor: d,
		Open:       func(cfg connectors.Config) (connectors.Connector, error) { return open(d, cfg) },
	}
}

// Descriptor implements connectors.Connector.
func (c *Connector) Descriptor() *connectors.Descriptor { return c.descriptor }

// nameForm is what a data attribute's name may be: no dot and no dollar sign.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_ -]{1,190}$`)

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	form := connectors.ReadForm(d, cfg)
	stage := form.Setting(fieldStage)
	if !nameForm.MatchString(stage) {
		form.Refuse(fieldStage, "is %q, want letters, digits, underscores, hyphens and spaces", stage)
	}
	for name := range cfg.Push.Traits {
		if !nameForm.MatchString(name) || name == stage {
			form.Refuse("push.traits", "%q is not the name of a data attribute that can be written", name)
		}
	}
	base, err := baseURL(form.Setting(fieldBaseURL), form.Setting(fieldRegion))
	if err != nil {
		form.Refuse(fieldBaseURL, "%v", err)
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	token := secret.New(strings.TrimSpace(cfg.Secret(secretToken).Reveal()))
	a := newAPI(cfg.HTTP, cfg.Now, base, token, slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...))
	return &Connector{
		descriptor: d,
		cfg:        cfg,
		api:        a,
		attributes: &attributes{api: a, create: form.Setting(fieldCreate) == "true"},
		tags:       &tags{api: a},
		workspace:  form.Setting(fieldWorkspace),
		stageField: stage,
		tagPrefix:  form.Setting(fieldPrefix),
		roleIfNew:  form.Setting(fieldRole),
	}, nil
}

// baseURL gives the root of the API without a trailing slash.
func baseURL(given, region string) (string, error) {
	if given == "" {
		if region == "us" {
			return "https://api.intercom.io", nil
		}
		return "https://api." + region + ".intercom.io", nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://api.eu.intercom.io")
	}
	return strings.TrimRight(u.String(), "/"), nil
}
