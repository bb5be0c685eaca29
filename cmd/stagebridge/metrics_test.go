package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestMetricsAddress serves the metrics, and only them, at an address of their own.
func TestMetricsAddress(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s := serve(t, settings(t, map[string]string{prefix + "METRICS_ADDR": addr}))
	for url, want := range map[string]int{
		"http://" + addr + "/metrics": http.StatusOK, "http://" + addr + "/": http.StatusNotFound, s.url + "/metrics": http.StatusNotFound,
	} {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != want || want == http.StatusOK && !strings.Contains(string(body), "stagebridge_") {
			t.Errorf("%s: status %d, want %d, error %v\n%.300s", url, res.StatusCode, want, err, body)
		}
	}
}
