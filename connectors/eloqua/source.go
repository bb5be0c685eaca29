package eloqua

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
)

// Receive implements connectors.Source. An app has an address for each thing
// that may happen to it; all of Eloqua's calls are signed alike. Nothing is
// remembered of an instance of the step: what it is about stands in the
// addresses that were entered.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is %s, want POST or GET", short(r.Method))
	}
	answer, known := map[string]func(*connectors.Request) *connectors.Receipt{
		"notify": c.notify, "create": c.describe, "copy": c.describe, "configure": configure,
		"enable": enable, "delete": taken, "uninstall": taken, "status": taken,
	}[strings.Trim(r.Path, "/")]
	if !known {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path; see the guide for the app's addresses")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return answer(r), nil
}

// taken is the answer where Eloqua only wants to be heard.
func taken(*connectors.Request) *connectors.Receipt { return &connectors.Receipt{} }

// describe answers a new instance of the step, or a copy of one, with the
// fields that it shall send.
func (c *Connector) describe(*connectors.Request) *connectors.Receipt {
	body, err := json.Marshal(map[string]any{"recordDefinition": c.recordDefinition(), "requiresConfiguration": false})
	if err != nil {
		return &connectors.Receipt{Reply: connectors.Reply{Status: http.StatusInternalServerError}}
	}
	return &connectors.Receipt{Reply: connectors.Reply{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}}
}

// recordDefinition names what Eloqua sends of each contact.
func (c *Connector) recordDefinition() map[string]string {
	fields := map[string]string{
		"ContactID": "{{Contact.Id}}", "EmailAddress": fieldStatement("C_EmailAddress"),
		"FirstName": fieldStatement("C_FirstName"), "LastName": fieldStatement("C_LastName"), "Company": fieldStatement("C_Company"),
	}
	more := map[string]string{}
	for _, name := range c.recordFields {
		more[name] = fieldStatement(name)
	}
	maps.Copy(more, fields)
	return more
}

func fieldStatement(internal string) string { return "{{Contact.Field(" + internal + ")}}" }

// configurePage is shown in a frame when somebody opens the step.
const configurePage = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Stagebridge</title>` +
	`<body style="font-family:sans-serif"><p>Nothing needs to be set here. Contacts that reach this step are told to Stagebridge and go on.</p></body></html>`

func configure(*connectors.Request) *connectors.Receipt {
	return &connectors.Receipt{Reply: connectors.Reply{Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, Body: []byte(configurePage)}}
}

// enable sends the browser of whoever installs the app back to Eloqua. No
// consent is asked for: the API is called as the user of the settings.
func enable(r *connectors.Request) *connectors.Receipt {
	query, _ := url.ParseQuery(r.Query)
	back, err := url.Parse(query.Get("callback"))
	if err != nil || back.Scheme != "https" || back.Host == "" {
		return &connectors.Receipt{}
	}
	return &connectors.Receipt{Reply: connectors.Reply{Status: http.StatusFound, Header: http.Header{"Location": {back.String()}}}}
}

// maxTypeBytes bounds a raw type.
const maxTypeBytes = 100

// short makes a sender's word fit for a type or a message.
func short(s string) string {
	for n := min(len(s), maxTypeBytes); ; n-- {
		if n == len(s) || utf8.RuneStart(s[n]) {
			s = s[:n]
			break
		}
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}
