package store_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestBehindPgBouncer holds the store to its behaviour behind a PgBouncer in
// transaction mode, where two transactions of one connection may run in
// different sessions of the server: whatever a session would have to remember
// is lost there.
func TestBehindPgBouncer(t *testing.T) {
	t.Parallel()
	addr := startPgBouncer(t)
	open := func(t testing.TB) *store.Store {
		t.Helper()
		u, err := url.Parse(storetest.NewDatabase(t))
		if err != nil {
			t.Fatal(err)
		}
		u.Host = addr
		q := u.Query()
		q.Set("default_query_exec_mode", "exec") // no prepared statements
		u.RawQuery = q.Encode()
		s, err := store.Open(t.Context(), store.Options{URL: u.String(), Connections: 4})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	t.Run("behaviour", func(t *testing.T) { storetest.Run(t, open) })
	t.Run("concurrent", func(t *testing.T) { storetest.RunConcurrent(t, open) })
}

// startPgBouncer starts one in front of the test's PostgreSQL and gives its
// address. Few sessions serve many connections, so that they are shared.
func startPgBouncer(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if strings.Contains(os.Getenv(storetest.Require), "pgbouncer") {
			t.Fatalf("pgbouncer is not installed, and %s asks for it", storetest.Require)
		}
		t.Skip("skipped without a service: pgbouncer")
	}
	server, err := url.Parse(storetest.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := server.User.Password()
	dir, err := os.MkdirTemp("", "stagebridge-pgbouncer-") // not in a folder that only root may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "pgbouncer.ini")
	for range 5 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000)))
		if err != nil {
			continue
		}
		addr := l.Addr().String()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("[databases]\n* = host=%s port=%s user=%s password='%s'\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %s\nauth_type = any\n"+
			"pool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 500\nmax_db_connections = 3\nunix_socket_dir =\nlogfile = %s\n",
			server.Hostname(), server.Port(), server.User.Username(), password, addr[strings.LastIndexByte(addr, ':')+1:], filepath.Join(dir, "log"))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{file}
		if os.Getuid() == 0 { // it refuses to run as root
			if out, err := exec.Command("chown", "-R", "postgres", dir).CombinedOutput(); err != nil {
				t.Fatalf("chown: %v: %s", err, out)
			}
			args = []string{"-u", "postgres", file}
		}
		cmd := exec.Command(program, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // it ends by our signal
		})
		own := *server
		own.Host, own.RawQuery = addr, "sslmode=disable&default_query_exec_mode=exec"
		if answers(t, own.String()) {
			return addr
		}
	}
	text, _ := os.ReadFile(filepath.Join(dir, "log"))
	t.Fatalf("pgbouncer does not start:\n%s", text)
	return ""
}

func answers(t *testing.T, address string) bool {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for db.PingContext(t.Context()) != nil {
		select {
		case <-deadline:
			return false
		case <-tick.C:
		}
	}
	return true
}
