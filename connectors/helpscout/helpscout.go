// Package helpscout connects Help Scout accounts: signed webhooks about
// conversations, customers and ratings come in; the stage and the segments go
// out as two properties of the customer. Vendor facts are those of
// https://developer.helpscout.com unless a comment says otherwise; guide.md
// lists what could not be confirmed.
package helpscout

import (
	"embed"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
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
	secretApp      = "app_secret"
	secretWebhook  = "webhook_secret"
	fieldApp       = "app_id"
	fieldBaseURL   = "base_url"
	fieldStage     = "stage_property"
	fieldSegments  = "segments_property"
	fieldCreate    = "create_properties"
	fieldMailboxes = "mailbox_ids"
)

// maxWebhookSecret is the longest secret key that a webhook takes, in characters.
const maxWebhookSecret = 40

// Connector is a connection to one account. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	schema     *schema

	stage     string
	segments  string
	mailboxes []int64
}

// Vendor gives Help Scout's line of the catalogue.
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
	numberForm = regexp.MustCompile(`^[0-9]{1,18}$`)
	// slugForm is what a property's slug may be (create customer property definition).
	slugForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
)

// reserved are slugs that Help Scout keeps for itself.
var reserved = []string{"email", "name", "company", "jobTitle"}

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	cfg = cfg.WithDefaults()
	form := connectors.ReadForm(d, cfg)
	slug := func(field, v string) {
		if !slugForm.MatchString(v) || slices.Contains(reserved, v) {
			form.Refuse(field, "%q is not a slug of a property that can be written", v)
		}
	}
	stage, segments := form.Setting(fieldStage), form.Setting(fieldSegments)
	slug(fieldStage, stage)
	slug(fieldSegments, segments)
	if stage == segments {
		form.Refuse(fieldSegments, "is the same as %s", fieldStage)
	}
	for name := range cfg.Push.Traits {
		slug("push.traits", name)
		if name == stage || name == segments {
			form.Refuse("push.traits", "%q holds the stage or the segments", name)
		}
	}
	var mailboxes []int64
	for one := range strings.FieldsFuncSeq(form.Setting(fieldMailboxes), func(r rune) bool { return r == ',' || r == ' ' }) {
		n, err := strconv.ParseInt(one, 10, 64)
		if err != nil || n <= 0 {
			form.Refuse(fieldMailboxes, "%q is not the number of an inbox", one)
		}
		mailboxes = append(mailboxes, n)
	}
	for _, key := range cfg.Secrets[secretWebhook] {
		if len([]rune(key.Reveal())) > maxWebhookSecret {
			form.Refuse(secretWebhook, "has more than %d characters", maxWebhookSecret)
		}
	}
	base, err := url.Parse(form.Setting(fieldBaseURL))
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Scheme != "https" && base.Scheme != "http" {
		form.Refuse(fieldBaseURL, "is not an address such as https://api.helpscout.net")
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	app := secret.New(strings.TrimSpace(cfg.Secret(secretApp).Reveal()))
	a := newAPI(cfg, strings.TrimSuffix(strings.TrimRight(base.String(), "/"), "/v2")+"/v2", form.Setting(fieldApp), app,
		slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...))
	return &Connector{
		descriptor: d,
		cfg:        cfg,
		api:        a,
		schema:     &schema{api: a, create: form.Setting(fieldCreate) == "true"},
		stage:      stage,
		segments:   segments,
		mailboxes:  mailboxes,
	}, nil
}
