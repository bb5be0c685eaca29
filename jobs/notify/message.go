package notify

import (
	"bytes"
	"encoding/json"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// Message is what people are told. It never names a person.
type Message struct {
	// ID is the same for every try.
	ID string
	// Begun or ended.
	Ended                     bool
	Connection, Kind, Subject string
	Since                     time.Time
	At                        time.Time
	// Title is one line, Detail says what is known and what to do.
	Title, Detail string
	// Link leads to a page of this server; empty: there is none.
	Link string
}

// line takes out what would begin a new header or line.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

func (m *Message) text() string {
	var b strings.Builder
	b.WriteString(m.Title + "\n\n" + m.Detail + "\n\nSince " + m.Since.UTC().Format(time.RFC3339) + ".\n")
	if m.Link != "" {
		b.WriteString(m.Link + "\n")
	}
	return b.String()
}

// mail gives the message as RFC 5322 has it.
func (m *Message) mail(from string, to []string) ([]byte, error) {
	var b bytes.Buffer
	domain := "stagebridge"
	if a, err := mail.ParseAddress(from); err == nil {
		domain = a.Address[strings.LastIndexByte(a.Address, '@')+1:]
	}
	for _, h := range [][2]string{
		{"From", from}, {"To", strings.Join(to, ", ")}, {"Subject", mime.QEncoding.Encode("utf-8", "[Stagebridge] "+line(m.Title))},
		{"Date", m.At.Format(time.RFC1123Z)}, {"Message-ID", "<" + m.ID + "@" + domain + ">"}, {"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"}, {"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "quoted-printable"},
	} {
		b.WriteString(h[0] + ": " + line(h[1]) + "\r\n")
	}
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	if _, err := q.Write([]byte(strings.ReplaceAll(m.text(), "\n", "\r\n"))); err != nil {
		return nil, err
	}
	return b.Bytes(), q.Close()
}

// slack gives the message as incoming webhooks of Slack, Mattermost and others
// take it.
func (m *Message) slack() map[string]string {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	text := "*" + escape.Replace(line(m.Title)) + "*\n" + escape.Replace(m.Detail)
	if m.Link != "" {
		text += "\n" + m.Link
	}
	return map[string]string{"text": text}
}

// webhook gives the message as JSON, as the Standard Webhooks specification
// advises.
func (m *Message) webhook() ([]byte, error) {
	kind := "notification.begun"
	if m.Ended {
		kind = "notification.ended"
	}
	return json.Marshal(map[string]any{"type": kind, "timestamp": m.At.UTC().Format(time.RFC3339), "data": map[string]string{
		"id": m.ID, "connection": m.Connection, "kind": m.Kind, "subject": m.Subject, "since": m.Since.UTC().Format(time.RFC3339),
		"title": m.Title, "detail": m.Detail, "link": m.Link,
	}})
}
