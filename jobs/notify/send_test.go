package notify_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs/notify"
	"github.com/stagebridge/stagebridge/secret"
)

const password = "hush-hush-hush"

// mailServer is a small SMTP server for one conversation.
type mailServer struct {
	t        *testing.T
	addr     string
	secure   *tls.Config
	at       string // "starttls", "tls" or "plain"
	roots    *x509.CertPool
	got      chan string // what was sent with DATA
	loggedIn chan string
}

func newMailServer(t *testing.T, at string) *mailServer {
	t.Helper()
	// httptest has a certificate for 127.0.0.1.
	h := httptest.NewUnstartedServer(nil)
	h.StartTLS()
	cert, leaf := h.TLS.Certificates[0], h.Certificate()
	h.Close()
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := &mailServer{t: t, addr: l.Addr().String(), at: at, roots: roots, secure: &tls.Config{Certificates: []tls.Certificate{cert}},
		got: make(chan string, 1), loggedIn: make(chan string, 1)}
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if at == "tls" {
			conn = tls.Server(conn, s.secure)
		}
		s.talk(conn)
	}()
	return s
}

func (s *mailServer) talk(conn net.Conn) {
	r := bufio.NewReader(conn)
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 mail.example.com")
	_, encrypted := conn.(*tls.Conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		switch verb, rest, _ := strings.Cut(line, " "); strings.ToUpper(verb) {
		case "EHLO":
			switch {
			case encrypted:
				say("250-mail.example.com\r\n250 AUTH PLAIN")
			case s.at == "starttls":
				say("250-mail.example.com\r\n250 STARTTLS")
			default:
				say("250 mail.example.com")
			}
		case "STARTTLS":
			say("220 go on")
			conn = tls.Server(conn, s.secure)
			r, encrypted = bufio.NewReader(conn), true
		case "AUTH":
			_, token, _ := strings.Cut(rest, " ")
			raw, _ := base64.StdEncoding.DecodeString(token)
			if _, given, _ := strings.Cut(strings.TrimPrefix(string(raw), "\x00"), "\x00"); given != password {
				say("535 " + given + " is wrong")
				continue
			}
			s.loggedIn <- string(raw)
			say("235 welcome")
		case "DATA":
			say("354 go on")
			var all strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil || line == ".\r\n" {
					break
				}
				all.WriteString(line)
			}
			s.got <- all.String()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

func sender(roots *x509.CertPool) *notify.Sender {
	return &notify.Sender{HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true}), Roots: roots,
		Now: func() time.Time { return time.Unix(1_700_000_000, 0) }}
}

func message() notify.Message {
	at := time.Unix(1_700_000_000, 0)
	return notify.Message{ID: "m1", Connection: "crm", Kind: "drifting", Subject: "a rule\r\nBcc: eve@example.com", Since: at, At: at,
		Title: "what comes from crm\r\nBcc: eve@example.com has changed ü", Detail: "The rule <a|b> reads body.x."}
}

func TestMail(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"starttls", "tls"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s := newMailServer(t, at)
			ch := notify.Channel{Name: "mail", Kind: notify.Email, SMTP: s.addr, TLS: at, From: "Stagebridge <bridge@example.com>", To: []string{"ann@example.com"},
				Username: "u", Password: secret.New(password)}
			if err := sender(s.roots).Send(t.Context(), ch, message()); err != nil {
				t.Fatal(err)
			}
			if in := <-s.loggedIn; in != "\x00u\x00"+password {
				t.Errorf("logged in with %q", in)
			}
			m, err := mail.ReadMessage(strings.NewReader(<-s.got))
			if err != nil {
				t.Fatal(err)
			}
			if m.Header.Get("Bcc") != "" || m.Header.Get("To") != "ann@example.com" || !strings.Contains(m.Header.Get("Subject"), "=?utf-8?q?") {
				t.Errorf("header: %v", m.Header)
			}
			if body, err := io.ReadAll(m.Body); err != nil || !strings.Contains(string(body), "The rule <a|b> reads body.x.") {
				t.Errorf("body: %q, %v", body, err)
			}
		})
	}
}

// TestMailRefuses: nothing is said in plain text, to a server that is not who
// it says, or to one in a private network; and no error shows the password.
func TestMailRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, at, want string
		trusted        bool
		wrong          bool
		guarded        bool
	}{
		{name: "no encryption", at: "plain", trusted: true, want: "STARTTLS"},
		{name: "a certificate of nobody", at: "starttls", want: "TLS"},
		{name: "a wrong password", at: "starttls", trusted: true, wrong: true, want: "log in"},
		{name: "a private network", at: "starttls", trusted: true, guarded: true, want: "private or reserved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newMailServer(t, c.at)
			ch := notify.Channel{Name: "mail", Kind: notify.Email, SMTP: s.addr, From: "bridge@example.com", To: []string{"ann@example.com"}, Username: "u", Password: secret.New(password)}
			if c.wrong {
				ch.Password = secret.New("another-secret")
			}
			out := sender(nil)
			if c.trusted {
				out.Roots = s.roots
			} else {
				out.Roots = x509.NewCertPool()
			}
			if c.guarded {
				out.HTTP = connectors.NewClient(connectors.ClientOptions{})
			}
			err := out.Send(t.Context(), ch, message())
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "another-secret") {
				t.Errorf("error: %v", err)
			}
			select {
			case got := <-s.got:
				t.Errorf("sent all the same: %s", got)
			default:
			}
		})
	}
}

func TestHooks(t *testing.T) {
	t.Parallel()
	type request struct {
		body   string
		header http.Header
	}
	got := make(chan request, 2)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- request{string(body), r.Header}
		if strings.Contains(r.URL.Path, "gone") {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	send := func(ch notify.Channel) request {
		t.Helper()
		if err := sender(nil).Send(t.Context(), ch, message()); err != nil {
			t.Fatal(err)
		}
		return <-got
	}
	var chat struct{ Text string }
	if r := send(notify.Channel{Name: "chat", Kind: notify.Slack, URL: secret.New(s.URL + "/T0/B0/hush")}); json.Unmarshal([]byte(r.body), &chat) != nil ||
		!strings.Contains(chat.Text, "The rule &lt;a|b&gt; reads") {
		t.Errorf("chat: %s", r.body)
	}
	r := send(notify.Channel{Name: "hook", Kind: notify.Webhook, URL: secret.New(s.URL), Secret: secret.New("whsec_" + base64.StdEncoding.EncodeToString([]byte("key")))})
	if r.header.Get("Webhook-Id") != "m1" || r.header.Get("Webhook-Timestamp") != "1700000000" || !strings.HasPrefix(r.header.Get("Webhook-Signature"), "v1,") ||
		!strings.Contains(r.body, `"type":"notification.begun"`) {
		t.Errorf("webhook: %v %s", r.header, r.body)
	}
	err := sender(nil).Send(t.Context(), notify.Channel{Name: "chat", Kind: notify.Slack, URL: secret.New(s.URL + "/gone/hush")}, message())
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("a hook that is gone: %v", err)
	}
}
