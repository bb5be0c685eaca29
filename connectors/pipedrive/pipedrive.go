// Package pipedrive connects Pipedrive: webhooks about persons, leads, deals
// and activities come in; the stage goes out as a single-option field of the
// person and the segments as a multiple-option field. Vendor facts are those of
// Pipedrive's developer pages (https://pipedrive.readme.io and
// https://developers.pipedrive.com) unless a comment says otherwise; guide.md
// lists what could not be confirmed.
package pipedrive

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
	_ connectors.Registrar   = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Lister      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretToken    = "api_token"
	secretPassword = "webhook_password"
	fieldBaseURL   = "base_url"
	fieldUser      = "webhook_user"
	fieldCompany   = "company_id"
	fieldUserID    = "user_id"
	fieldStage     = "stage_field"
	fieldSegments  = "segments_field"
	fieldCreate    = "create_fields"
)

// maxName is the most characters of a field's name or an option's label.
const maxName = 255

// Connector is a connection to one company. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	schema     *schema
	names      *names

	webhookUser   string
	company       string // empty: not checked
	user          string // empty: not known
	stageField    string
	segmentsField string
}

// Vendor gives Pipedrive's line of the catalogue.
func Vendor() connectors.Vendor {
	d := connectors.MustDescriptor(folder)
	return connectors.Vendor{
		Descriptor: d,
		Open:       func(cfg connectors.Config) (connectors.Connector, error) { return open(d, cfg) },
	}
}

// Descriptor implements connectors.Connector.
func (c *Connector) Descriptor() *connectors.Descriptor { return c.descriptor }

var numberForm = regexp.MustCompile(`^[0-9]{1,18}$`)

// reserved are fields of a person that a push never writes: e-mail addresses
// and labels are replaced as a whole, and marketing_status is consent.
var reserved = []string{"email", "emails", "phone", "phones", "label", "label_ids", "marketing_status", "owner_id", "org_id", "visible_to", "id"}

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	cfg = cfg.WithDefaults()
	form := connectors.ReadForm(d, cfg)
	base, err := baseURL(form.Setting(fieldBaseURL))
	if err != nil {
		form.Refuse(fieldBaseURL, "%v", err)
	}
	for _, name := range []string{fieldCompany, fieldUserID} {
		if v := form.Setting(name); v != "" && !numberForm.MatchString(v) {
			form.Refuse(name, "is %q, want the number that Test connection shows", v)
		}
	}
	stage, segments := form.Setting(fieldStage), form.Setting(fieldSegments)
	for name, v := range map[string]string{fieldStage: stage, fieldSegments: segments} {
		if len([]rune(v)) > maxName {
			form.Refuse(name, "has more than %d characters", maxName)
		}
	}
	if strings.EqualFold(stage, segments) {
		form.Refuse(fieldSegments, "is the same as %s", fieldStage)
	}
	if strings.Contains(form.Setting(fieldUser), ":") {
		form.Refuse(fieldUser, "may not hold a colon, which ends the user name in HTTP Auth")
	}
	for name := range cfg.Push.Traits {
		if slices.Contains(reserved, strings.ToLower(name)) || strings.EqualFold(name, stage) || strings.EqualFold(name, segments) {
			form.Refuse("push.traits", "%q is not a field that traits are written to", name)
		}
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	token := secret.New(strings.TrimSpace(cfg.Secret(secretToken).Reveal()))
	a := newAPI(cfg.HTTP, base, token, slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...))
	return &Connector{
		descriptor:    d,
		cfg:           cfg,
		api:           a,
		schema:        &schema{api: a, create: form.Setting(fieldCreate) == "true"},
		names:         &names{api: a, now: cfg.Now},
		webhookUser:   form.Setting(fieldUser),
		company:       form.Setting(fieldCompany),
		user:          form.Setting(fieldUserID),
		stageField:    stage,
		segmentsField: segments,
	}, nil
}

// baseURL checks the company's address; empty stays empty.
func baseURL(given string) (string, error) {
	if given == "" {
		return "", nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://acme.pipedrive.com")
	}
	return strings.TrimRight(u.String(), "/"), nil
}
