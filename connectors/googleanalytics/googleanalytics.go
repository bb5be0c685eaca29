// Package googleanalytics connects Google Analytics 4. It has no webhooks, so a
// connection collects what tags tell: a server-side Tag Manager or a page that
// posts JSON, or the Google tag itself, which takes us for its collection
// server; and it reads the daily export to BigQuery. Out go user properties and events by the Measurement Protocol. Vendor
// facts are those of Google's pages
// (https://developers.google.com/analytics/devguides/collection/protocol/ga4)
// unless a comment says otherwise; guide.md lists what could not be confirmed.
package googleanalytics

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

//go:embed connector.yaml rules.yaml guide.md
var folder embed.FS

var (
	_ connectors.Connector   = (*Connector)(nil)
	_ connectors.Source      = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Poller      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretAPI        = "api_secret"
	secretCollect    = "collect_secret"
	secretCollectKey = "collect_key"
	secretAccount    = "service_account"
	fieldMeasurement = "measurement_id"
	fieldFirebase    = "firebase_app_id"
	fieldBaseURL     = "base_url"
	fieldStage       = "stage_property"
	fieldPrefix      = "segment_prefix"
	fieldClientID    = "client_id_from"
	fieldDataset     = "bigquery_dataset"
	fieldBigQuery    = "bigquery_url"
	fieldProperty    = "property_id"
	fieldDeletion    = "deletion_url"
)

// Connector is a connection to one data stream. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	base       string
	// query names the stream and its secret; it goes behind every address.
	query         string
	app           bool
	measurementID string
	stage, prefix string
	// anonymous lets an anonymous id stand for a client id.
	anonymous bool
	secrets   []secret.Text
	// mark is the value of our events' parameter sb_source.
	mark string

	// account is nil where no service account is set; project and dataset name
	// the export to BigQuery and are empty where there is none.
	account          *account
	tokens           *connectors.Tokens
	project, dataset string
	propertyID       string
	bigqueryURL      string
	deletionURL      string
}

// Vendor gives Google Analytics' line of the catalogue.
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
	measurementForm = regexp.MustCompile(`^G-[A-Z0-9]{4,20}$`)
	firebaseForm    = regexp.MustCompile(`^[0-9A-Za-z:._-]{5,100}$`)
	propertyForm    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,23}$`)
	datasetForm     = regexp.MustCompile(`^([a-z][a-z0-9-]{3,40}[a-z0-9])\.([A-Za-z0-9_]{1,200})$`)
	propertyIDForm  = regexp.MustCompile(`^[0-9]{3,20}$`)
	prefixForm      = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,11}$`)
)

// Names that Google keeps for itself
// (https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference#reserved_names,
// read November 2026).
func reserved(property string) bool {
	for _, prefix := range []string{"_", "firebase_", "ga_", "google_", "gtag."} {
		if strings.HasPrefix(property, prefix) {
			return true
		}
	}
	return slices.Contains([]string{"first_open_time", "first_visit_time", "last_deep_link_referrer", "user_id", "first_open_after_install"}, property)
}

