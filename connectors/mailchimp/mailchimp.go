// Package mailchimp connects Mailchimp audiences: webhooks of one audience and
// of Mailchimp Transactional come in; the stage goes out as a merge field and
// segments as tags. Vendor facts are those of Mailchimp's developer pages
// (https://mailchimp.com/developer/marketing/) unless a comment says otherwise;
// guide.md lists what could not be confirmed.
package mailchimp

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

// concurrency is how many requests one connection has under way. Mailchimp
// cuts a user off at 10 at once, over all their keys, and a request that timed
// out here may still hold its place there.
const concurrency = 5

// Names of secrets and settings in connector.yaml.
const (
	secretAPIKey        = "api_key"
	secretSigning       = "signing_secret"
	secretWebhook       = "webhook_secret"
	secretTransactional = "transactional_key"
	fieldAudience       = "audience_id"
	fieldBaseURL        = "base_url"
	fieldStage          = "stage_field"
	fieldCreate         = "create_merge_field"
	fieldPrefix         = "tag_prefix"
	fieldSyncing        = "is_syncing"
	fieldStatusIfNew    = "status_if_new"
	fieldAPIChanges     = "api_changes"
	fieldZone           = "fired_at_zone"
	fieldTransactional  = "transactional_url"
)

// Connector is a connection to one audience. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	fields     *mergeFields
	tags       *tagSegments

	stageField  string
	tagPrefix   string
	syncing     bool
	statusIfNew string
	apiChanges  bool
	zone        *time.Location
}

// Vendor gives Mailchimp's line of the catalogue.
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
	audienceForm = regexp.MustCompile(`^[A-Za-z0-9]{1,40}$`)
	stageForm    = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,9}$`)
	fieldForm    = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,49}$`)
	centreForm   = regexp.MustCompile(`-([a-z]{2,4}[0-9]{1,4})$`)
)

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	form := connectors.ReadForm(d, cfg)
	audience := form.Setting(fieldAudience)
	if audience != "" && !audienceForm.MatchString(audience) {
		form.Refuse(fieldAudience, "is %q, want the id with letters and digits only, not the audience's name", audience)
	}
	stage := form.Setting(fieldStage)
	if !stageForm.MatchString(stage) {
		form.Refuse(fieldStage, "is %q, want at most ten capital letters, digits and underscores", stage)
	}
	for tag := range cfg.Push.Traits {
		if !fieldForm.MatchString(tag) || tag == "EMAIL" || tag == stage {
			form.Refuse("push.traits", "%q is not a merge tag that can be written", tag)
		}
	}
	key := secret.New(strings.TrimSpace(cfg.Secret(secretAPIKey).Reveal()))
	base, err := baseURL(form.Setting(fieldBaseURL), key)
	if err != nil {
		form.Refuse(fieldBaseURL, "%v", err)
	}
	zone, err := time.LoadLocation(form.Setting(fieldZone))
	if err != nil || zone == time.Local {
		form.Refuse(fieldZone, "is %q, want a name such as UTC or America/New_York", form.Setting(fieldZone))
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	if cfg.HTTP == nil {
		cfg.HTTP = connectors.NewClient(connectors.ClientOptions{})
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	a := newAPI(cfg.HTTP, base, audience, key, slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...))
	return &Connector{
		descriptor:  d,
		cfg:         cfg,
		api:         a,
		fields:      &mergeFields{api: a, create: form.Setting(fieldCreate) == "true"},
		tags:        &tagSegments{api: a},
		stageField:  stage,
		tagPrefix:   form.Given(fieldPrefix),
		syncing:     form.Setting(fieldSyncing) == "true",
		statusIfNew: form.Setting(fieldStatusIfNew),
		apiChanges:  form.Setting(fieldAPIChanges) == "on",
		zone:        zone,
	}, nil
}

// baseURL gives the root of the API, without a trailing slash and with the
// version. The data centre is what follows the key's last hyphen.
func baseURL(given string, key secret.Text) (string, error) {
	if given == "" {
		host := "api.mailchimp.com"
		if m := centreForm.FindStringSubmatch(key.Reveal()); m != nil {
			host = m[1] + "." + host
		}
		return "https://" + host + "/3.0", nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://us21.api.mailchimp.com")
	}
	return strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/3.0") + "/3.0", nil
}
