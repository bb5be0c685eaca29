// Package stripe connects Stripe accounts: signed events of customers,
// subscriptions, invoices and checkouts come in; the stage and the segments go
// out as metadata of the customer. Vendor facts are those of Stripe's
// documentation (https://docs.stripe.com/webhooks, https://docs.stripe.com/api)
// unless a comment says otherwise; guide.md lists what could not be confirmed.
package stripe

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"maps"
	"net/url"
	"regexp"
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
	secretAPIKey  = "api_key"
	secretSigning = "signing_secret"

	fieldBaseURL  = "base_url"
	fieldMode     = "mode"
	fieldStage    = "stage_key"
	fieldSegments = "segments_key"
	fieldErasure  = "on_erasure"
)

// Values of the setting mode.
const (
	modeAuto = "auto"
	modeLive = "live"
	modeTest = "test"
	modeAny  = "any"
)

// eraseDeletes is the value of on_erasure that deletes the customer.
const eraseDeletes = "delete"

// maxKeyRunes is how long the key of a metadata entry may be
// (https://docs.stripe.com/api/metadata).
const maxKeyRunes = 40

// sinceSuffix makes the key of the stage's date from that of the stage.
const sinceSuffix = "_at"

// Connector is a connection to one Stripe account, live or test. It is safe for
// concurrent use.
type Connector struct {
	descriptor *connectors.Descriptor
	cfg        connectors.Config
	api        *api

	mode        string // live, test or any
	stageKey    string
	segmentsKey string
	deletes     bool
	// mark begins the idempotency key of every write of this installation.
	mark string
}

// Vendor gives Stripe's line of the catalogue.
func Vendor() connectors.Vendor {
	d := connectors.MustDescriptor(folder)
	return connectors.Vendor{
		Descriptor: d,
		Open:       func(cfg connectors.Config) (connectors.Connector, error) { return open(d, cfg) },
	}
}

// Descriptor implements connectors.Connector.
func (c *Connector) Descriptor() *connectors.Descriptor { return c.descriptor }

// keyForm leaves out the brackets that a form parameter could not carry.
var keyForm = regexp.MustCompile(`^[^\[\]\x00-\x1f]{1,40}$`)

func open(d *connectors.Descriptor, cfg connectors.Config) (connectors.Connector, error) {
	cfg = cfg.WithDefaults()
	form := connectors.ReadForm(d, cfg)
	base, err := baseURL(form.Setting(fieldBaseURL))
	if err != nil {
		form.Refuse(fieldBaseURL, "%v", err)
	}
	stage, segments := form.Setting(fieldStage), form.Setting(fieldSegments)
	ours := []string{stage, stage + sinceSuffix, segments}
	if !keyForm.MatchString(stage + sinceSuffix) {
		form.Refuse(fieldStage, "is %q, want at most %d characters without square brackets", stage, maxKeyRunes-len(sinceSuffix))
	}
	if !keyForm.MatchString(segments) || slices.Contains(ours[:2], segments) {
		form.Refuse(fieldSegments, "is %q, want at most %d characters without square brackets, and not the stage's key", segments, maxKeyRunes)
	}
	for key := range maps.Keys(cfg.Push.Traits) {
		if !keyForm.MatchString(key) || slices.Contains(ours, key) {
			form.Refuse("push.traits", "%q is not a metadata key that can be written", key)
		}
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	key := secret.New(strings.TrimSpace(cfg.Secret(secretAPIKey).Reveal()))
	mode := form.Setting(fieldMode)
	if mode == modeAuto {
		mode = modeOf(key)
	}
	sum := sha256.Sum256([]byte(cfg.Instance))
	return &Connector{
		descriptor:  d,
		cfg:         cfg,
		api:         newAPI(cfg.HTTP, base, key, slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...)),
		mode:        mode,
		stageKey:    stage,
		segmentsKey: segments,
		deletes:     form.Setting(fieldErasure) == eraseDeletes,
		mark:        "sb-" + hex.EncodeToString(sum[:8]) + "-",
	}, nil
}

// modeOf reads the mode off an API key: sk_live_…, rk_test_….
func modeOf(key secret.Text) string {
	for _, mode := range []string{modeLive, modeTest} {
		if strings.Contains(key.Reveal(), "k_"+mode+"_") {
			return mode
		}
	}
	return modeAny
}

// baseURL gives the root of the API, without the version and a trailing slash.
func baseURL(given string) (string, error) {
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("is not an address such as https://api.stripe.com")
	}
	return strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/v1"), nil
}
