// Package marketo connects Adobe Marketo Engage: webhooks of smart campaigns
// and the activity log come in; the stage goes out as a person field, segments
// as another or as static lists. Vendor facts are those of Adobe's developer
// pages (https://experienceleague.adobe.com/en/docs/marketo-developer) unless a
// comment says otherwise; guide.md lists what could not be confirmed.
package marketo

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
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretClient     = "client_secret"
	secretWebhook    = "webhook_token"
	fieldBaseURL     = "base_url"
	fieldClientID    = "client_id"
	fieldPoll        = "poll"
	fieldActivities  = "activities"
	fieldChanges     = "change_fields"
	fieldRead        = "read_fields"
	fieldStage       = "stage_field"
	fieldSegmentsAs  = "segments_as"
	fieldSegments    = "segments_field"
	fieldPrefix      = "list_prefix"
	fieldFolder      = "list_folder"
	fieldFolderType  = "list_folder_type"
	fieldCreateOn    = "create_fields"
	fieldPartition   = "partition"
	fieldZone        = "time_zone"
	maxActivityTypes = 10 // of one call for activities
)

// Connector is a connection to one Marketo instance. It is safe for concurrent
// use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	fields     *personFields
	lists      *staticLists
	types      *activityTypes

	poll          bool
	activities    []string
	changes       []string
	readFields    []string
	stageField    string
	asLists       bool
	segmentsField string
	listPrefix    string
	partition     string
	zone          *time.Location // nil: webhooks tell no time
}

// Vendor gives Marketo's line of the catalogue.
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
	nameForm   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,99}$`)
	typeForm   = regexp.MustCompile(`^[a-z0-9_]{1,80}$`)
	folderForm = regexp.MustCompile(`^[0-9]{1,18}$`)
)

// reserved are fields that a push never writes: what people are known by, and
// what says whether mail may be sent to them.
var reserved = []string{
	"id", "email", "unsubscribed", "unsubscribedreason", "marketingsuspended", "marketingsuspendedcause",
	"blacklisted", "blacklistedcause", "emailinvalid", "emailinvalidcause", "emailsuspended", "emailsuspendedcause",
}

// kept reports whether a field is never written.
func kept(name string) bool {
	return slices.Contains(reserved, strings.ToLower(name)) || connectors.ConsentField(name)
}

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	cfg = cfg.WithDefaults()
	form := connectors.ReadForm(d, cfg)
	c := &Connector{
		descriptor: d, cfg: cfg,
		poll:       form.Setting(fieldPoll) == "true",
		activities: split(form.Given(fieldActivities)),
		changes:    split(form.Given(fieldChanges)),
		readFields: split(form.Setting(fieldRead)),
		stageField: form.Setting(fieldStage), segmentsField: form.Setting(fieldSegments),
		asLists: form.Setting(fieldSegmentsAs) == "lists", listPrefix: form.Setting(fieldPrefix), partition: form.Setting(fieldPartition),
	}
	base, err := baseURL(form.Setting(fieldBaseURL))
	if err != nil {
		form.Refuse(fieldBaseURL, "%v", err)
	}
	if zone := form.Setting(fieldZone); zone != "" {
		if c.zone, err = time.LoadLocation(zone); err != nil || c.zone == time.Local {
			form.Refuse(fieldZone, "is %q, want a name such as UTC or America/New_York", zone)
		}
	}
	if folder := form.Setting(fieldFolder); folder != "" && !folderForm.MatchString(folder) {
		form.Refuse(fieldFolder, "is %q, want the number of a folder or program", folder)
	}
	if len(c.activities) > maxActivityTypes {
		form.Refuse(fieldActivities, "names %d types, Marketo takes %d", len(c.activities), maxActivityTypes)
	}
	c.checkNames(form.Refuse)
	if err := form.Err(); err != nil {
		return nil, err
	}
	c.api = newAPI(cfg, base, form.Setting(fieldClientID))
	c.fields = &personFields{api: c.api, create: form.Setting(fieldCreateOn) == "true"}
	c.lists = &staticLists{api: c.api, folder: form.Setting(fieldFolder), folderType: form.Setting(fieldFolderType)}
	c.types = &activityTypes{api: c.api}
	return c, nil
}

// checkNames refuses names that are no fields, or none that may be written.
func (c *Connector) checkNames(refuse func(field, format string, args ...any)) {
	for field, names := range map[string][]string{
		fieldStage: {c.stageField}, fieldSegments: {c.segmentsField}, fieldChanges: c.changes, fieldRead: c.readFields,
	} {
		for _, name := range names {
			if !nameForm.MatchString(name) {
				refuse(field, "%q is no REST name: a letter, then letters, digits and underscores", name)
			}
		}
	}
	for _, name := range c.activities {
		if !typeForm.MatchString(name) {
			refuse(fieldActivities, "%q is no activity type such as fill_out_form or 2", name)
		}
	}
	for _, field := range []string{c.stageField, c.segmentsField} {
		if kept(field) {
			refuse(fieldStage, "%q is a field of Marketo's that a push never writes", field)
		}
	}
	if !c.asLists && c.stageField == c.segmentsField {
		refuse(fieldSegments, "is the field of the stage")
	}
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Push.Traits)) {
		taken := name == c.stageField || !c.asLists && name == c.segmentsField
		if !nameForm.MatchString(name) || taken || kept(name) {
			refuse("push.traits", "%q is no field that a push may write", name)
		}
	}
}

// credentials reports whether the REST API can be called at all.
func (c *Connector) credentials() bool {
	return c.api.base != "" && c.api.clientID != "" && !c.api.secret.Empty()
}

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

// baseURL gives the instance's root, without /rest and without a slash.
func baseURL(given string) (string, error) {
	if given == "" {
		return "", nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://123-ABC-456.mktorest.com")
	}
	return strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/rest"), nil
}
