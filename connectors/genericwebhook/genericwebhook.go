// Package genericwebhook connects any system by signed HTTP: it takes events
// by the Standard Webhooks specification 1.0.0 or by a configurable signature,
// and sends every move of a person as a Standard Webhooks POST.
package genericwebhook

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

//go:embed connector.yaml rules.yaml guide.md
var folder embed.FS

var descriptor = connectors.MustDescriptor(folder)

var (
	_ connectors.Source      = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
)

// Connector is one connection to a sender, a receiver, or both.
type Connector struct {
	config  connectors.Config
	source  shape
	signers []*standardKey // for sending: the current key, then the one before
	target  target
	// secrets that must not show in what a receiver answers.
	secrets []secret.Text
	// echoID begins every webhook-id of this installation.
	echoID string
}

// Vendor is the catalogue's line.
func Vendor() connectors.Vendor { return connectors.Vendor{Descriptor: descriptor, Open: open} }

// open checks the settings and makes the connector.
func open(c connectors.Config) (connectors.Connector, error) {
	c = c.WithDefaults()
	var wrong []error
	for _, e := range descriptor.Check(c) {
		wrong = append(wrong, e)
	}
	conn := &Connector{config: c, echoID: echoID(c.Instance)}
	var mistakes []*connectors.SettingError
	conn.source, mistakes = parseShape(c)
	wrong = appendAll(wrong, mistakes)
	conn.target, mistakes = parseTarget(c)
	wrong = appendAll(wrong, mistakes)
	if c.Settings["url"] != "" {
		for _, s := range c.Secrets["signing_secret"] {
			key, err := parseStandardKey(s)
			if err == nil && !key.signs() {
				err = errors.New("is a public key, which cannot sign")
			}
			if err != nil {
				wrong = append(wrong, &connectors.SettingError{Field: "signing_secret", Detail: err.Error()})
				continue
			}
			conn.signers = append(conn.signers, key)
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	for _, values := range c.Secrets {
		conn.secrets = append(conn.secrets, values...)
	}
	return conn, nil
}

func appendAll(to []error, mistakes []*connectors.SettingError) []error {
	for _, e := range mistakes {
		to = append(to, e)
	}
	return to
}

// echoID is how the webhook-id of a message begins that the instance sent. An
// underscore in the instance's name becomes a hyphen, so that no instance's
// mark begins another's.
func echoID(instance string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, instance)
	return "msg_sb_" + clean + "_"
}

// Descriptor implements connectors.Connector.
func (c *Connector) Descriptor() *connectors.Descriptor { return descriptor }

// Check implements connectors.Checker: it sends the receiver a message of type
// stagebridge.test and expects a 2xx.
func (c *Connector) Check(ctx context.Context) (string, error) {
	if c.target.url == "" {
		return "This connection only receives; send it a signed event to test it.", nil
	}
	begun := c.config.Now()
	body, err := testBody(begun)
	if err != nil {
		return "", &connectors.PushError{Act: "generic-webhook: check", Reason: connectors.ReasonInvalid, Message: err.Error()}
	}
	id := c.echoID + fmt.Sprintf("test-%d", begun.UnixNano())
	a, err := c.post(ctx, "generic-webhook: check", id, body)
	if err != nil {
		return "", err
	}
	took := c.config.Now().Sub(begun).Round(time.Millisecond)
	return fmt.Sprintf("The receiver answered %d %s in %v.", a.Status, http.StatusText(a.Status), took), nil
}
