// Package salesforcemarketingcloud connects Salesforce Marketing Cloud
// Engagement: signed events of its Event Notification Service come in; the stage
// and the segments go out as rows of a data extension. Vendor facts are those of
// Salesforce's developer pages
// (https://developer.salesforce.com/docs/marketing/marketing-cloud/guide/) unless
// a comment says otherwise; guide.md lists what could not be confirmed.
package salesforcemarketingcloud

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
	_ connectors.Eraser      = (*Connector)(nil)
)

// prefix begins the text of every error.
const prefix = "salesforce-marketing-cloud: "

// Names of secrets and settings in connector.yaml.
const (
	secretClient    = "client_secret"
	secretSignature = "signature_key"

	fieldSubdomain  = "subdomain"
	fieldClientID   = "client_id"
	fieldAccountID  = "account_id"
	fieldExtension  = "data_extension"
	fieldKey        = "data_extension_key"
	fieldFolder     = "folder_id"
	fieldCreate     = "create_data_extension"
	fieldContactKey = "contact_key"
	fieldFind       = "find_contacts"
	fieldBaseURL    = "base_url"
)

// Values of the setting contact_key.
const (
	keyIsEmail = "email"
	keyIsUser  = "user"
)

// Columns of the data extension.
const (
	columnKey      = "SubscriberKey"
	columnEmail    = "Email"
	columnStage    = "Stage"
	columnStageAt  = "StageAt"
	columnSegments = "Segments"
)

// Connector is a connection to one business unit. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	extension  *extension
	contactKey string
	find       bool
}

// Vendor gives Marketing Cloud's line of the catalogue.
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
	// subdomainForm keeps anything but a tenant's name out of the host.
	subdomainForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,62}$`)
	numberForm    = regexp.MustCompile(`^[0-9]{0,20}$`)
	// columnForm is what a column may be called here; Marketing Cloud allows a
	// little more.
	columnForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_ -]{0,49}$`)
)

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	cfg = cfg.WithDefaults()
	form := connectors.ReadForm(d, cfg)
	subdomain := form.Setting(fieldSubdomain)
	if subdomain != "" && !subdomainForm.MatchString(subdomain) {
		form.Refuse(fieldSubdomain, "is %q, want the part of the Authentication Base URI before .auth., letters, digits and hyphens", subdomain)
	}
	for _, field := range []string{fieldAccountID, fieldFolder} {
		if !numberForm.MatchString(form.Setting(field)) {
			form.Refuse(field, "is %q, want a number", form.Setting(field))
		}
	}
	if !columnForm.MatchString(form.Setting(fieldExtension)) {
		form.Refuse(fieldExtension, "is %q, want at most 50 letters, digits, spaces, hyphens and underscores", form.Setting(fieldExtension))
	}
	ours := []string{columnKey, columnEmail, columnStage, columnStageAt, columnSegments}
	for column := range cfg.Push.Traits {
		taken := slices.ContainsFunc(ours, func(o string) bool { return strings.EqualFold(o, column) })
		if taken || !columnForm.MatchString(column) {
			form.Refuse("push.traits", "%q is not a column that can be written", column)
		}
	}
	auth, rest, err := hosts(subdomain, form.Setting(fieldBaseURL))
	if err != nil {
		form.Refuse(fieldBaseURL, "%v", err)
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	hide := slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...)
	for _, client := range cfg.Keys(secretClient) {
		hide = append(hide, secret.New(pathToken(client, cfg.ID)))
	}
	a := newAPI(cfg, auth, rest, form.Setting(fieldClientID), form.Setting(fieldAccountID), hide)
	return &Connector{
		descriptor: d,
		cfg:        cfg,
		api:        a,
		extension: &extension{
			api: a, name: form.Setting(fieldExtension), given: form.Setting(fieldKey), folder: form.Setting(fieldFolder),
			create: form.Setting(fieldCreate) == "true", columns: slices.Sorted(maps.Keys(cfg.Push.Traits)),
		},
		contactKey: form.Setting(fieldContactKey),
		find:       form.Setting(fieldFind) == "true",
	}, nil
}

// hosts gives the addresses of tokens and of the API; a base URL stands in for
// both.
func hosts(subdomain, base string) (auth, rest string, err error) {
	if base == "" {
		return "https://" + subdomain + ".auth.marketingcloudapis.com", "https://" + subdomain + ".rest.marketingcloudapis.com", nil
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", "", errors.New("is not an address such as https://proxy.example.com")
	}
	base = strings.TrimRight(u.String(), "/")
	return base, base, nil
}
