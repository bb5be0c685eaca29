// Package surveymonkey connects SurveyMonkey: answered surveys come in by
// webhook, with a poll that closes gaps; stage and segments go out as two
// custom fields of the account's contacts. Vendor facts are those of
// SurveyMonkey's API documentation (https://api.surveymonkey.com/v3/docs and
// https://github.com/SurveyMonkey/public_api_docs) unless a comment says
// otherwise; guide.md lists what could not be confirmed.
package surveymonkey

import (
	"embed"
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/time/rate"

	"github.com/stagebridge/stagebridge/connectors"
)

//go:embed connector.yaml rules.yaml guide.md
var folder embed.FS

var (
	_ connectors.Connector   = (*Connector)(nil)
	_ connectors.Source      = (*Connector)(nil)
	_ connectors.Enricher    = (*Connector)(nil)
	_ connectors.Poller      = (*Connector)(nil)
	_ connectors.Registrar   = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Lister      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretToken   = "access_token"
	secretClient  = "client_secret"
	secretWebhook = "webhook_token"
	fieldClientID = "client_id"
	fieldBaseURL  = "base_url"
	fieldSurveys  = "survey_ids"
	fieldNPS      = "nps_question"
	fieldComment  = "comment_question"
	fieldUser     = "user_variable"
	fieldEmail    = "email_variable"
	fieldStage    = "stage_field"
	fieldSegment  = "segment_field"
	fieldLabel    = "label_fields"
	fieldDaily    = "daily_requests"
)

// Connector is a connection to one SurveyMonkey account. It is safe for
// concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api
	forms      *forms
	labels     *labels

	surveys      []string // nil: all of the account
	npsQuestion  string
	comment      string
	userVar      string
	emailVar     string
	stageField   string
	segmentField string
	// budget is what pushes may spend of the day's requests.
	budget *rate.Limiter
}

// Vendor gives SurveyMonkey's line of the catalogue.
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
	numberForm = regexp.MustCompile(`^[0-9]{1,30}$`)
	customForm = regexp.MustCompile(`^[1-6]$`)
)

// writable are the members of a contact, beside its custom fields, that traits
// may be brought to.
var writable = []string{"first_name", "last_name"}

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	cfg = cfg.WithDefaults()
	fields := connectors.ReadForm(d, cfg)
	c := &Connector{
		descriptor: d, cfg: cfg,
		npsQuestion: fields.Setting(fieldNPS), comment: fields.Setting(fieldComment),
		userVar: fields.Setting(fieldUser), emailVar: fields.Setting(fieldEmail),
		stageField: fields.Setting(fieldStage), segmentField: fields.Setting(fieldSegment),
	}
	if !cfg.Secret(secretClient).Empty() && fields.Setting(fieldClientID) == "" {
		fields.Refuse(fieldClientID, "is required beside client_secret: webhooks are signed with both")
	}
	for id := range strings.SplitSeq(fields.Setting(fieldSurveys), ",") {
		id = strings.TrimSpace(id)
		switch {
		case id == "":
		case !numberForm.MatchString(id):
			fields.Refuse(fieldSurveys, "%q is not a survey's number", id)
		case !slices.Contains(c.surveys, id):
			c.surveys = append(c.surveys, id)
		}
	}
	if !customForm.MatchString(c.stageField) {
		fields.Refuse(fieldStage, "is %q, want a custom field's number from 1 to 6", c.stageField)
	}
	if !customForm.MatchString(c.segmentField) || c.segmentField == c.stageField {
		fields.Refuse(fieldSegment, "is %q, want a custom field's number from 1 to 6 other than the stage's", c.segmentField)
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Push.Traits)) {
		if !slices.Contains(writable, name) && !customForm.MatchString(name) || name == c.stageField || name == c.segmentField {
			fields.Refuse("push.traits", "%q cannot be written: want first_name, last_name or the number of a custom field that is not ours", name)
		}
	}
	daily, err := strconv.Atoi(fields.Setting(fieldDaily))
	if err != nil || daily < minDaily {
		fields.Refuse(fieldDaily, "is %q, want a number of at least %d", fields.Setting(fieldDaily), minDaily)
	}
	c.budget = newBudget(daily)
	base, err := baseURL(fields.Setting(fieldBaseURL))
	if err != nil {
		fields.Refuse(fieldBaseURL, "%v", err)
	}
	if err := fields.Err(); err != nil {
		return nil, err
	}
	c.api = newAPI(cfg, base)
	c.forms = &forms{api: c.api, now: cfg.Now, known: map[string]*form{}}
	c.labels = &labels{api: c.api, write: fields.Setting(fieldLabel) == "true"}
	return c, nil
}

// baseURL gives the root of the API with its version, without a trailing slash.
func baseURL(given string) (string, error) {
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://api.surveymonkey.com")
	}
	return strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/v3") + "/v3", nil
}
