//go:build !race

package chaos_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// replica is one of the processes of a campaign. Like an orchestrator it is
// started again whenever it ends, and each start is in the same log.
type replica struct {
	t      *testing.T
	name   string
	binary string
	args   []string
	env    []string
	log    string
	health string // where it tells how it is
	db     *proxy // between it and PostgreSQL; nil on SQLite
	redis  *proxy

	mu      sync.Mutex
	cmd     *exec.Cmd
	ended   chan struct{}
	began   time.Time
	up      bool          // it shall run
	away    time.Duration // before it is started again
	starts  int
	unasked int // ends nobody asked for
	wg      sync.WaitGroup
}

// restartPause is how long an orchestrator waits before it starts a process
// again that ended by itself.
const restartPause = 200 * time.Millisecond

// run starts the process and keeps it running until stop.
func (r *replica) run() {
	r.mu.Lock()
	r.up = true
	r.mu.Unlock()
	r.launch()
	r.wg.Go(func() {
		for {
			r.mu.Lock()
			ended := r.ended
			r.mu.Unlock()
			<-ended
			r.mu.Lock()
			up, away := r.up, r.away
			if up && away == 0 {
				r.unasked++
				away = restartPause
			}
			r.away = 0
			r.mu.Unlock()
			if !up {
				return
			}
			pause(away)
			r.launch()
		}
	})
}

func (r *replica) launch() {
	log, err := os.OpenFile(r.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Error(err)
		return
	}
	defer log.Close()
	cmd := exec.Command(r.binary, r.args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = r.env, log, log
	ended := make(chan struct{})
	if err := cmd.Start(); err != nil {
		r.t.Error(err)
		close(ended)
		return
	}
	go func() {
		_ = cmd.Wait() // how it ended is seen by whoever asked for it
		close(ended)
	}()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cmd, r.ended, r.began, r.starts = cmd, ended, time.Now(), r.starts+1
}

// kill ends the process as a power cut would; it comes back after a while.
func (r *replica) kill(away time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = max(away, time.Millisecond)
	_ = r.cmd.Process.Kill() // it may just have ended by itself
}

// freeze stops the process in the middle of whatever it does, thaw lets it go
// on as if nothing had been.
func (r *replica) freeze() { r.signal(syscall.SIGSTOP) }
func (r *replica) thaw()   { r.signal(syscall.SIGCONT) }

func (r *replica) signal(s syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.cmd.Process.Signal(s) // it may just have ended by itself
}

// stop ends the process in order for good and gives its exit code.
func (r *replica) stop(s syscall.Signal) int {
	r.mu.Lock()
	r.up = false
	cmd, ended := r.cmd, r.ended
	r.mu.Unlock()
	_ = cmd.Process.Signal(syscall.SIGCONT)
	_ = cmd.Process.Signal(s)
	select {
	case <-ended:
	case <-time.After(60 * time.Second):
		r.t.Errorf("%s does not end on %v:\n%s", r.name, s, r.tail())
		_ = cmd.Process.Kill()
		<-ended
	}
	r.wg.Wait()
	return cmd.ProcessState.ExitCode()
}

// ready waits until the process is ready for work.
func (r *replica) ready() {
	r.t.Helper()
	client := &http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	within(r.t, time.Minute, r.name+" is ready", func() (bool, string) {
		r.mu.Lock()
		unasked, starts := r.unasked, r.starts
		r.mu.Unlock()
		if unasked > 10 && starts == unasked+1 {
			r.t.Fatalf("%s does not start:\n%s", r.name, r.tail())
		}
		res, err := client.Get(r.health + "/readyz")
		if err != nil {
			return false, err.Error()
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK, res.Status
	})
}

func (r *replica) pid() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cmd.Process.Pid
}

// usage is what a process holds.
type usage struct {
	rss   int64 // bytes
	files int
}

func (r *replica) usage() usage {
	var u usage
	pid := r.pid()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u // it has just ended
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			u.rss = kib << 10
		}
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return usage{}
	}
	u.files = len(files)
	return u
}

// goroutines asks the process how many it has.
func (r *replica) goroutines() int {
	r.t.Helper()
	res, err := http.Get(r.health + "/metrics")
	if err != nil {
		r.t.Error(err)
		return 0
	}
	defer res.Body.Close()
	scan := bufio.NewScanner(res.Body)
	for scan.Scan() {
		if text, ok := strings.CutPrefix(scan.Text(), "go_goroutines "); ok {
			n, _ := strconv.Atoi(text)
			return n
		}
	}
	r.t.Errorf("%s does not tell its goroutines", r.name)
	return 0
}

func (r *replica) tail() string {
	b, err := os.ReadFile(r.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-4000):])
}

// checkLog looks for what must never be there.
func (r *replica) checkLog() {
	b, err := os.ReadFile(r.log)
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		for _, bad := range []string{"panic", "DATA RACE", "a batch failed and is halved", signingSecret, sinkSecret} {
			if strings.Contains(line, bad) {
				r.t.Errorf("in the log of %s: %s", r.name, line)
			}
		}
	}
}

// skewed builds the program with a clock that is a minute ahead: the standard
// library's own time.Now is compiled with another text, so that every part of
// the program, its libraries included, reads the wrong time and nothing in the
// program knows of it.
func skewed(t *testing.T, seconds int) string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	clock := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(clock)
	if err != nil {
		t.Fatal(err)
	}
	const read = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(text), read) != 1 {
		t.Logf("left out: the clock that is wrong, since this Go's time.Now reads otherwise")
		return ""
	}
	folder := t.TempDir()
	own := filepath.Join(folder, "time.go")
	changed := strings.Replace(string(text), read, fmt.Sprintf("%s\tsec += %d\n", read, seconds), 1)
	overlay := filepath.Join(folder, "overlay.json")
	for name, content := range map[string]string{own: changed, overlay: fmt.Sprintf(`{"Replace": {%q: %q}}`, clock, own)} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(folder, "stagebridge-skewed")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", path, "../cmd/stagebridge")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build with another clock: %v\n%s", err, out)
	}
	return path
}
