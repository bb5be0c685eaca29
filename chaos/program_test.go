//go:build !race

package chaos_test

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// build makes the program as it is shipped.
func build(t *testing.T) string {
	t.Helper()
	// The go command repeats a test whose files changed; it cannot know that this
	// one builds the program, so the files are looked at.
	if err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".go" {
			_, err = os.Stat(path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "stagebridge")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../cmd/stagebridge")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// program is the running server and its predecessors.
type program struct {
	t      *testing.T
	binary string
	url    string
	data   string
	env    []string
	log    string
	kills  int

	cmd    *exec.Cmd
	ended  chan struct{}
	asked  bool // its end was asked for
	client *http.Client
}

func newProgram(t *testing.T, binary string, s *services, v *vendors) *program {
	t.Helper()
	addr := freeAddr(t)
	p := &program{t: t, binary: binary, url: "http://" + addr, data: t.TempDir(), client: &http.Client{Timeout: 2 * time.Second}}
	p.log = filepath.Join(p.data, "log")
	p.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + p.data, "STAGEBRIDGE_ADDR=" + addr, "STAGEBRIDGE_PUBLIC_URL=" + p.url, "STAGEBRIDGE_DATA_DIR=" + p.data,
		"STAGEBRIDGE_WORKSPACE=" + v.workspace(t), "STAGEBRIDGE_SECRET_KEY=a-key-for-the-drill-0123456789abcdef", "STAGEBRIDGE_ALLOW_PRIVATE_NETWORKS=true",
		"STAGEBRIDGE_RATE_LIMIT=0", "STAGEBRIDGE_VENDOR_TIMEOUT=1500ms", "STAGEBRIDGE_LOG_LEVEL=warn", "STAGEBRIDGE_ADMIN_PASSWORD=a-password-for-the-drill",
	}, s.env...)
	t.Cleanup(func() {
		if p.cmd != nil {
			p.end(syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("the end of the program's log:\n%s", p.tail())
		}
	})
	return p
}

func (p *program) start() {
	p.t.Helper()
	p.launch()
	p.ready()
}

// launch starts a process without waiting for it.
func (p *program) launch() {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(p.binary, "serve")
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.Dir = p.env, log, log, p.data
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is seen by whoever asked for it
		close(ended)
	}()
	p.cmd, p.ended, p.asked = cmd, ended, false
}

// ready waits until the program takes webhooks.
func (p *program) ready() {
	p.t.Helper()
	within(p.t, 30*time.Second, "the program is ready", func() (bool, string) {
		select {
		case <-p.ended:
			p.t.Fatalf("the program ended by itself:\n%s", p.tail())
		default:
		}
		res, err := p.client.Get(p.url + "/readyz")
		if err != nil {
			return false, err.Error()
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK, res.Status
	})
}

// kill ends the process as a power cut would.
func (p *program) kill() {
	p.t.Helper()
	select {
	case <-p.ended:
		p.t.Errorf("the program ended before it was killed:\n%s", p.tail())
	default:
	}
	p.kills++
	p.end(syscall.SIGKILL)
}

// stop ends the process in order.
func (p *program) stop() {
	p.t.Helper()
	p.end(syscall.SIGTERM)
}

func (p *program) end(signal syscall.Signal) {
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Logf("signal: %v", err) // it has ended already
	}
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.t.Errorf("the program does not end on %v", signal)
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	p.client.CloseIdleConnections()
	if signal != syscall.SIGKILL {
		p.cmd = nil
	}
}

// checkLog looks for what must never be there.
func (p *program) checkLog() {
	p.t.Helper()
	b, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, line := range strings.Split(string(b), "\n") {
		for _, bad := range []string{"panic", "DATA RACE", "a batch failed and is halved", signingSecret, sinkSecret} {
			if strings.Contains(line, bad) {
				p.t.Errorf("in the log: %s", line)
			}
		}
	}
	p.t.Logf("%d lines of warnings in the log", bytes.Count(b, []byte("level=WARN")))
}

func (p *program) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-4000):])
}
