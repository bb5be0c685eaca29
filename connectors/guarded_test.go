package connectors

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/secret"
)

// counting is a server that counts the connections it gets.
type counting struct {
	address string
	n       atomic.Int64
}

func serveCounting(t *testing.T) *counting {
	t.Helper()
	c := &counting{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			c.n.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c.address = s.Listener.Addr().String()
	return c
}

// TestCertificatesAreVerified: a server whose certificate nobody vouches for
// gets nothing, whatever networks are allowed.
func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	c := openClient(ClientOptions{})
	if _, err := c.Do(t.Context(), Call{Act: "test: call", URL: s.URL, Header: http.Header{"Authorization": {"Bearer s3cret-token"}}}); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("Do: %v", err)
	}
	if res, err := c.HTTP().Get(s.URL); err == nil {
		res.Body.Close()
		t.Error("HTTP: no error")
	}
}

// TestRedirects: no hop is followed, to wherever it leads, and credentials stay
// where they were sent.
func TestRedirects(t *testing.T) {
	t.Parallel()
	home := serveCounting(t)
	for _, to := range []string{"http://" + home.address + "/", "https://" + home.address + "/", "//" + home.address, "http://169.254.169.254/latest", "file:///etc/passwd", "gopher://" + home.address} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			asked := 0
			first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked++
				w.Header().Set("Location", to)
				w.WriteHeader(status)
			}))
			c := openClient(ClientOptions{})
			_, err := c.Do(t.Context(), Call{Act: "test: call", URL: first.URL, Body: []byte("{}"), Secrets: []secret.Text{secret.New("s3cret-token")},
				Header: http.Header{"Authorization": {"Bearer s3cret-token"}}})
			if e := pushError(t, err); e.Reason != ReasonRedirect || strings.Contains(e.Error(), "s3cret") {
				t.Errorf("%d to %s: %+v", status, to, e)
			}
			res, err := c.HTTP().Get(first.URL)
			if err != nil || res.StatusCode != status {
				t.Errorf("HTTP, %d to %s: %v", status, to, err)
			}
			if err == nil {
				res.Body.Close()
			}
			first.Close()
			if asked != 2 {
				t.Errorf("%d to %s: asked %d times", status, to, asked)
			}
		}
	}
	if home.n.Load() != 0 {
		t.Errorf("%d connections arrived where redirects lead", home.n.Load())
	}
}

// TestProxiesOfTheEnvironmentGetNothing runs alone, since the environment is
// that of the whole process.
func TestProxiesOfTheEnvironmentGetNothing(t *testing.T) {
	proxy, home := serveCounting(t), serveCounting(t)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, "http://"+proxy.address)
	}
	t.Setenv("NO_PROXY", "")
	c := openClient(ClientOptions{})
	if _, err := c.Do(t.Context(), Call{Act: "test: call", URL: "http://" + home.address}); err != nil {
		t.Error(err)
	}
	res, err := c.HTTP().Get("http://" + home.address)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if proxy.n.Load() != 0 || home.n.Load() == 0 {
		t.Errorf("%d connections through the proxy, %d straight", proxy.n.Load(), home.n.Load())
	}
}

// TestGuardedHTTP: the client for libraries refuses what Do refuses.
func TestGuardedHTTP(t *testing.T) {
	t.Parallel()
	home := serveCounting(t)
	for _, address := range []string{"http://" + home.address, "https://" + home.address, "https://169.254.169.254/", "https://[::ffff:127.0.0.1]/", "file:///etc/passwd", "http://example.com"} {
		res, err := NewClient(ClientOptions{}).HTTP().Get(address)
		if err == nil {
			res.Body.Close()
			t.Errorf("%s was called", address)
		}
	}
	if home.n.Load() != 0 {
		t.Errorf("%d connections arrived", home.n.Load())
	}
}

// TestEndlessAnswers: neither a long answer nor one that unpacks to a long one
// is read further than it may be.
func TestEndlessAnswers(t *testing.T) {
	t.Parallel()
	const most = 64 << 10
	zeros := make([]byte, 1<<20)
	for name, write := range map[string]func(http.ResponseWriter){
		"long": func(w http.ResponseWriter) {
			for range 64 {
				if _, err := w.Write(zeros); err != nil {
					return // the client hung up
				}
			}
		},
		"packed": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 64 {
				if _, err := z.Write(zeros); err != nil {
					return
				}
			}
			_ = z.Close()
		},
	} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) { write(w) })
		c := openClient(ClientOptions{MaxAnswer: most, Timeout: 20 * time.Second})
		a, err := c.Do(t.Context(), Call{Act: "test: call", URL: url})
		if e := pushError(t, err); e.Reason != ReasonBadAnswer || len(a.Body) != most {
			t.Errorf("%s: %+v, %d bytes", name, e, len(a.Body))
		}
		res, err := c.HTTP().Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err == nil || len(body) > most {
			t.Errorf("%s through HTTP: %d bytes, %v", name, len(body), err)
		}
	}
}
