// Package looker receives rows of people from Looker: as an Action Hub, which
// Looker asks for its actions, their form, and to carry them out, and from
// schedules with a webhook as destination. Looker itself has no place to write
// people into. Vendor facts are those of the Action API
// (https://github.com/looker-open-source/actions, docs/action_api.md) and of
// the Looker API 4.0 unless a comment says otherwise; guide.md lists what could
// not be confirmed.
package looker

import (
	"embed"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

//go:embed connector.yaml rules.yaml guide.md
var folder embed.FS

var (
	_ connectors.Connector = (*Connector)(nil)
	_ connectors.Source    = (*Connector)(nil)
	_ connectors.Registrar = (*Connector)(nil)
	_ connectors.Checker   = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretHub     = "hub_token"
	secretWebhook = "webhook_secret"
	secretClient  = "client_secret"
	fieldLabel    = "label"
	fieldColumns  = "columns"
	fieldModel    = "own_model"
	fieldClientID = "client_id"
	fieldBaseURL  = "base_url"
)

// Connector is a connection to one Looker instance. It is safe for concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api // nil without an address and credentials

	label    string
	columns  map[string]string // column by role, from the settings
	ownModel string
}

// Vendor gives Looker's line of the catalogue.
func Vendor() connectors.Vendor {
	d := connectors.MustDescriptor(folder)
	return connectors.Vendor{
		Descriptor: d,
		Open:       func(cfg connectors.Config) (connectors.Connector, error) { return open(d, cfg) },
	}
}

// Descriptor implements connectors.Connector.
func (c *Connector) Descriptor() *connectors.Descriptor { return c.descriptor }

// columnForm is a column of a result: view.field, or a table calculation's name.
var columnForm = regexp.MustCompile(`^[A-Za-z0-9_]{1,100}(\.[A-Za-z0-9_]{1,100})?$`)

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	cfg = cfg.WithDefaults()
	form := connectors.ReadForm(d, cfg)
	c := &Connector{descriptor: d, cfg: cfg, label: form.Setting(fieldLabel), ownModel: form.Setting(fieldModel), columns: map[string]string{}}
	for pair := range strings.SplitSeq(form.Setting(fieldColumns), ",") {
		role, column, _ := strings.Cut(pair, "=")
		role, column = strings.TrimSpace(role), strings.TrimSpace(column)
		switch {
		case role == "" && column == "":
		case !slices.Contains(roles(), role) || !columnForm.MatchString(column):
			form.Refuse(fieldColumns, "%.80q is not like email=users.email; the names before the sign are %s", pair, strings.Join(roles(), ", "))
		default:
			c.columns[role] = column
		}
	}
	id, key, given := form.Setting(fieldClientID), cfg.Secret(secretClient), form.Setting(fieldBaseURL)
	if (id != "") == key.Empty() {
		form.Refuse(fieldClientID, "and client_secret come together")
	}
	base, err := baseURL(given)
	if err != nil {
		form.Refuse(fieldBaseURL, "%v", err)
	}
	if base == "" && id != "" {
		form.Refuse(fieldBaseURL, "is required beside client_id")
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	if base != "" && id != "" {
		c.api = newAPI(cfg, base, id)
	}
	return c, nil
}

// baseURL gives the root of the API with its version, without a trailing slash;
// empty where none is set.
func baseURL(given string) (string, error) {
	if given == "" {
		return "", nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://acme.cloud.looker.com")
	}
	return strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/api/4.0") + "/api/4.0", nil
}
