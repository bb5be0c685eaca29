//go:build !race

package browser_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// built is the program, made once for all tests of the package.
var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(builtFolder(), "stagebridge")
	cmd := exec.Command("go", "build", "-o", path, "../cmd/stagebridge")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
})

// builtFolder is where the program is put, if a test needs it.
func builtFolder() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("stagebridge-browser-%d", os.Getpid()))
}

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(builtFolder()) // a folder for temporary files is emptied by others too
	os.Exit(code)
}

// start runs the program until the test ends and waits for a line of its
// output.
func start(t *testing.T, line string, env []string, args ...string) string {
	t.Helper()
	chromium(t) // nothing is built for a test that is skipped
	path, err := built()
	if err != nil {
		t.Fatal("go build:", err)
	}
	home := t.TempDir()
	addr := freeAddr(t)
	cmd := exec.Command(path, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "STAGEBRIDGE_DATA_DIR=" + home, "STAGEBRIDGE_ADDR=" + addr, "STAGEBRIDGE_PUBLIC_URL=http://" + addr, "STAGEBRIDGE_LOG_LEVEL=warn"}, env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.Contains(lines.Text(), line) {
				select {
				case found <- lines.Text():
				default:
				}
			}
		}
		close(found)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it was told to end
	})
	select {
	case text, ok := <-found:
		if !ok {
			t.Fatalf("the program ended without saying %q", line)
		}
		return text
	case <-time.After(3 * patience): // the story of the demo alone may take three minutes
		t.Fatalf("the program did not say %q", line)
	}
	return ""
}

// between cuts a word out of a line.
func between(t *testing.T, line, before, after string) string {
	t.Helper()
	_, rest, ok := strings.Cut(line, before)
	word, _, also := strings.Cut(rest+"\n", after)
	if !ok || !also {
		t.Fatalf("no %q … %q in %q", before, after, line)
	}
	return strings.TrimSpace(word)
}

// freeAddr gives a loopback address that nobody listens on: signatures cover
// the address, so it must be known before.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}
