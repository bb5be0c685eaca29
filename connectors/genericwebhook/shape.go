package genericwebhook

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Kinds of proof.
const (
	proofStandard = "standard"
	proofHMAC     = "hmac"
	proofToken    = "token"
	proofBasic    = "basic"
)

// shape is how one sender proves itself and where its events say what they are.
type shape struct {
	proof     string
	headers   []string // canonical names
	encoding  string
	prefix    string
	separator string
	stamp     place // zero: the proof has no time
	stampUnit string
	tolerance time.Duration
	base      []basePart
	hmacKeys  []*macs
	keys      []*standardKey
	tokens    []secret.Text
	// networks, when not empty, are the only ones that requests come from.
	networks []netip.Prefix

	id, kind, time place
	split          string
	methods        []string
	challenge      bool
	keep           []string
}

// place is where a value of a request stands: in a header, in a part of the
// signature header, or at a path of the body.
type place struct {
	header, param string
	path          []string
}

func (p place) none() bool { return p.header == "" && p.param == "" && p.path == nil }

// basePart is a literal text or a named value of the signed text.
type basePart struct{ literal, name string }

// presets are the senders' own conventions as values of our settings; a value
// that the connection sets wins. From each sender's public documentation of
// its webhooks.
var presets = map[string]map[string]string{
	"hookdeck":        {"signature_header": "X-Hookdeck-Signature X-Hookdeck-Signature-2", "encoding": "base64"},
	"outpost":         {"signature_header": "X-Outpost-Signature", "prefix": "v0=", "separator": ",", "dedupe": "header:X-Outpost-Event-Id", "type": "header:X-Outpost-Topic", "time": "header:X-Outpost-Timestamp"},
	"convoy":          {"signature_header": "X-Convoy-Signature", "dedupe": "header:X-Convoy-Idempotency-Key"},
	"convoy-advanced": {"signature_header": "X-Convoy-Signature", "prefix": "v1=", "separator": ",", "timestamp": "param:t", "base": "{timestamp},{body}", "dedupe": "header:X-Convoy-Idempotency-Key"},
	"github":          {"signature_header": "X-Hub-Signature-256", "prefix": "sha256=", "dedupe": "header:X-GitHub-Delivery", "type": "header:X-GitHub-Event"},
	"shopify":         {"signature_header": "X-Shopify-Hmac-SHA256", "encoding": "base64", "dedupe": "header:X-Shopify-Webhook-Id", "type": "header:X-Shopify-Topic", "time": "header:X-Shopify-Triggered-At"},
	"woocommerce":     {"signature_header": "X-WC-Webhook-Signature", "encoding": "base64", "dedupe": "header:X-WC-Webhook-Delivery-ID", "type": "header:X-WC-Webhook-Topic"},
	"stripe":          {"signature_header": "Stripe-Signature", "prefix": "v1=", "separator": ",", "timestamp": "param:t", "base": "{timestamp}.{body}", "dedupe": "path:id", "time": "path:created"},
	"calendly":        {"signature_header": "Calendly-Webhook-Signature", "prefix": "v1=", "separator": ",", "timestamp": "param:t", "base": "{timestamp}.{body}", "type": "path:event", "time": "path:created_at"},
	"paddle":          {"signature_header": "Paddle-Signature", "prefix": "h1=", "separator": ";", "timestamp": "param:ts", "base": "{timestamp}:{body}", "dedupe": "path:event_id", "type": "path:event_type", "time": "path:occurred_at"},
	"elevenlabs":      {"signature_header": "ElevenLabs-Signature", "prefix": "v0=", "separator": ",", "timestamp": "param:t", "base": "{timestamp}.{body}", "time": "path:event_timestamp"},
	"webflow":         {"signature_header": "X-Webflow-Signature", "timestamp": "header:X-Webflow-Timestamp", "timestamp_unit": "ms", "base": "{timestamp}:{body}", "type": "path:triggerType"},
	"vercel":          {"signature_header": "X-Vercel-Signature", "algorithm": "sha1", "dedupe": "path:id", "time": "path:createdAt"},
	"typeform":        {"signature_header": "Typeform-Signature", "encoding": "base64", "prefix": "sha256=", "dedupe": "path:event_id", "type": "path:event_type"},
	"segment":         {"signature_header": "X-Signature", "algorithm": "sha1", "dedupe": "path:messageId"},
	"gitlab":          {"signature_header": "X-Gitlab-Token", "type": "header:X-Gitlab-Event", "dedupe": "header:X-Gitlab-Event-UUID"},
	"token":           {"signature_header": "Authorization", "prefix": "Bearer "},
	"api_key":         {"signature_header": "X-API-Key"},
	"basic":           {"signature_header": "Authorization", "prefix": "Basic "},
	"custom":          {},
}

