package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/mail"
	"net/smtp"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// mailTimeout bounds one conversation with a mail server.
const mailTimeout = 30 * time.Second

// Sender sends messages. What it calls goes through the guard of the vendors'
// client, so it reaches no address that they may not.
type Sender struct {
	HTTP *connectors.Client
	// Roots, when set, are trusted in place of the system's: a test's own.
	Roots *x509.CertPool
	Now   func() time.Time
}

// Send tells one channel. No error shows a secret.
func (s *Sender) Send(ctx context.Context, ch Channel, m Message) error {
	var err error
	switch ch.Kind {
	case Email:
		err = s.mail(ctx, &ch, &m)
	case Slack:
		_, err = s.HTTP.Do(ctx, connectors.Call{Act: "notify: slack", Method: http.MethodPost, URL: ch.URL.Reveal(), JSON: m.slack(),
			Secrets: []secret.Text{ch.URL}, Discard: true})
	case Webhook:
		err = s.webhook(ctx, &ch, &m)
	default:
		err = errors.New("there is no such kind of channel")
	}
	if err != nil {
		return fmt.Errorf("notify: channel %s: %w", ch.Name, err)
	}
	return nil
}

func (s *Sender) webhook(ctx context.Context, ch *Channel, m *Message) error {
	body, err := m.webhook()
	if err != nil {
		return err
	}
	at := strconv.FormatInt(s.Now().Unix(), 10)
	h := http.Header{"Content-Type": {"application/json"}, "Webhook-Id": {m.ID}, "Webhook-Timestamp": {at}}
	if !ch.Secret.Empty() {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(ch.Secret.Reveal(), "whsec_"))
		if err != nil {
			key = []byte(ch.Secret.Reveal())
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(m.ID + "." + at + "."))
		mac.Write(body)
		h["Webhook-Signature"] = []string{"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}
	}
	_, err = s.HTTP.Do(ctx, connectors.Call{Act: "notify: webhook", Method: http.MethodPost, URL: ch.URL.Reveal(), Header: h, Body: body,
		Secrets: []secret.Text{ch.URL, ch.Secret}, Discard: true})
	return err
}

// mail speaks SMTP, encrypted always: a server that does not offer STARTTLS is
// told nothing.
func (s *Sender) mail(ctx context.Context, ch *Channel, m *Message) (err error) {
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	host, _, err := net.SplitHostPort(ch.SMTP)
	if err != nil {
		return errors.New("the mail server is not host:port")
	}
	conn, err := s.HTTP.Dial(ctx, ch.SMTP)
	if err != nil {
		return fmt.Errorf("connect to the mail server: %w", err)
	}
	defer conn.Close() // whatever is said last
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	secure := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: s.Roots}
	if ch.TLS == "tls" {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return fmt.Errorf("greet the mail server: %w", err)
	}
	if ch.TLS != "tls" {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return errors.New("the mail server does not offer STARTTLS; set tls: tls, or use another")
		}
		if err := c.StartTLS(secure); err != nil {
			return fmt.Errorf("begin TLS: %w", err)
		}
	}
	return converse(c, host, ch, m)
}

func converse(c *smtp.Client, host string, ch *Channel, m *Message) error {
	if ch.Username != "" {
		if err := c.Auth(smtp.PlainAuth("", ch.Username, ch.Password.Reveal(), host)); err != nil {
			return fmt.Errorf("log in at the mail server: %w", redacted(err, ch.Password))
		}
	}
	from, err := mail.ParseAddress(ch.From)
	if err != nil {
		return errors.New("the sender is not an address")
	}
	if err := c.Mail(from.Address); err != nil {
		return fmt.Errorf("name the sender: %w", err)
	}
	for _, to := range ch.To {
		a, err := mail.ParseAddress(to)
		if err != nil {
			return errors.New("a recipient is not an address")
		}
		if err := c.Rcpt(a.Address); err != nil {
			return fmt.Errorf("name a recipient: %w", err)
		}
	}
	body, err := m.mail(ch.From, ch.To)
	if err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	_ = c.Quit() // it has taken the message
	return nil
}

// redacted cuts a secret out of a server's words.
func redacted(err error, s secret.Text) error {
	return errors.New(connectors.Words(err.Error(), s))
}
