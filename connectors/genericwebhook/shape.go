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
	"strconv"
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
	case "gitlab", "token":
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

// parser reads settings, falling back to the preset and the defaults.
type parser struct {
	settings, preset map[string]string
	mistakes         []*connectors.SettingError
}

func (p *parser) wrong(field, format string, args ...any) {
	p.mistakes = append(p.mistakes, &connectors.SettingError{Field: field, Detail: fmt.Sprintf(format, args...)})
}

// value of a setting. Two settings have a default in the form, which a preset
// must win over, since the form always sends it.
func (p *parser) value(name string) string {
	given, preset := p.settings[name], p.preset[name]
	if given == formDefault(name) && preset != "" {
		return preset
	}
	if given == "" {
		given = hmacDefaults[name]
		if preset != "" {
			given = preset
		}
	}
	return given
}

func formDefault(name string) string {
	switch name {
	case "type":
		return "path:type"
	case "time":
		return "path:timestamp"
	}
	return ""
}

// refuse names settings that the profile does not use.
func (p *parser) refuse(names []string, profile string) {
	for _, n := range names {
		if p.settings[n] != "" {
			p.wrong(n, "has no effect with the profile %s; choose custom or leave it out", profile)
		}
	}
}

func (p *parser) tolerance() time.Duration {
	text := p.value("tolerance")
	if text == "" {
		return standardTolerance
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 86400 {
		p.wrong("tolerance", "is %q, want seconds from 1 to 86400", text)
		return standardTolerance
	}
	return time.Duration(n) * time.Second
}

// place reads header:Name, param:name or path:a.b; a bare text is a path.
func (p *parser) place(name string) place {
	text := p.value(name)
	if text == "" {
		return place{}
	}
	where, what, ok := strings.Cut(text, ":")
	if !ok {
		where, what = "path", text
	}
	switch {
	case what == "":
	case where == "header":
		return place{header: http.CanonicalHeaderKey(what)}
	case where == "param" && name == "timestamp":
		return place{param: what + "="}
	case where == "path" && name != "timestamp" && !strings.Contains("."+what+".", ".."):
		return place{path: strings.Split(what, ".")}
	}
	allowed := "header:Name or path:a.b"
	if name == "timestamp" {
		allowed = "header:Name or param:name"
	}
	p.wrong(name, "is %q, want %s", text, allowed)
	return place{}
}

func (p *parser) headers() []string {
	var names []string
	for _, n := range strings.Fields(p.value("signature_header")) {
		names = append(names, http.CanonicalHeaderKey(n))
	}
	if len(names) == 0 {
		p.wrong("signature_header", "is required with this profile")
	}
	return names
}

func (p *parser) hash() func() hash.Hash {
	if h := hashes[p.value("algorithm")]; h != nil {
		return h
	}
	return sha256.New // the form's choices have refused the value already
}

func (p *parser) hmac(s *shape) {
	s.headers = p.headers()
	s.encoding, s.prefix, s.stampUnit = p.value("encoding"), p.value("prefix"), p.value("timestamp_unit")
	s.separator = p.value("separator")
	if s.separator == "space" {
		s.separator = " "
	}
	s.stamp = p.place("timestamp")
	if s.stamp.param != "" && s.separator == "" {
		p.wrong("separator", "is required when the timestamp is a part of the signature header")
	}
	s.base = p.template(s)
}

// template reads the signed text.
func (p *parser) template(s *shape) []basePart {
	var parts []basePart
	body, stamp := false, false
	for rest := p.value("base"); rest != ""; {
		literal, after, open := strings.Cut(rest, "{")
		if literal != "" {
			parts = append(parts, basePart{literal: literal})
		}
		if !open {
			break
		}
		name, after, closed := strings.Cut(after, "}")
		switch {
		case !closed || !strings.Contains(" body timestamp id url method ", " "+name+" "):
			p.wrong("base", "holds {%s, want {body}, {timestamp}, {id}, {url} or {method}", name)
			return nil
		case name == "timestamp" && s.stamp.none():
			p.wrong("timestamp", "is required when the signed text holds {timestamp}")
		case name == "id" && s.id.header == "":
			p.wrong("dedupe", "must be a header when the signed text holds {id}")
		}
		body, stamp = body || name == "body", stamp || name == "timestamp"
		parts = append(parts, basePart{name: name})
		rest = after
	}
	if !body {
		p.wrong("base", "does not hold {body}, so anybody could change it")
	}
	if !s.stamp.none() && !stamp {
		p.wrong("base", "does not hold {timestamp}, so anybody could change it; leave the timestamp out")
	}
	return parts
}
