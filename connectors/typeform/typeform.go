// Package typeform connects Typeform: signed responses to forms come in, with
// the answers to surveys, requests and payments. There is nothing at Typeform
// that could hold a person's stage, so nothing goes out. Vendor facts are those
// of Typeform's developer pages (https://www.typeform.com/developers/) unless a
// comment says otherwise; guide.md lists what could not be confirmed.
package typeform

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
	_ connectors.Connector = (*Connector)(nil)
	_ connectors.Source    = (*Connector)(nil)
	_ connectors.Registrar = (*Connector)(nil)
	_ connectors.Checker   = (*Connector)(nil)
	_ connectors.Eraser    = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretWebhook = "webhook_secret"
	secretToken   = "access_token"

	fieldForms   = "form_ids"
	fieldBaseURL = "base_url"
)

// maxForms bounds how many forms one connection may name.
const maxForms = 200

// Connector is a connection to forms of one Typeform account. It is safe for
// concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	forms      []string
	tag        string
}

// Vendor gives Typeform's line of the catalogue.
func Vendor() connectors.Vendor {
	d := connectors.MustDescriptor(folder)
	return connectors.Vendor{
		Descriptor: d,
		Open:       func(cfg connectors.Config) (connectors.Connector, error) { return open(d, cfg) },
	}
}

// Descriptor implements connectors.Connector.
func (c *Connector) Descriptor() *connectors.Descriptor { return c.descriptor }

// formID is the last part of a form's address, as in /to/AbC123.
var formID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	cfg = cfg.WithDefaults()
	form := connectors.ReadForm(d, cfg)
	base, err := baseURL(form.Setting(fieldBaseURL))
	if err != nil {
		form.Refuse(fieldBaseURL, "%v", err)
	}
	forms := listed(form.Setting(fieldForms))
	for _, id := range forms {
		if !formID.MatchString(id) {
			form.Refuse(fieldForms, "%q is not the id of a form; it is what follows /to/ in the form's address", id)
		}
	}
	if len(forms) > maxForms {
		form.Refuse(fieldForms, "names %d forms, at most %d", len(forms), maxForms)
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	key := secret.New(strings.TrimSpace(cfg.Secret(secretToken).Reveal()))
	return &Connector{
		descriptor: d,
		cfg:        cfg,
		api:        newAPI(cfg.HTTP, base, key, slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...)),
		forms:      forms,
		tag:        tagOf(cfg.ID),
	}, nil
}

// listed splits a list at commas and white space; each name once.
func listed(text string) []string {
	var all []string
	for _, name := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' || r == '\r' }) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// tagOf names this connection's webhook on each form. Two connections, or two
// installations with connections of other names, keep out of each other's way.
func tagOf(connection string) string {
	return "stagebridge-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, connection)
}

// baseURL gives the root of the API without a trailing slash.
func baseURL(given string) (string, error) {
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://api.typeform.com")
	}
	return strings.TrimRight(u.String(), "/"), nil
}
