package genericwebhook

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

const actPush = "generic-webhook: send"

// target is where moves go.
type target struct {
	url string
	// header is sent with every POST and never changed after Open.
	header http.Header
}

// own are the headers that the connection's settings may not name.
var own = []string{
	"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Content-Type", "Content-Length", "Content-Encoding",
	"Host", "Connection", "Transfer-Encoding", "Upgrade", "Te", "Trailer", "Keep-Alive", "Proxy-Connection", "Authorization",
}

// parseTarget reads the settings of the sending side; every mistake is listed.
func parseTarget(c connectors.Config) (target, []*connectors.SettingError) {
	var mistakes []*connectors.SettingError
	wrong := func(field, detail string) {
		mistakes = append(mistakes, &connectors.SettingError{Field: field, Detail: detail})
	}
	t := target{url: c.Settings["url"], header: http.Header{"Content-Type": {"application/json"}}}
	if t.url != "" {
		u, err := url.Parse(t.url)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			wrong("url", "is no address; it must look like https://example.com/lifecycle")
		case u.User != nil:
			wrong("url", "holds a user name; choose basic authentication instead")
		}
	}
	for line := range strings.Lines(c.Settings["headers"]) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = http.CanonicalHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok || !isToken(name) || !isHeaderText(value):
			wrong("headers", "holds a line that is not 'Name: value'")
		case slices.Contains(own, name):
			wrong("headers", "may not name "+name)
		default:
			t.header.Add(name, value)
		}
	}
	mistakes = append(mistakes, t.authenticate(c)...)
	return t, mistakes
}

// authenticate adds the receiver's credential.
func (t *target) authenticate(c connectors.Config) []*connectors.SettingError {
	kind, credential := c.Settings["auth"], c.Secret("auth_secret").Reveal()
	if kind == "" || kind == "none" {
		return nil
	}
	var mistakes []*connectors.SettingError
	if credential == "" || !isHeaderText(credential) && kind != "basic" {
		mistakes = append(mistakes, &connectors.SettingError{Field: "auth_secret", Detail: "is required for the authentication chosen, in one line of printable text"})
	}
	user, header := c.Settings["auth_username"], c.Settings["auth_header"]
	switch kind {
	case "bearer":
		t.header["Authorization"] = []string{"Bearer " + credential}
	case "basic":
		if user == "" || strings.Contains(user, ":") {
			mistakes = append(mistakes, &connectors.SettingError{Field: "auth_username", Detail: "is required for basic authentication, without a colon"})
		}
		t.header["Authorization"] = []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+credential))}
	case "api_key":
		if header == "" {
			header = "X-API-Key"
		}
		name := http.CanonicalHeaderKey(header)
		if !isToken(name) || slices.Contains(own, name) && name != "Authorization" {
			mistakes = append(mistakes, &connectors.SettingError{Field: "auth_header", Detail: "is no header that can carry a key"})
			break
		}
		t.header[name] = []string{credential}
	}
	return mistakes
}

// isToken reports whether a header name is one by RFC 9110.
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	})
}

// isHeaderText reports whether a header's value is printable ASCII.
func isHeaderText(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })
}

// post signs and sends one message. The id stays the same over all attempts;
// time and signature are this attempt's.
func (c *Connector) post(ctx context.Context, act, id string, body []byte) (*connectors.Answer, error) {
	stamp := strconv.FormatInt(c.config.Now().Unix(), 10)
	h := make(http.Header, len(c.target.header)+4)
	for name, values := range c.target.header {
		h[name] = values
	}
	h["Webhook-Id"] = []string{id}
	h["Webhook-Timestamp"] = []string{stamp}
	h["Webhook-Signature"] = []string{c.signature(id, stamp, body)}
	return c.config.HTTP.Do(ctx, connectors.Call{
		Act: act, Method: http.MethodPost, URL: c.target.url, Header: h, Body: body, Secrets: c.secrets, Discard: true,
	})
}

// signature lists one entry per live key, the current key's first.
func (c *Connector) signature(id, stamp string, body []byte) string {
	if len(c.signers) == 1 {
		return c.signers[0].sign(id, stamp, body)
	}
	entries := make([]string, len(c.signers))
	for i, k := range c.signers {
		entries[i] = k.sign(id, stamp, body)
	}
	return strings.Join(entries, " ")
}

// body writes the message.
func (p *post) body() ([]byte, error) {
	return json.Marshal(message{p.kind, isoTime(p.at), p.data})
}

// sameState compares what matters to a receiver; Absent only names segments
// that are not held, and when the stage began follows from the stage.
func sameState(a, b *connectors.State) bool {
	return a.Stage == b.Stage && slices.Equal(a.Segments, b.Segments) &&
		(len(a.Traits) == 0 && len(b.Traits) == 0 || reflect.DeepEqual(a.Traits, b.Traits))
}

// missing gives the names of a that are not in b.
func missing(a, b []string) []string {
	rest := []string{}
	for _, n := range a {
		if !slices.Contains(b, n) {
			rest = append(rest, n)
		}
	}
	return rest
}
