// Package mparticle connects mParticle: the batches of its Webhook output come
// in, and the stage and the segments go out as user attributes through the
// Events API. Vendor facts are those of mParticle's documentation
// (https://docs.mparticle.com/developers/) unless a comment says otherwise;
// guide.md lists what could not be confirmed.
package mparticle

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

//go:embed connector.yaml rules.yaml guide.md
var folder embed.FS

var (
	_ connectors.Connector   = (*Connector)(nil)
	_ connectors.Source      = (*Connector)(nil)
	_ connectors.Destination = (*Connector)(nil)
	_ connectors.Checker     = (*Connector)(nil)
	_ connectors.Reader      = (*Connector)(nil)
	_ connectors.Eraser      = (*Connector)(nil)
)

// Names of secrets and settings in connector.yaml.
const (
	secretWebhook         = "webhook_authorization"
	secretKey             = "api_key"
	secretSecret          = "api_secret"
	secretProfileID       = "profile_client_id"
	secretProfileSecret   = "profile_client_secret"
	secretWorkspaceKey    = "workspace_key"
	secretWorkspaceSecret = "workspace_secret"
	fieldBaseURL          = "base_url"
	fieldEnvironment      = "environment"
	fieldStage            = "stage_attribute"
	fieldSegments         = "segments_attribute"
	fieldOrg              = "org_id"
	fieldAccount          = "account_id"
	fieldWorkspace        = "workspace_id"
	fieldProfileURL       = "profile_url"
	fieldTokenURL         = "token_url"
	fieldPrivacyURL       = "privacy_url"
	sinceSuffix           = "_since"
	maxAttributeName      = 256
)

// Connector is a connection to one workspace. It is safe for concurrent use.
type Connector struct {
	descriptor  *connectors.Descriptor
	cfg         connectors.Config
	base        string
	environment string
	stage       string
	segments    string
	profileURL  string
	tokenURL    string
	privacyURL  string
	// profile is the path of a person's profile up to the mpid; empty where an
	// id of it is missing.
	profile string
	tokens  *connectors.Tokens
	secrets []secret.Text
	// mark names this installation in what we send.
	mark string
}

// Vendor gives mParticle's line of the catalogue.
func Vendor() connectors.Vendor {
	d := connectors.MustDescriptor(folder)
	return connectors.Vendor{
		Descriptor: d,
		Open:       func(cfg connectors.Config) (connectors.Connector, error) { return open(d, cfg) },
	}
}

// Descriptor implements connectors.Connector.
func (c *Connector) Descriptor() *connectors.Descriptor { return c.descriptor }

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	form := connectors.ReadForm(d, cfg)
	c := &Connector{
		descriptor: d, cfg: cfg.WithDefaults(), environment: form.Setting(fieldEnvironment),
		stage: form.Setting(fieldStage), segments: form.Setting(fieldSegments), mark: instanceMark(cfg.Instance),
	}
	for field, into := range map[string]*string{
		fieldBaseURL: &c.base, fieldProfileURL: &c.profileURL, fieldTokenURL: &c.tokenURL, fieldPrivacyURL: &c.privacyURL,
	} {
		address, err := address(form.Setting(field))
		if err != nil {
			form.Refuse(field, "%v", err)
		}
		*into = address
	}
	c.base = strings.TrimSuffix(c.base, "/v2")
	own := []string{c.stage, c.stage + sinceSuffix, c.segments}
	if slices.Contains(own[:2], c.segments) {
		form.Refuse(fieldSegments, "is the attribute of the stage")
	}
	for name := range cfg.Push.Traits {
		if slices.Contains(own, name) || name == "" || len(name) > maxAttributeName {
			form.Refuse("push.traits", "%q is written by the stage or the segments, or is no name", name)
		}
	}
	ids := []string{form.Setting(fieldOrg), form.Setting(fieldAccount), form.Setting(fieldWorkspace)}
	if !slices.Contains(ids, "") {
		for i := range ids {
			ids[i] = url.PathEscape(ids[i])
		}
		c.profile = "/userprofile/v1/" + strings.Join(ids, "/") + "/"
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	for _, all := range cfg.Secrets {
		c.secrets = append(c.secrets, all...)
	}
	c.tokens = connectors.NewTokens(c.cfg.Now, c.token)
	return c, nil
}

// address gives an API's root without a trailing slash.
func address(given string) (string, error) {
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://s2s.eu1.mparticle.com")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// instanceMark names this installation.
func instanceMark(instance string) string {
	sum := sha256.Sum256([]byte(instance))
	return "sb_" + hex.EncodeToString(sum[:8])
}

// basic gives the headers of an API that takes a key and a secret.
func basic(key, password secret.Text) http.Header {
	pair := base64.StdEncoding.EncodeToString([]byte(key.Reveal() + ":" + password.Reveal()))
	return http.Header{"Accept": {"application/json"}, "Authorization": {"Basic " + pair}}
}
