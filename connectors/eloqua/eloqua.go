// Package eloqua connects Oracle Eloqua: contacts that reach an action step of
// a campaign or program, and activities, come in; the stage goes out as a
// contact field and segments as shared lists, both by imports that Eloqua works
// off by itself. Vendor facts are those of Oracle's developer pages
// (https://docs.oracle.com/en/cloud/saas/marketing/eloqua-develop) unless a
// comment says otherwise; guide.md lists what could not be confirmed.
package eloqua

import (
	"embed"
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

//go:embed connector.yaml rules.yaml guide.md
var folder embed.FS

var (
	_ connectors.Connector   = (*Connector)(nil)
	_ connectors.Source      = (*Connector)(nil)
	_ connectors.Enricher    = (*Connector)(nil)
	_ connectors.Poller      = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.JobPoller   = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Lister      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretPassword = "password"
	secretClient   = "client_secret"

	settingCompany    = "company"
	settingUser       = "username"
	settingClientID   = "client_id"
	settingAuth       = "auth"
	settingBaseURL    = "base_url"
	settingStage      = "stage_field"
	settingCreate     = "create_fields"
	settingPrefix     = "list_prefix"
	settingRecord     = "record_fields"
	settingPoll       = "poll"
	settingActivities = "activities"
	settingOverlap    = "overlap"
)

// Connector is a connection to one Eloqua instance. It is safe for concurrent
// use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	fields     *contactFields
	lists      *sharedLists

	clientID     string
	stageField   string
	listPrefix   string
	recordFields []string
	poll         bool
	activities   []string
	overlap      time.Duration
}

// Vendor gives Eloqua's line of the catalogue.
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
	nameForm     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_ ]{0,99}$`)
	internalForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,99}$`)
)

// reserved are fields that a push never writes: what contacts are known by.
var reserved = []string{"emailaddress", "c_emailaddress", "email address", "id"}

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	cfg = cfg.WithDefaults()
	form := connectors.ReadForm(d, cfg)
	c := &Connector{
		descriptor: d, cfg: cfg,
		clientID: form.Setting(settingClientID), stageField: form.Setting(settingStage), listPrefix: form.Setting(settingPrefix),
		recordFields: split(form.Setting(settingRecord)), poll: form.Setting(settingPoll) == "true", activities: split(form.Given(settingActivities)),
	}
	hours, _ := strconv.Atoi(form.Setting(settingOverlap))
	c.overlap = time.Duration(max(hours, 1)) * time.Hour
	base, err := baseURL(form.Setting(settingBaseURL))
	if err != nil {
		form.Refuse(settingBaseURL, "%v", err)
	}
	oauth := form.Setting(settingAuth) == "oauth"
	if oauth && (c.clientID == "" || cfg.Secret(secretClient).Empty()) {
		form.Refuse(settingAuth, "is oauth, which needs client_id and client_secret")
	}
	if strings.ContainsAny(form.Setting(settingCompany)+form.Setting(settingUser), ":\\") {
		form.Refuse(settingUser, "holds a colon or backslash; enter company and user apart")
	}
	c.checkNames(form.Refuse)
	if err := form.Err(); err != nil {
		return nil, err
	}
	c.api = newAPI(cfg, base, form.Setting(settingCompany), form.Setting(settingUser), c.clientID, oauth)
	create := form.Setting(settingCreate) == "true"
	c.fields = &contactFields{api: c.api, create: create}
	c.lists = &sharedLists{api: c.api, create: create, now: cfg.Now}
	return c, nil
}

// checkNames refuses names that are no fields, and types that are no activities.
func (c *Connector) checkNames(refuse func(field, format string, args ...any)) {
	writable := func(name string) bool {
		return nameForm.MatchString(name) && !slices.Contains(reserved, strings.ToLower(name)) && !connectors.ConsentField(name)
	}
	if !writable(c.stageField) {
		refuse(settingStage, "%q is no field that a push may write", c.stageField)
	}
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Push.Traits)) {
		if !writable(name) || strings.EqualFold(name, c.stageField) {
			refuse("push.traits", "%q is no field that a push may write", name)
		}
	}
	for _, name := range c.recordFields {
		if !internalForm.MatchString(name) {
			refuse(settingRecord, "%q is no internal name such as C_Title", name)
		}
	}
	for _, name := range c.activities {
		if activityFields[name] == nil {
			refuse(settingActivities, "%q is no activity type such as FormSubmit", name)
		}
	}
}

// credentials reports whether the API can be called at all.
func (c *Connector) credentials() bool { return c.api.missing() == "" }

// split reads a list separated by commas.
func split(list string) []string {
	var all []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// baseURL gives an address without a trailing slash.
func baseURL(given string) (string, error) {
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://login.eloqua.com")
	}
	return strings.TrimRight(u.String(), "/"), nil
}
