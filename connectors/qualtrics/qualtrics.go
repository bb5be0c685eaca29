// Package qualtrics connects Qualtrics: completed responses come in by event
// subscription or from a workflow's web service task; stage and segments go out
// as embedded data of the XM Directory's contacts. Vendor facts are those of
// Qualtrics' API documentation (https://api.qualtrics.com) unless a comment says
// otherwise; guide.md lists what could not be confirmed.
package qualtrics

import (
	"embed"
	"errors"
	"fmt"
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
	_ connectors.Enricher    = (*Connector)(nil)
	_ connectors.Registrar   = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Lister      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretAPI      = "api_token"
	secretClient   = "client_secret"
	secretShared   = "shared_key"
	secretWorkflow = "workflow_secret"
	fieldCentre    = "datacenter"
	fieldClientID  = "client_id"
	fieldScope     = "oauth_scope"
	fieldDirectory = "directory_id"
	fieldSurveys   = "survey_ids"
	fieldNPS       = "nps_question"
	fieldCSAT      = "csat_question"
	fieldComment   = "comment_question"
	fieldZone      = "completed_zone"
	fieldStage     = "stage_field"
	fieldSegment   = "segment_field"
	fieldEmbedded  = "embedded_data"
	fieldNew       = "new_contacts"
	fieldErase     = "erase"
	fieldBaseURL   = "base_url"
)

// Connector is a connection to one brand, and to one directory of it. It is
// safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	lag        *lag
	zone       *time.Location

	directory    string
	surveys      []string // nil: all of the brand
	nps, csat    string
	comment      string
	stageField   string
	segmentField string
	resend       bool
	unsubscribed bool
	eraseAll     bool
}

// Vendor gives Qualtrics' line of the catalogue.
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
	centreForm    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`)
	directoryForm = regexp.MustCompile(`^POOL_[A-Za-z0-9]{1,40}$`)
	surveyForm    = regexp.MustCompile(`^SV_[A-Za-z0-9]{1,40}$`)
	responseForm  = regexp.MustCompile(`^R_[A-Za-z0-9]{1,40}$`)
	contactForm   = regexp.MustCompile(`^CID_[A-Za-z0-9]{1,40}$`)
	questionForm  = regexp.MustCompile(`^[A-Za-z0-9_#]{0,80}$`)
	embeddedForm  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_ -]{0,99}$`)
)

// own are members of a contact, beside its embedded data, that traits may be
// brought to; reserved are those that they may not.
var (
	own      = []string{"firstName", "lastName", "phone", "language"}
	reserved = []string{"email", "extRef", "unsubscribed", "embeddedData"}
)

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	cfg = cfg.WithDefaults()
	form := connectors.ReadForm(d, cfg)
	c := &Connector{
		descriptor: d, cfg: cfg, lag: &lag{now: cfg.Now, first: map[string]time.Time{}},
		directory: form.Setting(fieldDirectory), nps: form.Setting(fieldNPS), csat: form.Setting(fieldCSAT), comment: form.Setting(fieldComment),
		stageField: form.Setting(fieldStage), segmentField: form.Setting(fieldSegment),
		resend: form.Setting(fieldEmbedded) == "resend", unsubscribed: form.Setting(fieldNew) == "unsubscribed", eraseAll: form.Setting(fieldErase) == "everything",
	}
	forms := []struct {
		field, value, words string
		form                *regexp.Regexp
	}{
		{fieldDirectory, c.directory, "an id such as POOL_1a2b3c", directoryForm},
		{fieldNPS, c.nps, "a question's id such as QID7", questionForm},
		{fieldCSAT, c.csat, "a question's id such as QID8", questionForm},
		{fieldComment, c.comment, "a field's name such as QID9_TEXT", questionForm},
		{fieldStage, c.stageField, "a name of embedded data", embeddedForm},
		{fieldSegment, c.segmentField, "a name of embedded data", embeddedForm},
	}
	for _, f := range forms {
		if f.value != "" && !f.form.MatchString(f.value) {
			form.Refuse(f.field, "is %q, want %s", f.value, f.words)
		}
	}
	for id := range strings.SplitSeq(form.Setting(fieldSurveys), ",") {
		id = strings.TrimSpace(id)
		switch {
		case id == "":
		case !surveyForm.MatchString(id):
			form.Refuse(fieldSurveys, "%q is not a survey's id such as SV_1a2b3c", id)
		case !slices.Contains(c.surveys, id):
			c.surveys = append(c.surveys, id)
		}
	}
	if c.segmentField == c.stageField {
		form.Refuse(fieldSegment, "is the same as %s", fieldStage)
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Push.Traits)) {
		if !embeddedForm.MatchString(name) || slices.Contains(reserved, name) || name == c.stageField || name == c.segmentField {
			form.Refuse("push.traits", "%q cannot be written", name)
		}
	}
	var err error
	if c.zone, err = time.LoadLocation(form.Setting(fieldZone)); err != nil || c.zone == time.Local {
		form.Refuse(fieldZone, "is %q, want a name such as UTC or America/Denver", form.Setting(fieldZone))
	}
	oauth := form.Setting(fieldClientID) != "" && !cfg.Secret(secretClient).Empty()
	if (form.Setting(fieldClientID) != "") == cfg.Secret(secretClient).Empty() {
		form.Refuse(fieldClientID, "and client_secret come together")
	}
	if cfg.Push.Enabled && cfg.Secret(secretAPI).Empty() && !oauth {
		form.Refuse(secretAPI, "is required to push, or client_id with client_secret")
	}
	root, err := rootURL(form.Setting(fieldBaseURL), form.Setting(fieldCentre))
	if err != nil {
		form.Refuse(fieldCentre, "%v", err)
	}
	if root == "" && (oauth || !cfg.Secret(secretAPI).Empty()) {
		form.Refuse(fieldCentre, "is required: the API has another address in each data center")
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	c.api = newAPI(cfg, root, oauth, form.Setting(fieldClientID), form.Setting(fieldScope))
	return c, nil
}

// rootURL gives the address of the brand's data center without a trailing
// slash; empty where none is set.
func rootURL(given, centre string) (string, error) {
	if given == "" {
		if centre == "" {
			return "", nil
		}
		if !centreForm.MatchString(centre) {
			return "", fmt.Errorf("is %q, want an id such as fra1", centre)
		}
		return "https://" + centre + ".qualtrics.com", nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("base_url is not an address such as https://fra1.qualtrics.com")
	}
	return strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/API/v3"), nil
}
