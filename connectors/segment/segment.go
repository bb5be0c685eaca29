// Package segment connects Segment both ways. In come the signed webhooks of
// Segment's Webhooks destinations, and the calls of Segment's client libraries,
// to which a connection serves the tracking API itself; out go identify, track
// and group calls to a source of a Segment workspace. Vendor facts are those of
// Segment's public documentation (https://segment.com/docs/) and of the open
// libraries segmentio/analytics-next and segmentio/action-destinations unless a
// comment says otherwise; guide.md lists what could not be confirmed.
package segment

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

//go:embed connector.yaml rules.yaml guide.md
var folder embed.FS

var (
	_ connectors.Connector   = (*Connector)(nil)
	_ connectors.Source      = (*Connector)(nil)
	_ connectors.TrackingAPI = (*Connector)(nil)
	_ connectors.Registrar   = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretWrite      = "write_key"
	secretShared     = "shared_secret"
	secretHeader     = "header_secret"
	secretServer     = "server_key"
	secretBrowser    = "browser_key"
	secretPublicAPI  = "public_api_token"
	secretProfile    = "profile_token"
	fieldBaseURL     = "base_url"
	fieldPublicURL   = "public_api_url"
	fieldSource      = "source_id"
	fieldForward     = "forward_source_id"
	fieldSpace       = "space_id"
	fieldProfiles    = "profiles_url"
	fieldIdentifyBy  = "identify_by"
	fieldStage       = "stage_trait"
	fieldPrefix      = "segment_prefix"
	fieldGroup       = "group_trait"
	identifyByEmail  = "email"
	sinceSuffix      = "_since"
	library          = "stagebridge"
	maxInstanceBytes = 24
)

// Connector is a connection to one Segment workspace, to client libraries that
// take us for Segment, or to both. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	base       string
	publicAPI  string
	// profilesURL is the root of the Profile API.
	profilesURL string
	header      http.Header
	secrets     []secret.Text

	stageTrait string
	prefix     string
	groupTrait string
	byEmail    bool
	// mark begins every messageId of this installation.
	mark string
}

// serverKeyForm keeps the key from being guessed, and from standing in an event
// by chance.
var serverKeyForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,200}$`)

// Vendor gives Segment's line of the catalogue.
func Vendor() connectors.Vendor {
	d := connectors.MustDescriptor(folder)
	return connectors.Vendor{
		Descriptor: d,
		Open:       func(cfg connectors.Config) (connectors.Connector, error) { return open(d, cfg) },
	}
}

// Descriptor implements connectors.Connector.
func (c *Connector) Descriptor() *connectors.Descriptor { return c.descriptor }

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	form := connectors.ReadForm(d, cfg)
	c := &Connector{
		descriptor: d,
		cfg:        cfg.WithDefaults(),
		stageTrait: form.Setting(fieldStage),
		prefix:     form.Setting(fieldPrefix),
		groupTrait: form.Setting(fieldGroup),
		byEmail:    form.Setting(fieldIdentifyBy) == identifyByEmail,
		mark:       instanceMark(cfg.Instance),
	}
	for field, into := range map[string]*string{fieldBaseURL: &c.base, fieldPublicURL: &c.publicAPI, fieldProfiles: &c.profilesURL} {
		base, err := address(form.Setting(field))
		if err != nil {
			form.Refuse(field, "%v", err)
		}
		*into = base
	}
	for name := range cfg.Push.Traits {
		if name == c.stageTrait || name == c.stageTrait+sinceSuffix || strings.HasPrefix(name, c.prefix) {
			form.Refuse("push.traits", "%q is written by the stage or the segments", name)
		}
	}
	if _, mapped := cfg.Push.Traits[c.groupTrait]; c.groupTrait != "" && !mapped {
		form.Refuse(fieldGroup, "%q is not among push.traits", c.groupTrait)
	}
	if strings.HasPrefix(c.stageTrait, c.prefix) {
		form.Refuse(fieldPrefix, "begins the name of the stage's trait")
	}
	for _, server := range cfg.Keys(secretServer) {
		if !serverKeyForm.MatchString(server.Reveal()) {
			form.Refuse(secretServer, "wants at least 16 letters, digits, hyphens and underscores")
		}
		for _, browser := range cfg.Keys(secretBrowser) {
			if server.Equal(browser.Reveal()) {
				form.Refuse(secretBrowser, "is the same as %s, which nobody may read", secretServer)
			}
		}
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	for _, all := range cfg.Secrets {
		c.secrets = append(c.secrets, all...)
	}
	if key := cfg.Secret(secretWrite); !key.Empty() {
		c.header = http.Header{"Accept": {"application/json"}, "Authorization": {basic(key)}}
	}
	return c, nil
}

// address gives an API's root without a trailing slash and without /v1.
func address(given string) (string, error) {
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://api.segment.io")
	}
	return strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/v1"), nil
}

// instanceMark makes the beginning of our messageIds, short enough to leave
// room for an id within Segment's 100 characters. It ends with an underscore
// and holds no other after sb_, so that no instance's mark begins another's.
func instanceMark(instance string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, instance)
	if clean != instance || len(clean) > maxInstanceBytes {
		sum := sha256.Sum256([]byte(instance))
		clean = hex.EncodeToString(sum[:8])
	}
	return "sb_" + clean + "_"
}

// fits compares a value with every live secret, in the same time for each.
func fits(given string, keys []secret.Text) bool {
	matched := false
	for _, key := range keys {
		matched = key.Equal(given) || matched
	}
	return matched
}