// hmacDefaults complete the presets.
var hmacDefaults = map[string]string{"algorithm": "sha256", "encoding": "hex", "timestamp_unit": "s", "base": "{body}", "key": "raw"}

// hmacSettings have no meaning where the proof is no configurable HMAC.
var hmacSettings = []string{"signature_header", "algorithm", "encoding", "prefix", "separator", "timestamp", "timestamp_unit", "base", "key"}

var hashes = map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New, "sha1": sha1.New, "md5": md5.New}

// proofOf gives the kind of proof of a profile.
func proofOf(profile string) string {
	switch profile {
	case "", "standard", "svix":
		return proofStandard
	case "gitlab", "token", "api_key":
		return proofToken
	case "basic":
		return proofBasic
	}
	return proofHMAC
}

// parseShape reads the settings of the receiving side; every mistake is listed.
func parseShape(c connectors.Config) (shape, []*connectors.SettingError) {
	p := &parser{settings: c.Settings, preset: presets[c.Settings["profile"]]}
	s := shape{proof: proofOf(c.Settings["profile"])}
	s.tolerance = p.tolerance()
	s.id = p.place("dedupe")
	s.kind = p.place("type")
	s.time = p.place("time")
	s.split = p.value("split")
	s.networks = p.networks("allowed_addresses")
	s.methods = strings.Fields(strings.ToUpper(p.value("methods")))
	if len(s.methods) == 0 {
		s.methods = []string{http.MethodPost, http.MethodPut}
	}
	s.challenge = p.value("challenge") == "echo"
	for _, name := range strings.Fields(p.value("keep_headers")) {
		s.keep = append(s.keep, http.CanonicalHeaderKey(name))
	}
	secrets, field := c.Secrets["source_secret"], "source_secret"
	if len(secrets) == 0 {
		secrets, field = c.Secrets["signing_secret"], "signing_secret"
	}
	switch s.proof {
	case proofStandard:
		p.refuse(hmacSettings, "standard")
		for _, t := range secrets {
			key, err := parseStandardKey(t)
			if err != nil {
				p.wrong(field, "%s", err.Error())
				continue
			}
			s.keys = append(s.keys, key)
		}
	case proofHMAC:
		p.hmac(&s)
		for _, t := range secrets {
			key, err := keyBytes(p.value("key"), t.Reveal())
			if err != nil {
				p.wrong(field, "%s", err.Error())
				continue
			}
			s.hmacKeys = append(s.hmacKeys, newMACs(p.hash(), key))
		}
	default:
		p.refuse([]string{"algorithm", "encoding", "separator", "timestamp", "timestamp_unit", "base", "key"}, s.proof)
		s.headers = p.headers()
		s.prefix = p.value("prefix")
		s.tokens = secrets
		for _, t := range secrets {
			if s.proof == proofBasic && !strings.Contains(t.Reveal(), ":") {
				p.wrong(field, "must be user:password for the profile basic")
			}
		}
	}
	return s, p.mistakes
}

// allowed reports whether the sender's address is one that may send. An address
// that is not known is not.
func (s *shape) allowed(sender netip.Addr) bool {
	return len(s.networks) == 0 || slices.ContainsFunc(s.networks, func(n netip.Prefix) bool { return n.Contains(sender) })
}

// keyBytes turns a secret's text into the key.
func keyBytes(form, text string) ([]byte, error) {
	var key []byte
	var err error
	switch form {
	case "base64":
		key, err = decodeBase64(text)
	case "hex":
		key, err = hex.DecodeString(text)
	case "whsec":
		key, err = decodeBase64(strings.TrimPrefix(text, "whsec_"))
	default:
		key = []byte(text)
	}
	if err != nil {
		return nil, fmt.Errorf("is not written in %s", form)
	}
	if len(key) == 0 {
		return nil, errors.New("is empty")
	}
	return key, nil
}
