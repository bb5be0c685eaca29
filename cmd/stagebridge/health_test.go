package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		body   string
		code   int
	}{
		{"ready", http.StatusOK, `{"status":"ready"}`, exitOK},
		{"database away", http.StatusServiceUnavailable, `{"status":"away"}`, exitError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/readyz" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}))
			defer server.Close()
			addr := strings.TrimPrefix(server.URL, "http://")
			got := stagebridge(t, map[string]string{"STAGEBRIDGE_ADDR": addr}, "health")
			if got.code != tt.code || !strings.Contains(got.stdout+got.stderr, tt.body) {
				t.Errorf("code %d, output %q, errors %q", got.code, got.stdout, got.stderr)
			}
			server.Close()
			if got := stagebridge(t, map[string]string{"STAGEBRIDGE_ADDR": addr}, "health"); got.code != exitError {
				t.Errorf("with no server: code %d, output %q", got.code, got.stdout)
			}
		})
	}
}

func TestReachable(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"0.0.0.0:80":         "127.0.0.1:80",
		":80":                "127.0.0.1:80",
		"[::]:80":            "[::1]:80",
		"192.0.2.1:80":       "192.0.2.1:80",
		"bridge.example:443": "bridge.example:443",
	} {
		if got := reachable(addr); got != want {
			t.Errorf("reachable(%q) = %q, want %q", addr, got, want)
		}
	}
}
