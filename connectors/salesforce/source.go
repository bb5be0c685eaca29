package salesforce

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	// keyHeader carries the secret where a header can be set: in the named
	// credential of a flow's HTTP callout.
	keyHeader = "X-Stagebridge-Key"
	// keyQuery carries it in the endpoint URL of an outbound message, which can
	// set no header. It is in the query since a path is written to access logs.
	keyQuery = "key"
)

// acknowledgement is the only answer that ends an outbound message; after
// anything else Salesforce sends it again for 24 hours (Metadata API Developer
// Guide, "Outbound Message Notifications").
const acknowledgement = `<?xml version="1.0" encoding="UTF-8"?>` +
	`<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>` +
	`<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>` +
	`</soapenv:Body></soapenv:Envelope>`

// Receive implements connectors.Source. Salesforce signs nothing: a secret in
// the URL or a header proves the sender, and the organization's id, where it is
// set, has to agree. A body that begins with < is an outbound message and is
// acknowledged in SOAP whatever it holds; any other is the JSON of a flow.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if r.Path != "" && r.Path != "/" {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is %s, want POST", short(r.Method))
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	if !isXML(r.Body) {
		return c.receiveFlow(r.Body)
	}
	m, err := readMessage(r.Body)
	if err != nil {
		return acknowledged(broken("message", connectors.FormatXML, r.Body, err)), nil
	}
	if err := c.fromUs(m.organization); err != nil {
		return nil, err
	}
	var events []connectors.RawEvent
	for i := range m.notifications {
		events = append(events, c.messageEvent(m, &m.notifications[i]))
	}
	return acknowledged(events...), nil
}

func acknowledged(events ...connectors.RawEvent) *connectors.Receipt {
	return &connectors.Receipt{Events: events, Reply: connectors.Reply{
		Header: http.Header{"Content-Type": {"text/xml; charset=utf-8"}}, Body: []byte(acknowledgement),
	}}
}

// messageEvent is the raw event of one notification. Its id is the same in
// every try to deliver it, while the record may have changed in between, so
// the id alone tells it apart.
func (c *Connector) messageEvent(m *message, n *notification) connectors.RawEvent {
	if n.object == "" {
		return broken("message", connectors.FormatXML, n.body, errors.New("a notification does not say which object it is about"))
	}
	e := connectors.RawEvent{
		Type:        n.object,
		Dedupe:      connectors.Dedupe("notification", id18(m.organization), id18(n.id)),
		At:          n.modifiedAt,
		Format:      connectors.FormatXML,
		Body:        n.body,
		Echo:        c.echo(n.modifiedBy),
		NeedsRecord: c.needsRecord(n.object),
	}
	if n.id == "" {
		e.Dedupe = connectors.Dedupe("notification of", id18(m.organization), string(n.body))
	}
	return e
}

// needsRecord reports whether the people of an event are named elsewhere: an
// opportunity does not hold its contacts.
func (c *Connector) needsRecord(object string) bool {
	return object == objectOpportunity && c.authenticated()
}

// echo is the mark of our own write: the user who changed the record last.
func (c *Connector) echo(user string) string {
	if c.user == "" || id18(user) != c.user {
		return ""
	}
	return "last modified by the integration user"
}

// broken keeps an authentic request that cannot be decoded.
func broken(kind, format string, body []byte, err error) connectors.RawEvent {
	return connectors.RawEvent{
		Type: kind, Dedupe: connectors.Dedupe("broken", string(body)), Format: format, Body: body, Broken: err.Error(),
	}
}

// verify compares the secret of the request with those of the connection.
func (c *Connector) verify(r *connectors.Request) error {
	var given []string
	given = append(given, r.Header.Values(keyHeader)...)
	if query, err := url.ParseQuery(r.Query); err == nil {
		given = append(given, query[keyQuery]...)
	}
	live := false
	for _, s := range c.cfg.Secrets[secretWebhook] {
		live = live || !s.Empty()
	}
	switch {
	case !live:
		return connectors.Reject(connectors.ErrUnconfigured, "the connection has no webhook secret")
	case len(given) == 0:
		return connectors.Reject(connectors.ErrUnsigned, "the request has neither ?%s= in its URL nor the header %s", keyQuery, keyHeader)
	case len(given) > 1:
		return connectors.Reject(connectors.ErrSignature, "the request carries more than one secret")
	}
	for _, s := range c.cfg.Secrets[secretWebhook] {
		if !s.Empty() && s.Equal(given[0]) {
			return nil
		}
	}
	return connectors.Reject(connectors.ErrSignature, "the secret is not the connection's")
}

// fromUs compares the organization that a request names with the setting.
func (c *Connector) fromUs(organization string) error {
	if c.organization == "" || organization == "" || id18(organization) == c.organization {
		return nil
	}
	return connectors.Reject(connectors.ErrSignature, "the request comes from another Salesforce organization than the setting %s names", settingOrganization)
}

// isXML reports whether a body begins as XML does.
func isXML(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(body, byteOrderMark), " \t\r\n"), []byte("<"))
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// short makes a sender's word fit for a message.
func short(text string) string {
	const most = 40
	text = strings.ToValidUTF8(text[:min(len(text), most)], "")
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, text)
}
