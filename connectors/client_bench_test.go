package connectors

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkDo is one signed-size POST to a local server that answers 204, with
// many in flight, beside the same through net/http's own client.
func BenchmarkDo(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 500)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer s.Close()
	header := http.Header{"Content-Type": {"application/json"}}
	b.Run("client", func(b *testing.B) {
		c := openClient(ClientOptions{})
		b.ReportAllocs()
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := c.Do(b.Context(), Call{Act: "bench: post", Method: "POST", URL: s.URL, Header: header, Body: body}); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("net/http", func(b *testing.B) {
		c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}, Timeout: defaultTimeout}
		b.ReportAllocs()
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				res, err := c.Post(s.URL, "application/json", bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					continue
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	})
}
