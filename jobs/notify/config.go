// Package notify tells people that something needs them: by mail, in a chat
// that takes Slack's webhooks, or by a webhook of any other system.
package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Kinds of channels.
const (
	Email   = "email"
	Slack   = "slack"
	Webhook = "webhook"
)

// Bounds of a configuration.
const (
	maxChannels = 20
	maxTo       = 20
)

// Channel is one way to tell somebody.
type Channel struct {
	// Name is for people, and in metrics.
	Name string `json:"name"`
	// Kind is email, slack or webhook.
	Kind string `json:"kind"`
	// Off channels are told nothing.
	Off bool `json:"off,omitempty"`
	// Kinds of notices that it is told; empty: all.
	Kinds []string `json:"kinds,omitempty"`

	// SMTP is the mail server, host:port. TLS is starttls (the default) or tls,
	// which begins encrypted; there is no third.
	SMTP     string   `json:"smtp,omitempty"`
	TLS      string   `json:"tls,omitempty"`
	From     string   `json:"from,omitempty"`
	To       []string `json:"to,omitempty"`
	Username string   `json:"username,omitempty"`

	// Password at the mail server, URL of a webhook, whose text lets anybody
	// write there, and the Secret that signs what is sent to it.
	Password secret.Text `json:"-"`
	URL      secret.Text `json:"-"`
	Secret   secret.Text `json:"-"`
}

// Config is everything about notifications.
type Config struct {
	Channels []Channel `json:"channels"`
}

// sealed is a channel with its secrets, as it is encrypted.
type sealed struct {
	Channel
	Password string `json:"password,omitempty"`
	URL      string `json:"url,omitempty"`
	Secret   string `json:"secret,omitempty"`
}

// Encode gives the configuration with its secrets in plain: to be sealed at once.
func (c Config) Encode() ([]byte, error) {
	all := make([]sealed, len(c.Channels))
	for i, ch := range c.Channels {
		all[i] = sealed{ch, ch.Password.Reveal(), ch.URL.Reveal(), ch.Secret.Reveal()}
	}
	b, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("notify: encode: %w", err)
	}
	return b, nil
}

// Decode reads what Encode wrote.
func Decode(b []byte) (Config, error) {
	var all []sealed
	if err := json.Unmarshal(b, &all); err != nil {
		return Config{}, errors.New("notify: decode: the stored configuration cannot be read") // its text may hold secrets
	}
	var c Config
	for _, s := range all {
		s.Channel.Password, s.Channel.URL, s.Channel.Secret = secret.New(s.Password), secret.New(s.URL), secret.New(s.Secret)
		c.Channels = append(c.Channels, s.Channel)
	}
	return c, nil
}

var channelName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// Check gives every mistake as a *connectors.SettingError, joined; kinds are the notices there are.
func (c Config) Check(kinds []string) error {
	var errs []error
	if len(c.Channels) > maxChannels {
		errs = append(errs, &connectors.SettingError{Field: "channels", Detail: fmt.Sprintf("are %d, at most %d", len(c.Channels), maxChannels)})
	}
	names := map[string]bool{}
	for i, ch := range c.Channels {
		wrong := func(field, format string, args ...any) {
			errs = append(errs, &connectors.SettingError{Field: fmt.Sprintf("channels[%d].%s", i, field), Detail: fmt.Sprintf(format, args...)})
		}
		if !channelName.MatchString(ch.Name) || names[ch.Name] {
			wrong("name", "is %q, want small letters, digits and hyphens, and each name once", ch.Name)
		}
		names[ch.Name] = true
		for _, k := range ch.Kinds {
			if !slices.Contains(kinds, k) {
				wrong("kinds", "has %q, want %s", k, strings.Join(kinds, ", "))
			}
		}
		switch ch.Kind {
		case Email:
			ch.checkMail(wrong)
		case Slack, Webhook:
			if u, err := url.Parse(ch.URL.Reveal()); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
				wrong("url", "is not an address that begins with https://")
			}
		default:
			wrong("kind", "is %q, want %s, %s or %s", ch.Kind, Email, Slack, Webhook)
		}
	}
	return errors.Join(errs...)
}

func (ch *Channel) checkMail(wrong func(field, format string, args ...any)) {
	if host, port, err := net.SplitHostPort(ch.SMTP); err != nil || host == "" || port == "" {
		wrong("smtp", "is %q, want host:port, such as smtp.example.com:587", ch.SMTP)
	}
	if !slices.Contains([]string{"", "starttls", "tls"}, ch.TLS) {
		wrong("tls", "is %q, want starttls or tls", ch.TLS)
	}
	if _, err := mail.ParseAddress(ch.From); err != nil {
		wrong("from", "is %q, want an address", ch.From)
	}
	if len(ch.To) == 0 || len(ch.To) > maxTo {
		wrong("to", "has %d addresses, want 1 to %d", len(ch.To), maxTo)
	}
	for _, to := range ch.To {
		if _, err := mail.ParseAddress(to); err != nil {
			wrong("to", "has %q, want an address", to)
		}
	}
}

// Wants tells whether a channel is to hear of a kind of notice.
func (ch *Channel) Wants(kind string) bool {
	return !ch.Off && (len(ch.Kinds) == 0 || slices.Contains(ch.Kinds, kind))
}

// Target is whom the channel's secrets are for. Where that changes, they are
// not carried over.
func (ch *Channel) Target() string {
	if ch.Kind == Email {
		return ch.Kind + " " + strings.ToLower(ch.SMTP) + " " + ch.Username
	}
	u, err := url.Parse(ch.URL.Reveal())
	if err != nil {
		return ch.Kind
	}
	return ch.Kind + " " + strings.ToLower(u.Host)
}
