package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/sample"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// testToken opens the API of every server of these tests.
const testToken = "token of the tests"

// patience is how long a test waits for what must happen.
const patience = time.Minute

// serving is the real program, running serve in this process.
type serving struct {
	t    *testing.T
	env  map[string]string
	url  string
	end  context.CancelFunc
	code chan int
	out  *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// freeAddr gives a loopback address with nobody listening, below the ports that
// the kernel gives to outgoing connections, of which tests make many: one of
// those would take it before the server does.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(10_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// settings are those of an installation of its own on SQLite, in a folder that
// the test removes; more is put over them.
func settings(t *testing.T, more map[string]string) map[string]string {
	t.Helper()
	addr := freeAddr(t)
	env := map[string]string{
		prefix + "ADDR": addr, prefix + "DATA_DIR": t.TempDir(), prefix + "API_TOKEN": testToken,
		prefix + "ALLOW_PRIVATE_NETWORKS": "true", prefix + "LOG_LEVEL": "warn",
	}
	maps.Copy(env, more)
	return env
}

// eachDatabase runs a test on settings of both databases.
func eachDatabase(t *testing.T, fn func(t *testing.T, env map[string]string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, settings(t, nil))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := storetest.NewDatabase(t)
		fn(t, settings(t, map[string]string{prefix + "DATABASE_URL": url, prefix + "SECRET_KEY": strings.Repeat("k", 32)}))
	})
}

// serve starts the program and waits until it is ready.
func serve(t *testing.T, env map[string]string) *serving {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &serving{t: t, env: env, url: "http://" + env[prefix+"ADDR"], end: cancel, code: make(chan int, 1), out: &lockedBuffer{}}
	go func() { s.code <- run(ctx, []string{"serve"}, env, strings.NewReader(""), s.out, s.out) }()
	t.Cleanup(s.stop)
	within(t, "the server to be ready", func() bool {
		select {
		case code := <-s.code:
			s.code <- code
			t.Fatalf("serve ended with %d: %s", code, s.out)
		default:
		}
		res, err := http.Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return s
}

// stop ends the server and waits for it. It may be called again.
func (s *serving) stop() {
	s.t.Helper()
	s.end()
	select {
	case code := <-s.code:
		s.code <- code
		if code != exitOK {
			s.t.Errorf("serve ended with %d: %s", code, s.out)
		}
	case <-time.After(patience):
		s.t.Error("serve does not end")
	}
}

// within waits until a condition holds.
func within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// get asks the API and reads the answer into v.
func (s *serving) get(path string, v any) {
	s.t.Helper()
	if err := s.ask(path, v); err != nil {
		s.t.Fatal(err)
	}
}

func (s *serving) ask(path string, v any) error {
	r, err := http.NewRequest(http.MethodGet, s.url+"/api/v1/"+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+testToken)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", path, res.Status, body)
	}
	return json.Unmarshal(body, v)
}

// profile is a person in the API.
type profile struct {
	ID       string   `json:"id"`
	Keys     []string `json:"keys"`
	Stage    string   `json:"stage"`
	Since    string   `json:"stage_since"`
	Segments []string `json:"segments"`
	Sync     []struct {
		Connection, State, Error string
	} `json:"sync"`
}

// person gives the person of a key, or nil.
func (s *serving) person(key string) *profile {
	s.t.Helper()
	var found struct{ Items []profile }
	s.get("profiles?key="+key, &found)
	if len(found.Items) == 0 {
		return nil
	}
	return &found.Items[0]
}

type inboxCounts struct {
	Connections map[string]counts `json:"connections"`
	counts
}

type counts struct{ Pending, Done, Ignored, Quarantined, Failed, Duplicates, Rejected int }

func (s *serving) stats() inboxCounts {
	s.t.Helper()
	var all inboxCounts
	s.get("inbox/stats", &all)
	return all
}

// busy says what is still to be done; "" for nothing.
func (s *serving) busy() string {
	var waiting struct {
		Items []json.RawMessage `json:"items"`
	}
	x := s.stats()
	s.get("sync?state=pending", &waiting)
	if x.Pending+len(waiting.Items) == 0 {
		return ""
	}
	return fmt.Sprintf("%d events, %d people", x.Pending, len(waiting.Items))
}

// silent waits until no server has anything to do and nothing new has come in
// for a while. also is asked as well.
func silent(t *testing.T, also func() bool, all ...*serving) {
	t.Helper()
	quiet, last := 0, ""
	within(t, "silence", func() bool {
		now, busy := "", also != nil && !also()
		for _, s := range all {
			x := s.stats()
			now += fmt.Sprint(x.Connections)
			busy = busy || s.busy() != ""
		}
		if quiet++; busy || now != last {
			quiet = 0
		}
		last = now
		return quiet >= 15
	})
}

// standardKey signs every generic webhook of these tests.
var standardKey = secret.New("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

// post sends a Standard Webhook and gives the status and the receipt.
func (s *serving) post(connection, id, body string) (int, string) {
	s.t.Helper()
	r, err := sample.Standard(s.t.Context(), s.url+"/hooks/"+connection, id, time.Now(), standardKey, []byte(body))
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode, res.Header.Get("Stagebridge-Receipt")
}

// files writes a workspace and gives its folder.
func files(t *testing.T, all map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	put(t, folder, all)
	return folder
}

func put(t *testing.T, folder string, all map[string]string) {
	t.Helper()
	for name, text := range all {
		path := filepath.Join(folder, name)
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644))
		if err != nil {
			t.Fatal(err)
		}
	}
}
