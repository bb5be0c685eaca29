package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestMetricsAddress serves what operators ask, and only that, at an address of
// its own.
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

// TestWorkerIsSeen: a worker, which listens nowhere else, tells how it is.
func TestWorkerIsSeen(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	env := settings(t, map[string]string{prefix + "METRICS_ADDR": addr})
	ctx, cancel := context.WithCancel(context.Background())
	out, ended := &lockedBuffer{}, make(chan int, 1)
	go func() { ended <- run(ctx, []string{"serve", "-role", "worker"}, env, strings.NewReader(""), out, out) }()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("the worker ended with %d: %s", code, out)
		}
	})
	within(t, "the worker to be ready", func() bool {
		return run(t.Context(), []string{"health"}, env, strings.NewReader(""), io.Discard, io.Discard) == 0
	})
	within(t, "the worker to have looked", func() bool { return strings.Contains(get(t, "http://"+addr+"/metrics"), "stagebridge_database_up 1") })
	for path, want := range map[string]string{"/healthz": `"status":"ok"`, "/readyz": `"degraded":false`, "/metrics": "stagebridge_redis_up 1"} {
		if body := get(t, "http://"+addr+path); !strings.Contains(body, want) {
			t.Errorf("%s: %.300s", path, body)
		}
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
