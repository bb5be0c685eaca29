package web_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

const (
	serverKey  = "server0123456789server"
	browserKey = "browser0123456789browser"
)

// track sends to a root path as a client library does.
func (d *door) track(method, path, key, body string, header ...string) *http.Response {
	d.Helper()
	r, err := http.NewRequestWithContext(d.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	if key != "" {
		r.SetBasicAuth(key, "")
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		d.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(text))
	return res
}

func (d *door) connectSegment() {
	d.Helper()
	if _, err := d.admin.Create(d.Context(), jobs.ConnectionInput{ID: "site", Connector: "segment", Secrets: map[string]secret.Text{
		"server_key": secret.New(serverKey), "browser_key": secret.New(browserKey),
	}}); err != nil {
		d.Fatal(err)
	}
}

// TestClientLibrariesAtTheRoot sends what a library sends that knows a host and
// a key: the key finds the connection.
func TestClientLibrariesAtTheRoot(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := newDoor(t, s, nil)
		if res := d.track("POST", "/v1/track", serverKey, `{}`); res.StatusCode != http.StatusNotFound {
			t.Errorf("without a connection: %s", res.Status)
		}
		d.connectSegment()
		const call = `{"type":"track","event":"Order Completed","userId":"u1","messageId":"m1","properties":{"order_id":"o1","total":5,"currency":"EUR"}}`
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write([]byte(`{"batch":[` + strings.Replace(call, "m1", "m2", 1) + `]}`))
		_ = z.Close()
		for _, tt := range []struct {
			name string
			res  *http.Response
			want int
		}{
			{"track", d.track("POST", "/v1/track", serverKey, call), http.StatusOK},
			{"again", d.track("POST", "/v1/track", serverKey, call), http.StatusOK},
			{"a packed batch", d.track("POST", "/v1/batch", serverKey, packed.String(), "Content-Encoding", "gzip"), http.StatusOK},
			{"an unknown key", d.track("POST", "/v1/track", "nobody0123456789nobody", call), http.StatusUnauthorized},
			{"no key", d.track("POST", "/v1/track", "", call), http.StatusUnauthorized},
		} {
			if tt.res.Header.Get("Access-Control-Allow-Origin") == "" {
				t.Errorf("%s: a page could not read the answer", tt.name)
			}
			if tt.res.StatusCode != tt.want {
				t.Errorf("%s: %s, want %d", tt.name, tt.res.Status, tt.want)
			}
		}
		asked := d.track("OPTIONS", "/v1/t", "", "", "Origin", "https://shop.example.com", "Access-Control-Request-Method", "POST")
		if asked.StatusCode/100 != 2 || asked.Header.Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("a browser's question: %s, %v", asked.Status, asked.Header)
		}
		inbox, err := s.InboxStats(t.Context())
		if err != nil || inbox["site"] == nil || inbox["site"].Pending != 2 {
			t.Errorf("kept %+v, %v; want two events", inbox["site"], err)
		}
	})
}

// TestPublicKeyJoinsNobody: what a browser's key tells cannot make two known
// people one; a server's can.
func TestPublicKeyJoinsNobody(t *testing.T) {
	t.Parallel()
	const both = `{"type":"identify","userId":"u1","messageId":"join","traits":{"email":"bo@example.com"}}`
	for key, people := range map[string]int{browserKey: 2, serverKey: 1} {
		t.Run(key[:6], func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				d := newDoor(t, s, nil)
				d.connectSegment()
				for _, call := range []string{
					`{"type":"track","event":"Signed Up","userId":"u1","messageId":"a"}`,
					`{"type":"identify","userId":"","anonymousId":"dev","messageId":"b","traits":{"email":"bo@example.com"}}`,
				} {
					if res := d.track("POST", "/v1/batch", serverKey, `{"batch":[`+call+`]}`); res.StatusCode != http.StatusOK {
						t.Fatal(res.Status)
					}
				}
				if res := d.track("POST", "/v1/identify", key, both); res.StatusCode != http.StatusOK {
					t.Fatal(res.Status)
				}
				for range 5 {
					if err := d.processor.Run(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				found := 0
				if err := s.EachPerson(t.Context(), func(*store.Person) error { found++; return nil }); err != nil {
					t.Fatal(err)
				}
				if found != people {
					t.Errorf("%d people, want %d", found, people)
				}
			})
		})
	}
}
