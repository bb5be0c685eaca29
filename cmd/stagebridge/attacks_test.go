package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw sends bytes over a socket of its own, ends its side, and gives all that
// comes back.
func raw(t *testing.T, address, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	// A server that is to keep the connection learns that no more will come. One
	// that is to close it is not told: a client that went away gets other answers.
	if !strings.Contains(request, "Connection: close") {
		if err := c.(*net.TCPConn).CloseWrite(); err != nil && !errors.Is(err, net.ErrClosed) {
			return ""
		}
	}
	answer, err := io.ReadAll(c)
	if err != nil && len(answer) == 0 {
		return "" // broken off, which is an answer too
	}
	return string(answer)
}

// statuses lists the status lines of answers.
func statuses(answer string) []string {
	var all []string
	for _, line := range strings.Split(answer, "\r\n") {
		if strings.HasPrefix(line, "HTTP/1.") && len(line) > 12 {
			all = append(all, line[9:12])
		}
	}
	return all
}

// TestHeaderSmuggling sends what two parsers read in two ways. None of it is
// read as a request and a second one hidden behind it.
func TestHeaderSmuggling(t *testing.T) {
	t.Parallel()
	s := serve(t, settings(t, nil))
	address := s.env[prefix+"ADDR"]
	hidden := "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, head := range map[string]string{
		"two lengths":               fmt.Sprintf("Content-Length: 0\r\nContent-Length: %d\r\n", len(hidden)),
		"a list of lengths":         fmt.Sprintf("Content-Length: 0, %d\r\n", len(hidden)),
		"a length with a sign":      fmt.Sprintf("Content-Length: +%d\r\n", len(hidden)),
		"a negative length":         "Content-Length: -1\r\n",
		"an unknown coding":         "Transfer-Encoding: xchunked\r\n",
		"two codings":               "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
		"a list of codings":         "Transfer-Encoding: gzip, chunked\r\n",
		"a blank before the colon":  "Transfer-Encoding : chunked\r\n",
		"a folded header":           "Transfer-Encoding:\r\n chunked\r\nContent-Length: 0\r\n X: y\r\n",
		"a bare line feed in a one": "X: y\nContent-Length : 3\r\n",
		"a NUL":                     "X: a\x00b\r\n",
		"no host twice":             "Host: y\r\n",
	} {
		got := statuses(raw(t, address, "POST /login HTTP/1.1\r\nHost: x\r\n"+head+"\r\n"+hidden))
		if len(got) > 0 && (got[0][0] != '4' && got[0] != "501" || len(got) > 1) {
			t.Errorf("%s: answered with %v", name, got)
		}
	}
	// A length beside chunks: the chunks count, and what is behind the last of
	// them is no body.
	both := raw(t, address, "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"+"5\r\nname=\r\n0\r\n\r\n")
	if got := statuses(both); len(got) != 1 || got[0][0] != '4' {
		t.Errorf("a length beside chunks: %v", got)
	}
}

// TestPathTricks: no spelling of an address gets around the login.
func TestPathTricks(t *testing.T) {
	t.Parallel()
	s := serve(t, settings(t, nil))
	for _, path := range []string{
		"/hooks/../api/v1/users", "/hooks/x/../../api/v1/users", "/hooks/%2e%2e/api/v1/users", "/hooks/..%2fapi/v1/users", "/hooks/x/..;/api/v1/users", "//api/v1/users", "/./api/v1/users",
		"/api/v1/./users", "/api//v1/users", "/API/V1/users", "/api/v1/users/", "/api/v1/users%00", "/api/v1/users;x=y", "/api/v1%2fusers", "/assets/../api/v1/users", "/assets/..%2f..%2fsecret.key",
		"/assets/%2e%2e/%2e%2e/secret.key", "/jobs/../people", "/login/../people", "/login/..%2fpeople", "/healthz/../people", "/people/.", "/%70eople", "/people%20", "http://" + s.env[prefix+"ADDR"] + "/people",
		"/jobs/static/..%2f..%2fetc/passwd", "/..\\people",
	} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			got := statuses(raw(t, s.env[prefix+"ADDR"], method+" "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
			if len(got) != 1 || got[0][0] == '2' || got[0][0] == '5' {
				t.Errorf("%s %s: %v", method, path, got)
			}
		}
	}
}

