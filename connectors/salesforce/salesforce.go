// Package salesforce connects Salesforce: outbound messages (SOAP) and HTTP
// callouts of flows come in, the people of an opportunity are looked up, and
// stage, segments and traits go out to fields of contacts and leads. Vendor
// facts are those of developer.salesforce.com (Metadata API, "Outbound Message
// Notifications"; REST API, "sObject Collections") unless a comment says
// otherwise; guide.md lists what could not be confirmed.
package salesforce

import (
	"embed"
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
	_ connectors.Source      = (*Connector)(nil)
	_ connectors.Poller      = (*Connector)(nil)
	_ connectors.Enricher    = (*Connector)(nil)
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

	settingBase         = "base_url"
	settingClientID     = "client_id"
	settingOrganization = "organization_id"
	settingUser         = "integration_user"
	settingVersion      = "api_version"
	settingObjects      = "objects"
	settingStage        = "stage_field"
	settingSegments     = "segments_field"
	settingExternal     = "external_id_field"
	settingCreateAs     = "create_as"
	settingMissing      = "missing_name"
	settingDealPeople   = "deal_people"
	settingCurrency     = "currency"
	settingDeletions    = "read_deletions"
	settingReserve      = "quota_reserve"
	settingMakeFields   = "create_fields"
	settingPermissions  = "permission_set"
)

// The objects that stand for people.
const (
	objectContact = "Contact"
	objectLead    = "Lead"
	objectAccount = "Account"
)

// Connector is a connection to one Salesforce organization. It is safe for
// concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	tokens     *connectors.Tokens

	base         string // My Domain, without a trailing slash
	clientID     string
	organization string // 18 characters; empty: any
	user         string // 18 characters; empty: echoes are not recognised
	root         string // path of the REST API with its version
	objects      []string
	stage        string
	segments     string
	external     string
	createAs     string
	missing      string
	onlyPrimary  bool
	currency     string
	deletions    bool
	quota        *quota

	makeFields    bool
	permissionSet string
	fields        *fieldMaker
}

// Vendor gives Salesforce's line of the catalogue.
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
	versionForm  = regexp.MustCompile(`^[0-9]{2,3}\.0$`)
	fieldForm    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,79}$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

// open checks the settings, all of them before it answers.
func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	form := connectors.ReadForm(d, cfg)
	c := &Connector{
		descriptor:   d,
		cfg:          cfg.WithDefaults(),
		base:         strings.TrimRight(form.Setting(settingBase), "/"),
		clientID:     form.Setting(settingClientID),
		organization: id18(form.Setting(settingOrganization)),
		user:         id18(form.Setting(settingUser)),
		root:         "/services/data/v" + form.Setting(settingVersion),
		objects:      objectsOf(form.Setting(settingObjects)),
		stage:        form.Setting(settingStage),
		segments:     form.Setting(settingSegments),
		external:     form.Setting(settingExternal),
		createAs:     form.Setting(settingCreateAs),
		missing:      form.Setting(settingMissing),
		onlyPrimary:  form.Setting(settingDealPeople) == "primary",
		currency:     form.Setting(settingCurrency),
		deletions:    form.Setting(settingDeletions) == "on",

		makeFields:    form.Setting(settingMakeFields) == "true",
		permissionSet: form.Setting(settingPermissions),
	}
	if c.base != "" && !isAddress(c.base) {
		form.Refuse(settingBase, "is not an address such as https://acme.my.salesforce.com")
	}
	if v := form.Setting(settingVersion); !versionForm.MatchString(v) {
		form.Refuse(settingVersion, "is %q, want a version such as 66.0", v)
	}
	if v := form.Setting(settingOrganization); v != "" && !isID(v, "00D") {
		form.Refuse(settingOrganization, "is %q, want the organization's id, which begins with 00D", v)
	}
	if v := form.Setting(settingUser); v != "" && !isID(v, "005") {
		form.Refuse(settingUser, "is %q, want a user's id, which begins with 005", v)
	}
	for _, name := range []string{settingStage, settingSegments, settingExternal} {
		if v := form.Setting(name); !fieldForm.MatchString(v) || connectors.ConsentField(v) || slices.Contains(consentFields, strings.ToLower(v)) {
			form.Refuse(name, "is %q, want the API name of a field of its own, for example SB_Stage__c", v)
		}
	}
	if c.makeFields && !fieldForm.MatchString(c.permissionSet) {
		form.Refuse(settingPermissions, "is %q, want the API name of a permission set: fields that are created are hidden without one", c.permissionSet)
	}
	if c.currency != "" && !currencyForm.MatchString(c.currency) {
		form.Refuse(settingCurrency, "is %q, want three capital letters such as EUR", c.currency)
	}
	reserve, err := strconv.ParseInt(form.Setting(settingReserve), 10, 64)
	if err != nil || reserve < 0 || reserve > 90 {
		form.Refuse(settingReserve, "is %q, want a number of percent from 0 to 90", form.Setting(settingReserve))
	}
	c.quota = &quota{reserve: reserve}
	for theirs := range cfg.Push.Traits {
		if why := c.refuseTarget(theirs); why != "" {
			form.Refuse("push.traits."+theirs, "%s", why)
		}
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	c.tokens = connectors.NewTokens(c.cfg.Now, c.fetchToken)
	c.fields = &fieldMaker{c: c, turn: make(chan struct{}, 1), made: map[string]bool{}}
	return c, nil
}

func objectsOf(choice string) []string {
	switch choice {
	case "contacts":
		return []string{objectContact}
	case "leads":
		return []string{objectLead}
	}
	return []string{objectContact, objectLead}
}

func isAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" && (u.Scheme == "https" || u.Scheme == "http")
}

// refuseTarget says why a field cannot be the target of a trait; "" when it
// can. Consent is the first reason: this product neither opts a person in nor
// out.
func (c *Connector) refuseTarget(name string) string {
	switch {
	case !fieldForm.MatchString(name):
		return "is not the API name of a field"
	case slices.Contains(consentFields, strings.ToLower(name)):
		return "holds the person's consent; Stagebridge never writes it"
	case strings.EqualFold(name, "Id") || strings.EqualFold(name, "attributes"):
		return "cannot be written"
	case strings.EqualFold(name, c.stage), strings.EqualFold(name, c.segments), strings.EqualFold(name, c.external):
		return "is written by Stagebridge already"
	}
	return ""
}

// consentFields are standard fields of contacts and leads, beside those that
// connectors.ConsentField knows, that lead to consent, or tell whether mail arrives (developer.salesforce.com, Object
// Reference, "Contact", "Lead").
var consentFields = []string{"individualid", "emailbounceddate", "emailbouncedreason"}

// authenticated reports whether the API can be called at all.
func (c *Connector) authenticated() bool {
	return c.base != "" && c.clientID != "" && !c.cfg.Secret(secretClient).Empty()
}

// hide lists every secret, to be cut out of what Salesforce says.
func (c *Connector) hide() []secret.Text {
	var all []secret.Text
	for _, values := range c.cfg.Secrets {
		all = append(all, values...)
	}
	return all
}
