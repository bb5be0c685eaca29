// Package demandbase connects Demandbase One: alerts of its B2B subscriptions
// come in, an export of people is read once a day and told by what changed in
// it, and stage and segments go out as imports of people
// and of accounts. Vendor facts are those
// of developer.demandbase.com unless a comment says otherwise; guide.md lists
// what could not be confirmed.
package demandbase

import (
	"embed"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

//go:embed connector.yaml rules.yaml guide.md
var folder embed.FS

var (
	_ connectors.Source      = (*Connector)(nil)
	_ connectors.Poller      = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.JobPoller   = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
)

// Names of the form's fields.
const (
	secretClient  = "client_secret"
	secretSigning = "signing_secret"

	settingBase     = "base_url"
	settingClientID = "client_id"
	settingSource   = "import_source"
	settingEmail    = "email_column"
	settingWebsite  = "website_column"
	settingStage    = "stage_column"
	settingSegments = "segments_column"
	settingHours    = "export_hours"
	settingLists    = "export_lists"
)

// columnSettings name the export fields by the member of a raw event that they
// become.
var columnSettings = []struct{ setting, member string }{
	{"export_email", "email"}, {"export_id", "id"}, {"export_company", "company"}, {"export_stage", "journey_stage"}, {"export_score", "engagement"},
}

// Connector is a connection to one Demandbase account. It is safe for
// concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	tokens     *connectors.Tokens

	base, clientID  string
	source          string
	email, website  string // columns that an import finds people and accounts by
	stage, segments string // and those that it writes
	export          []column
	lists           []int64
	every           time.Duration
}

// column is a field of an export and what it becomes.
type column struct{ field, member string }

// Vendor gives Demandbase's line of the catalogue.
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
	fieldForm  = regexp.MustCompile(`^\{[A-Za-z]+\}\.[A-Za-z0-9_. ]{1,100}$`)
	columnForm = regexp.MustCompile(`^[^\x00-\x1f]{1,100}$`)
)

// open checks the settings, all of them before it answers.
func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	form := connectors.ReadForm(d, cfg)
	c := &Connector{
		descriptor: d,
		cfg:        cfg.WithDefaults(),
		base:       strings.TrimRight(form.Setting(settingBase), "/"),
		clientID:   form.Setting(settingClientID),
		source:     form.Setting(settingSource),
		email:      form.Setting(settingEmail),
		website:    form.Setting(settingWebsite),
		stage:      form.Setting(settingStage),
		segments:   form.Setting(settingSegments),
	}
	if !isAddress(c.base) {
		form.Refuse(settingBase, "is not an address such as https://uapi.demandbase.com")
	}
	for _, name := range []string{settingEmail, settingWebsite, settingStage, settingSegments} {
		if v := form.Setting(name); !columnForm.MatchString(v) || connectors.ConsentField(v) {
			form.Refuse(name, "is %q, want the label of a field", v)
		}
	}
	if c.stage == c.segments || slices.Contains([]string{c.email, c.website}, c.stage) || slices.Contains([]string{c.email, c.website}, c.segments) {
		form.Refuse(settingStage, "stands for two columns; each needs a field of its own")
	}
	for _, s := range columnSettings {
		v := form.Setting(s.setting)
		if v == "" {
			continue
		}
		if !fieldForm.MatchString(v) {
			form.Refuse(s.setting, "is %q, want the name of a field such as {Person}.email", v)
		}
		c.export = append(c.export, column{v, s.member})
	}
	if len(c.export) > 0 && c.export[0].member != "email" {
		form.Refuse("export_email", "is required where people are read: nobody can be told without an address")
	}
	hours, err := strconv.Atoi(form.Setting(settingHours))
	if err != nil || hours < 1 || hours > 168 {
		form.Refuse(settingHours, "is %q, want a number of hours from 1 to 168", form.Setting(settingHours))
	}
	c.every = time.Duration(hours) * time.Hour
	for text := range strings.SplitSeq(form.Setting(settingLists), ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			form.Refuse(settingLists, "holds %q, want numbers with commas between them", text)
		}
		c.lists = append(c.lists, id)
	}
	for theirs := range cfg.Push.Traits {
		switch {
		case !columnForm.MatchString(theirs):
			form.Refuse("push.traits."+theirs, "is not the label of a field")
		case theirs == c.email || theirs == c.stage || theirs == c.segments:
			form.Refuse("push.traits."+theirs, "is written by Stagebridge already")
		}
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	c.tokens = connectors.NewTokens(c.cfg.Now, c.fetchToken)
	return c, nil
}

func isAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" && (u.Scheme == "https" || u.Scheme == "http")
}

// authenticated reports whether the API can be called at all.
func (c *Connector) authenticated() bool {
	return c.clientID != "" && !c.cfg.Secret(secretClient).Empty()
}

// hide lists every secret, to be cut out of what the vendor says.
func (c *Connector) hide() []secret.Text {
	var all []secret.Text
	for _, values := range c.cfg.Secrets {
		all = append(all, values...)
	}
	return all
}
