// Package pardot connects Marketing Cloud Account Engagement, formerly Pardot.
// It has no webhooks: its API is asked for activities and changed prospects,
// and an external action of an Engagement Studio program may send JSON. The
// stage goes out as a prospect field, segments as a field or as static lists.
// Vendor facts are those of developer.salesforce.com/docs/marketing/pardot/guide
// (API version 5) unless a comment says otherwise; guide.md lists what could not
// be confirmed.
package pardot

import (
	"embed"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
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
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Lister      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of the form's fields.
const (
	secretWebhook = "webhook_secret"
	secretClient  = "client_secret"

	settingBase       = "base_url"
	settingLogin      = "login_url"
	settingClientID   = "client_id"
	settingUnit       = "business_unit_id"
	settingProof      = "proof"
	settingPoll       = "poll"
	settingMinutes    = "poll_minutes"
	settingActivities = "activity_fields"
	settingStage      = "stage_field"
	settingSegments   = "segments_field"
	settingAs         = "segments_as"
	settingPrefix     = "list_prefix"
	settingCreate     = "create_fields"
	settingReserve    = "quota_reserve"
)

// concurrency is how many requests one connection has under way. A business
// unit is cut off beyond five, whoever calls ("Version 5 Overview", limits).
const concurrency = 4

// Connector is a connection to one business unit. It is safe for concurrent
// use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	tokens     *connectors.Tokens
	slots      chan struct{} // bounds the requests under way
	fields     *fieldBook
	lists      *listBook
	quota      *quota

	base, login, clientID, unit string
	signed                      bool // external actions sign, rather than carry the secret
	polls                       bool
	interval                    time.Duration
	activities                  []string
	lean                        atomic.Bool // the optional activity fields were refused
	stage, segments             string      // field ids, without the suffix
	asLists                     bool
	prefix                      string
	create                      bool
}

// Vendor gives Account Engagement's line of the catalogue.
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
	unitForm     = regexp.MustCompile(`^0Uv[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?$`)
	fieldForm    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,79}$`)
	activityForm = regexp.MustCompile(`^[A-Za-z]+(?:\.[A-Za-z]+)?$`)
)

// open checks the settings, all of them before it answers.
func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	form := connectors.ReadForm(d, cfg)
	c := &Connector{
		descriptor: d,
		cfg:        cfg.WithDefaults(),
		slots:      make(chan struct{}, concurrency),
		base:       strings.TrimRight(form.Setting(settingBase), "/"),
		login:      strings.TrimRight(form.Setting(settingLogin), "/"),
		clientID:   form.Setting(settingClientID),
		unit:       form.Setting(settingUnit),
		signed:     form.Setting(settingProof) == "hmac",
		polls:      form.Setting(settingPoll) == "on",
		stage:      strings.TrimSuffix(form.Setting(settingStage), suffix),
		segments:   strings.TrimSuffix(form.Setting(settingSegments), suffix),
		asLists:    form.Setting(settingAs) == "lists",
		prefix:     form.Given(settingPrefix),
		create:     form.Setting(settingCreate) == "true",
	}
	for name, v := range map[string]string{settingBase: c.base, settingLogin: c.login} {
		if v != "" && !isAddress(v) {
			form.Refuse(name, "is not an address that begins with https://")
		}
	}
	if c.unit != "" && !unitForm.MatchString(c.unit) {
		form.Refuse(settingUnit, "is %q, want the business unit's id, which begins with 0Uv", c.unit)
	}
	for name, v := range map[string]string{settingStage: c.stage, settingSegments: c.segments} {
		if !fieldForm.MatchString(v) || connectors.ConsentField(v) || deliverability(v) {
			form.Refuse(name, "is %q, want the id of a custom field, for example SB_Stage", v)
		}
	}
	minutes, err := strconv.Atoi(form.Setting(settingMinutes))
	if err != nil || minutes < 1 || minutes > 1440 {
		form.Refuse(settingMinutes, "is %q, want a number of minutes from 1 to 1440", form.Setting(settingMinutes))
	}
	c.interval = time.Duration(minutes) * time.Minute
	reserve, err := strconv.ParseInt(form.Setting(settingReserve), 10, 64)
	if err != nil || reserve < 0 || reserve > 90 {
		form.Refuse(settingReserve, "is %q, want a number of percent from 0 to 90", form.Setting(settingReserve))
	}
	c.quota = &quota{reserve: reserve}
	for name := range strings.SplitSeq(form.Setting(settingActivities), ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !activityForm.MatchString(name) {
			form.Refuse(settingActivities, "holds %q, which is not the name of a field", name)
		}
		c.activities = append(c.activities, name)
	}
	for theirs := range cfg.Push.Traits {
		if why := c.refuseTarget(theirs); why != "" {
			form.Refuse("push.traits."+theirs, "%s", why)
		}
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	c.tokens = connectors.NewTokens(c.cfg.Now, c.fetchToken)
	c.fields = &fieldBook{c: c, turn: make(chan struct{}, 1)}
	c.lists = &listBook{c: c, turn: make(chan struct{}, 1), ids: map[string]int64{}}
	return c, nil
}

func isAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" && (u.Scheme == "https" || u.Scheme == "http")
}

// refuseTarget says why a prospect field cannot be the target of a trait; ""
// when it can.
func (c *Connector) refuseTarget(name string) string {
	own := strings.TrimSuffix(name, suffix)
	switch {
	case !fieldForm.MatchString(name):
		return "is not the API name of a prospect field"
	case deliverability(name):
		return "holds the prospect's consent or deliverability; Stagebridge never writes it"
	case name == "id" || name == "score" || name == "grade":
		return "cannot be written"
	case strings.EqualFold(own, c.stage), strings.EqualFold(own, c.segments):
		return "is written by Stagebridge already"
	}
	return ""
}

// deliverability knows the fields of a prospect that hold whether mail reaches
// them, or further flags of what may not be done ("Prospect", fields).
func deliverability(name string) bool {
	letters := strings.ReplaceAll(strings.ToLower(name), "_", "")
	return strings.Contains(letters, "bounced") || strings.Contains(letters, "isdonot")
}

// authenticated reports whether the API can be called at all.
func (c *Connector) authenticated() bool {
	return c.login != "" && c.clientID != "" && c.unit != "" && !c.cfg.Secret(secretClient).Empty()
}

// hide lists every secret, to be cut out of what the vendor says.
func (c *Connector) hide() []secret.Text {
	var all []secret.Text
	for _, values := range c.cfg.Secrets {
		all = append(all, values...)
	}
	return all
}
