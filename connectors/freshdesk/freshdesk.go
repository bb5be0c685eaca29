// Package freshdesk connects a Freshdesk account: webhooks of automation rules
// tell of tickets, contacts are polled; the stage goes out as a contact field
// and segments as tags. Vendor facts are those of
// https://developers.freshdesk.com/api/ and https://support.freshdesk.com/
// unless a comment says otherwise; guide.md lists what could not be confirmed.
package freshdesk

import (
	"embed"
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

//go:embed connector.yaml rules.yaml guide.md
var folder embed.FS

var (
	_ connectors.Connector   = (*Connector)(nil)
	_ connectors.Source      = (*Connector)(nil)
	_ connectors.Poller      = (*Connector)(nil)
	_ connectors.Enricher    = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Lister      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretWebhook = "webhook_secret"
	secretKey     = "api_key"
	fieldDomain   = "domain"
	fieldStage    = "stage_field"
	fieldCreate   = "create_field"
	fieldPrefix   = "tag_prefix"
	fieldPoll     = "poll_contacts"
	fieldCalls    = "calls_per_minute"
	fieldBaseURL  = "base_url"
)

// maxCalls is the most calls a minute that can be set.
const maxCalls = 5000

// Connector is a connection to one account. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	fields     *contactFields

	stageLabel string
	tagPrefix  string
	polls      bool
	// callsPerMinute is what the connection may use of the account's limit.
	callsPerMinute int
	// polled is when the last poll that ended well began, Unix seconds: what was
	// changed before has been told. Zero until this process has polled.
	polled atomic.Int64
}

// Vendor gives Freshdesk's line of the catalogue.
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
	domainForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,62}$`)
	labelForm  = regexp.MustCompile(`^[\pL\pN _-]{1,100}$`)
)

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	form := connectors.ReadForm(d, cfg)
	stage := form.Setting(fieldStage)
	if !labelForm.MatchString(stage) {
		form.Refuse(fieldStage, "is %q, want letters, digits, spaces, underscores and hyphens", stage)
	}
	for label := range cfg.Push.Traits {
		if !labelForm.MatchString(label) || label == stage {
			form.Refuse("push.traits", "%q is not a contact field that can be written", label)
		}
	}
	if strings.Contains(form.Setting(fieldPrefix), ",") {
		form.Refuse(fieldPrefix, "has a comma, which Freshdesk parts tags by")
	}
	calls, err := strconv.Atoi(form.Setting(fieldCalls))
	if err != nil || calls < 1 || calls > maxCalls {
		form.Refuse(fieldCalls, "is %q, want a number from 1 to %d", form.Setting(fieldCalls), maxCalls)
	}
	key := secret.New(strings.TrimSpace(cfg.Secret(secretKey).Reveal()))
	domain := strings.TrimSuffix(form.Setting(fieldDomain), ".freshdesk.com")
	if domain != "" && !domainForm.MatchString(domain) {
		form.Refuse(fieldDomain, "is %q, want what stands before .freshdesk.com", domain)
	}
	if domain == "" && form.Setting(fieldBaseURL) == "" && !key.Empty() {
		form.Refuse(fieldDomain, "is required beside the API key")
	}
	base, err := baseURL(form.Setting(fieldBaseURL), domain)
	if err != nil {
		form.Refuse(fieldBaseURL, "%v", err)
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	a := newAPI(cfg.HTTP, base, key, calls, slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...))
	return &Connector{
		descriptor: d,
		cfg:        cfg,
		api:        a,
		fields:     &contactFields{api: a, create: form.Setting(fieldCreate) == "true"},
		stageLabel: stage,
		tagPrefix:  form.Setting(fieldPrefix),
		polls:      form.Setting(fieldPoll) == "on",

		callsPerMinute: calls,
	}, nil
}

// baseURL gives the root of the API with the version, without a trailing slash.
func baseURL(given, domain string) (string, error) {
	if given == "" {
		return "https://" + domain + ".freshdesk.com/api/v2", nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://acme.freshdesk.com")
	}
	return strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/api/v2") + "/api/v2", nil
}