// TestForgedHost: whatever name a request is sent to, no answer leads there.
func TestForgedHost(t *testing.T) {
	t.Parallel()
	s := serve(t, settings(t, nil))
	for _, path := range []string{"/", "/login", "/people", "/login?next=//evil.example.com", "/login?next=https://evil.example.com", "/hooks/none", "/api/v1/users", "/nowhere", "/jobs", "/connections/"} {
		for _, head := range []string{"Host: evil.example.com\r\n", "Host: x\r\nX-Forwarded-Host: evil.example.com\r\nX-Forwarded-Proto: ftp\r\nForwarded: host=evil.example.com\r\nX-Original-URL: /people\r\n"} {
			answer := raw(t, s.env[prefix+"ADDR"], "GET "+path+" HTTP/1.1\r\n"+head+"Accept: text/html\r\nConnection: close\r\n\r\n")
			for _, line := range strings.Split(answer, "\r\n") {
				if strings.HasPrefix(strings.ToLower(line), "location:") && strings.Contains(line, "evil") && !strings.HasPrefix(line, "Location: /") || strings.Contains(line, `href="//evil`) || strings.Contains(line, `href="https://evil`) || strings.Contains(line, `action="https://evil`) {
					t.Errorf("%s leads to %q", path, line)
				}
			}
		}
	}
}

// TestPrivatePagesAreGuarded: pages are not framed, sniffed, kept by caches or
// let run what others wrote.
func TestPrivatePagesAreGuarded(t *testing.T) {
	t.Parallel()
	s := serve(t, settings(t, map[string]string{prefix + "PUBLIC_URL": "https://bridge.example.com"}))
	for _, path := range []string{"/login", "/people", "/nowhere", "/api/v1/profiles"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+testToken)
		r.Header.Set("Accept", "text/html")
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		for name, want := range map[string]string{"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Security-Policy": "frame-ancestors 'none'",
			"Strict-Transport-Security": "max-age", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"} {
			if !strings.Contains(res.Header.Get(name), want) {
				t.Errorf("%s: %s is %q", path, name, res.Header.Get(name))
			}
		}
		if policy := res.Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}

// TestBodyBombs: documents that grow when they are read end in an error.
func TestBodyBombs(t *testing.T) {
	t.Parallel()
	s := serve(t, settings(t, nil))
	aliases := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		aliases += fmt.Sprintf("%c: &%[1]c [*%[2]c,*%[2]c,*%[2]c,*%[2]c,*%[2]c,*%[2]c,*%[2]c,*%[2]c,*%[2]c]\n", c, c-1)
	}
	deep := strings.Repeat("[", 900_000)
	for name, c := range map[string]struct{ method, path, kind, body string }{
		"YAML aliases":        {"PUT", "plan", "application/yaml", aliases},
		"deep YAML":           {"PUT", "plan", "application/yaml", deep},
		"deep JSON":           {"POST", "connections", "application/json", deep},
		"deep JSON in a text": {"POST", "connections", "application/json", `{"settings":` + strings.Repeat(`{"a":`, 200_000)},
		"too long":            {"POST", "connections", "application/json", `{"id":"` + strings.Repeat("x", 3<<20) + `"}`},
		"a bomb of a plan":    {"PUT", "plan", "application/yaml", "name: x\nstages:\n  - { name: A }\n  - name: B\n    when: 'repeat(repeat(\"a\", 900000), 900000) == \"\"'\n"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, s.url+"/api/v1/"+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+testToken)
		r.Header.Set("Content-Type", c.kind)
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			if name != "too long" {
				t.Errorf("%s: %v", name, err)
			}
			continue // the server may hang up on whom it has refused
		}
		res.Body.Close()
		if res.StatusCode/100 != 4 {
			t.Errorf("%s: %s", name, res.Status)
		}
	}
}

// TestSlowSendersAreCutOff: who never finishes a request is hung up on. The
// times of the real server are shortened, so that the test need not wait.
func TestSlowSendersAreCutOff(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	server := boundedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusRequestTimeout)
		}
	}), log)
	if server.ReadHeaderTimeout <= 0 || server.ReadHeaderTimeout > 30*time.Second || server.ReadTimeout <= 0 || server.ReadTimeout > 2*time.Minute || server.IdleTimeout <= 0 || server.MaxHeaderBytes <= 0 || server.MaxHeaderBytes > 1<<20 {
		t.Errorf("bounds %v %v %v %d", server.ReadHeaderTimeout, server.ReadTimeout, server.IdleTimeout, server.MaxHeaderBytes)
	}
	server.ReadHeaderTimeout, server.ReadTimeout, server.IdleTimeout = 100*time.Millisecond, 200*time.Millisecond, 100*time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	for name, begun := range map[string]string{
		"nothing": "", "half a line": "GET / HT", "headers without an end": "GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n",
		"half a body": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc", "half a chunk": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
	} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, begun); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, bufio.NewReader(c)); errors.Is(err, net.ErrClosed) || isTimeout(err) {
			t.Errorf("%s: the connection stays open: %v", name, err)
		}
		_ = c.Close()
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
