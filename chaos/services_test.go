//go:build !race

package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stagebridge/stagebridge/store/storetest"
)

// Variables that name services, as for the other tests.
const redisURL = "STAGEBRIDGE_TEST_REDIS_URL"

// services are the database and the Redis of one run.
type services struct {
	postgres string // address; empty for SQLite
	env      []string
	// flush wipes Redis, restart breaks PostgreSQL off and starts it again.
	flush, restart func()
}

// embedded is SQLite and the Redis inside the program, which every kill wipes.
func embedded(*testing.T) *services {
	return &services{flush: func() {}, restart: func() {}}
}

// external is PostgreSQL and Redis: servers of the test's own where their
// programs are installed, else those that the variables name, of which Redis
// gives one of its databases and PostgreSQL is not restarted.
func external(t *testing.T) *services {
	t.Helper()
	s := &services{}
	wanted := os.Getenv(storetest.PostgresURL) != "" && os.Getenv(redisURL) != "" || os.Getenv("STAGEBRIDGE_CHAOS") == "full"
	bin := postgresPrograms()
	if wanted && bin != "" {
		s.ownPostgres(t, bin)
	} else {
		s.postgres = storetest.NewDatabase(t)
		s.restart = func() { t.Log("left out: the restart of PostgreSQL, whose programs are not installed here") }
	}
	if program, err := exec.LookPath("redis-server"); err == nil && wanted {
		s.ownRedis(t, program)
	} else {
		s.sharedRedis(t)
	}
	s.env = append(s.env, "STAGEBRIDGE_DATABASE_URL="+s.postgres)
	return s
}

// postgresPrograms finds initdb and pg_ctl; Debian keeps each version in a
// folder of its own, outside PATH.
func postgresPrograms() string {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return ""
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1])
}

// asPostgres runs a program of PostgreSQL's, which refuses to run as root.
func asPostgres(t *testing.T, name string, args ...string) error {
	t.Helper()
	if os.Getuid() == 0 {
		name, args = "runuser", append([]string{"-u", "postgres", "--", name}, args...)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = "/"
	// The server keeps the standard output of pg_ctl open, so that must be no pipe.
	log, err := os.CreateTemp(t.TempDir(), "pg")
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w: %s", name, err, said)
	}
	return nil
}

func (s *services) ownPostgres(t *testing.T, bin string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "stagebridge-chaos-")
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if out, err := exec.Command("chown", "postgres", folder).CombinedOutput(); err != nil {
			t.Fatalf("chown: %v: %s", err, out)
		}
	}
	data := filepath.Join(folder, "data")
	ctl := func(args ...string) error {
		return asPostgres(t, filepath.Join(bin, "pg_ctl"), append([]string{"-D", data, "-w", "-s"}, args...)...)
	}
	if err := asPostgres(t, filepath.Join(bin, "initdb"), "-D", data, "-U", "stagebridge", "-E", "UTF8", "--locale", "C.UTF-8", "--auth", "trust"); err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	// fsync stays on: what is said about durability shall be true.
	options := "-c listen_addresses=127.0.0.1 -c port=" + port + " -c unix_socket_directories=" + folder
	start := func() error { return ctl("-l", filepath.Join(folder, "log"), "-o", options, "start") }
	if err := start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(ctl("-m", "immediate", "stop"), os.RemoveAll(folder)); err != nil {
			t.Error(err)
		}
	})
	s.postgres = "postgres://stagebridge@" + addr + "/postgres?sslmode=disable"
	s.restart = func() {
		if err := errors.Join(ctl("-m", "immediate", "stop"), start()); err != nil {
			t.Error(err)
		}
	}
}

func (s *services) ownRedis(t *testing.T, program string) {
	t.Helper()
	addr := freeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command(program, "--bind", "127.0.0.1", "--port", port, "--dir", t.TempDir(), "--save", "", "--appendonly", "no")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // it ends by our signal
	})
	s.useRedis(t, "redis://"+addr+"/0", func(ctx context.Context, c *redis.Client) error { return c.FlushAll(ctx).Err() })
}

// sharedRedis takes the last of the usual 16 databases of a server that others
// use too.
func (s *services) sharedRedis(t *testing.T) {
	t.Helper()
	url := os.Getenv(redisURL)
	if url == "" {
		if strings.Contains(os.Getenv(storetest.Require), "redis") {
			t.Fatalf("%s is not set, and %s asks for Redis", redisURL, storetest.Require)
		}
		t.Skipf("skipped without a service: Redis (set %s)", redisURL)
	}
	opt, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.LastIndex(url, "/")
	if _, err := strconv.Atoi(url[at+1:]); err != nil {
		t.Fatalf("%s names no database: %s", redisURL, opt.Addr)
	}
	s.useRedis(t, url[:at]+"/15", func(ctx context.Context, c *redis.Client) error { return c.FlushDB(ctx).Err() })
}

func (s *services) useRedis(t *testing.T, url string, wipe func(context.Context, *redis.Client) error) {
	t.Helper()
	opt, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(opt)
	t.Cleanup(func() { _ = c.Close() })
	within(t, 10*time.Second, "Redis answers", func() (bool, string) {
		err := c.Ping(t.Context()).Err()
		return err == nil, fmt.Sprint(err)
	})
	s.env = append(s.env, "STAGEBRIDGE_REDIS_URL="+url)
	s.flush = func() {
		if err := wipe(t.Context(), c); err != nil {
			t.Error(err)
		}
	}
	s.flush()
}

// freeAddr gives a loopback address with nobody listening, below the ports that
// the kernel gives to outgoing connections: one of those must not take it while
// its owner is dead.
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