// personal reports a trait that Google's terms keep out of Analytics.
func personal(trait string) bool {
	return slices.Contains([]string{"email", "phone", "first_name", "last_name", "name", "address"}, trait)
}

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	form := connectors.ReadForm(d, cfg)
	c := &Connector{
		descriptor: d, cfg: cfg.WithDefaults(), measurementID: form.Setting(fieldMeasurement),
		anonymous: form.Setting(fieldClientID) == lifecycle.NamespaceAnonymous,
		stage:     form.Setting(fieldStage), prefix: form.Setting(fieldPrefix), mark: instanceMark(cfg.Instance),
	}
	firebase := form.Setting(fieldFirebase)
	switch {
	case c.measurementID != "" && !measurementForm.MatchString(c.measurementID):
		form.Refuse(fieldMeasurement, "is %q, want an id such as G-AB12CD34EF", c.measurementID)
	case firebase != "" && !firebaseForm.MatchString(firebase):
		form.Refuse(fieldFirebase, "is not an app id")
	case cfg.Push.Enabled && c.measurementID == "" && firebase == "":
		form.Refuse(fieldMeasurement, "is required to push, or %s", fieldFirebase)
	}
	if !propertyForm.MatchString(c.stage) || reserved(c.stage) {
		form.Refuse(fieldStage, "is %q, which cannot be the name of a user property", c.stage)
	}
	if !prefixForm.MatchString(c.prefix) || reserved(c.prefix+"x") || strings.HasPrefix(c.stage, c.prefix) {
		form.Refuse(fieldPrefix, "is %q, want at most 12 letters, digits and underscores that do not begin the stage's property", c.prefix)
	}
	for property, trait := range cfg.Push.Traits {
		switch {
		case !propertyForm.MatchString(property) || reserved(property) || property == c.stage || strings.HasPrefix(property, c.prefix):
			form.Refuse("push.traits", "%q cannot be the name of a user property", property)
		case property == "allow_personalized_ads" || property == "non_personalized_ads":
			form.Refuse("push.traits", "%q says whether a person may be advertised to, which is never written", property)
		case personal(trait):
			form.Refuse("push.traits", "the trait %s is personal, which Google's terms keep out of Analytics", trait)
		}
	}
	for field, into := range map[string]*string{fieldBaseURL: &c.base, fieldBigQuery: &c.bigqueryURL, fieldDeletion: &c.deletionURL} {
		base, err := address(form.Setting(field))
		if err != nil {
			form.Refuse(field, "%v", err)
		}
		*into = base
	}
	c.openAccount(form.Setting, form.Refuse)
	for _, s := range cfg.Keys(secretCollect) {
		for _, k := range cfg.Keys(secretCollectKey) {
			if s.Equal(k.Reveal()) {
				form.Refuse(secretCollectKey, "is the same as %s, which nobody may read", secretCollect)
			}
		}
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	for _, all := range cfg.Secrets {
		c.secrets = append(c.secrets, all...)
	}
	q := url.Values{"api_secret": {cfg.Secret(secretAPI).Reveal()}}
	if firebase != "" {
		c.app = true
		q.Set("firebase_app_id", firebase)
	} else {
		q.Set("measurement_id", c.measurementID)
	}
	c.query = q.Encode()
	c.tokens = connectors.NewTokens(c.cfg.Now, c.token)
	return c, nil
}

// openAccount reads what the export and erasures need.
func (c *Connector) openAccount(setting func(string) string, refuse func(field, format string, args ...any)) {
	if file := c.cfg.Secret(secretAccount); !file.Empty() {
		account, err := parseAccount(file)
		if err != nil {
			refuse(secretAccount, "%v", err)
		}
		c.account = account
	}
	if given := setting(fieldDataset); given != "" {
		m := datasetForm.FindStringSubmatch(given)
		switch {
		case m == nil:
			refuse(fieldDataset, "is %q, want project and dataset such as my-project.analytics_123456789", given)
		case c.cfg.Secret(secretAccount).Empty():
			refuse(secretAccount, "is required to read the export")
		default:
			c.project, c.dataset = m[1], m[2]
		}
	}
	if c.propertyID = setting(fieldProperty); c.propertyID != "" && !propertyIDForm.MatchString(c.propertyID) {
		refuse(fieldProperty, "is %q, want the number of the property", c.propertyID)
	}
}

// address gives the collection server's root without a trailing slash.
func address(given string) (string, error) {
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://www.google-analytics.com")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// instanceMark names this installation within the 100 characters of a parameter.
func instanceMark(instance string) string {
	sum := sha256.Sum256([]byte(instance))
	return "stagebridge-" + hex.EncodeToString(sum[:8])
}

// fits compares a value with every live secret, in the same time for each.
func fits(given string, keys []secret.Text) bool {
	matched := false
	for _, key := range keys {
		matched = key.Equal(given) || matched
	}
	return matched
}
