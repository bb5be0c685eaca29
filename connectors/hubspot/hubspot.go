// Package hubspot connects HubSpot: its app webhooks and workflow webhooks
// come in, the records they name are fetched in batches, and stage, segments
// and traits go out to the contact's own properties or lists.
package hubspot

import (
	"cmp"
	"embed"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

//go:embed connector.yaml rules.yaml guide.md
var folder embed.FS

var (
	_ connectors.Source      = (*Connector)(nil)
	_ connectors.Enricher    = (*Connector)(nil)
	_ connectors.Registrar   = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Lister      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of the form's fields.
const (
	secretClient    = "client_secret"
	secretToken     = "access_token"
	secretRefresh   = "refresh_token"
	secretDeveloper = "developer_api_key"

	settingBase     = "base_url"
	settingApp      = "app_id"
	settingClientID = "client_id"
	settingV3       = "require_v3"
	settingStage    = "stage_property"
	settingSegments = "segments_as"
	settingCreate   = "create_properties"
	settingRead     = "contact_properties"
)

// Forms that segments can take at HubSpot.
const (
	segmentsAsProperty = "property"
	segmentsAsLists    = "lists"
)

// Connector is one connection to one HubSpot account. It is safe for
// concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	config     connectors.Config
	http       *connectors.Client
	now        func() time.Time
	log        *slog.Logger

	base          string // without a trailing slash
	app           string // our app's id; empty when not known
	stageProperty string
	segmentsAs    string
	requireV3     bool
	create        bool     // may create properties, options and lists
	readContact   []string // contact properties that a record holds

	tokens    *connectors.Tokens
	schema    *schema
	companies *schema
	lists     *lists
	account   *account
}

// Vendor is HubSpot's line in the catalogue.
func Vendor() connectors.Vendor {
	d := connectors.MustDescriptor(folder)
	return connectors.Vendor{
		Descriptor: d,
		Open:       func(c connectors.Config) (connectors.Connector, error) { return open(d, c) },
	}
}

// open checks the settings, all of them before it answers.
func open(d *connectors.Descriptor, config connectors.Config) (*Connector, error) {
	c := &Connector{
		descriptor:    d,
		config:        config,
		http:          config.HTTP,
		now:           config.Now,
		log:           config.Log,
		base:          strings.TrimRight(cmp.Or(config.Settings[settingBase], "https://api.hubapi.com"), "/"),
		app:           strings.TrimSpace(config.Settings[settingApp]),
		stageProperty: cmp.Or(config.Settings[settingStage], ownStageProperty),
		segmentsAs:    cmp.Or(config.Settings[settingSegments], segmentsAsProperty),
		requireV3:     config.Settings[settingV3] == "true",
		create:        cmp.Or(config.Settings[settingCreate], "true") == "true",
		readContact:   contactProperties(config.Settings[settingRead]),
	}
	var wrong []error
	for _, e := range append(d.Check(config), c.check()...) {
		wrong = append(wrong, e)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	if c.http == nil {
		c.http = connectors.NewClient(connectors.ClientOptions{})
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.tokens = connectors.NewTokens(c.now, c.renew)
	c.schema, c.companies = newSchema(c, propertiesPath), newSchema(c, companyProperties)
	c.lists = newLists(c)
	c.account = &account{turn: make(chan struct{}, 1)}
	return c, nil
}

// check finds the mistakes that the descriptor alone cannot see.
func (c *Connector) check() []*connectors.SettingError {
	var wrong []*connectors.SettingError
	add := func(field, detail string) {
		wrong = append(wrong, &connectors.SettingError{Field: field, Detail: detail})
	}
	if u, err := url.Parse(c.base); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		add(settingBase, "is not an address that begins with https://")
	}
	if !digits(c.app) && c.app != "" {
		add(settingApp, "is the app's number, for example 556677")
	}
	if !propertyName(c.stageProperty) {
		add(settingStage, "is not a property's internal name: letters, digits and underscores")
	}
	if c.stageProperty == ownSegmentsProperty {
		add(settingStage, "is the property that holds the segments")
	}
	for _, name := range c.readContact {
		if !propertyName(name) {
			add(settingRead, "holds "+name+", which is not a property's internal name")
		}
	}
	if c.config.Push.Enabled && !c.authenticated() {
		add(secretToken, "is required to push: the access token of the app, or a refresh token with the client id")
	}
	if !c.config.Secret(secretRefresh).Empty() {
		if c.config.Settings[settingClientID] == "" {
			add(settingClientID, "is required with a refresh token")
		}
		if c.config.Secret(secretClient).Empty() {
			add(secretClient, "is required with a refresh token")
		}
	}
	for _, theirs := range sortedKeys(c.config.Push.Traits) {
		if why := c.refuseTarget(theirs); why != "" {
			add("push.traits."+theirs, why)
		}
	}
	return wrong
}

// refuseTarget says why a property cannot be the target of a trait; "" when
// it can. Consent is the first reason: this product never opts a person in, nor
// out of their own choice.
func (c *Connector) refuseTarget(name string) string {
	switch {
	case !propertyName(name):
		return "is not a property's internal name: letters, digits and underscores"
	case consentProperty(name):
		return "holds the person's consent or deliverability; Stagebridge never writes it"
	case name == c.stageProperty || name == nativeStageProperty:
		return "is written by the stage: choose it with the setting stage_property"
	case name == ownSegmentsProperty:
		return "is written by the segments"
	case name == "hs_object_id":
		return "is the record's id, which HubSpot gives out"
	}
	return ""
}

// consentPrefixes begin the names of contact properties that hold consent (beside
// those that connectors.ConsentField knows),
// legal basis, deliverability or the marketing status. Names from HubSpot's
// list of default contact properties (knowledge.hubspot.com, "HubSpot's
// default contact properties", read 2026-11).
var consentPrefixes = []string{
	"hs_legal_basis", "hs_marketable", "hs_email_quarantined",
	"hs_email_hard_bounce", "hs_email_bounce", "hs_emailconfirmationstatus",
	"hs_email_recipient", "hs_content_membership", "hs_subscription",
	"hs_data_privacy", "hs_gdpr", "hs_sms_", "hs_whatsapp", "currentlyinworkflow",
}

func consentProperty(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(consentPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// Descriptor implements connectors.Connector.
func (c *Connector) Descriptor() *connectors.Descriptor { return c.descriptor }

// authenticated reports whether the API can be called at all.
func (c *Connector) authenticated() bool {
	return !c.config.Secret(secretToken).Empty() || !c.config.Secret(secretRefresh).Empty()
}

// hide lists every secret, to be cut out of what HubSpot says.
func (c *Connector) hide() []secret.Text {
	var all []secret.Text
	for _, name := range sortedKeys(c.config.Secrets) {
		all = append(all, c.config.Secrets[name]...)
	}
	return all
}
