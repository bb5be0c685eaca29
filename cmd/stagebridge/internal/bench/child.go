package bench

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// child is a process under measurement.
type child struct {
	cmd *exec.Cmd
	url string
	log string
}

// start runs this same binary with other arguments and an environment of its
// own, and waits until it answers at its address.
func start(ctx context.Context, dir string, env []string, args ...string) (*child, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return startAt(ctx, dir, port, append([]string{"STAGEBRIDGE_ADDR=" + port}, env...), args...)
}

// startAt is start of a process that its environment lets answer at an address.
func startAt(ctx context.Context, dir, port string, env []string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{url: "http://" + port, log: filepath.Join(dir, "log")}
	out, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	c.cmd = exec.CommandContext(ctx, self, args...)
	c.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "STAGEBRIDGE_DATA_DIR=" + dir,
		"STAGEBRIDGE_RATE_LIMIT=0", "STAGEBRIDGE_LOG_LEVEL=warn", "STAGEBRIDGE_ALLOW_PRIVATE_NETWORKS=true", "STAGEBRIDGE_API_TOKEN=" + apiToken}, env...)
	c.cmd.Stdout, c.cmd.Stderr = out, out
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		if res, err := http.Get(c.url + "/healthz"); err == nil {
			_ = res.Body.Close()
			return c, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	c.stop()
	text, _ := os.ReadFile(c.log)
	return nil, fmt.Errorf("%s did not start: %s", strings.Join(args, " "), text)
}

// apiToken opens the API of measured servers, which listen on loopback only.
const apiToken = "bench-token-for-loopback-only"

func (c *child) stop() {
	_ = c.cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { _ = c.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = c.cmd.Process.Kill()
		<-done
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// cpu is the processor time the child used so far; zero where the system does
// not tell.
func (c *child) cpu() time.Duration { return cpuOf(c.cmd.Process.Pid) }

func cpuOf(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // a tick is 1/100 s on Linux
}

// peak is the most memory the child held, in bytes.
func (c *child) peak() int64 { return peakOf(c.cmd.Process.Pid) }

func peakOf(pid int) int64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for scan := bufio.NewScanner(f); scan.Scan(); {
		if rest, ok := strings.CutPrefix(scan.Text(), "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10
		}
	}
	return 0
}
