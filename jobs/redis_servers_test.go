package jobs_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stagebridge/stagebridge/store/storetest"
)

// redisServer is a server of the test's own, in a folder of its own.
type redisServer struct {
	addr string
	cmd  *exec.Cmd
}

// kill ends it as a power cut would.
func (r *redisServer) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait() // it ends by our signal
}

func (r *redisServer) port() string { return r.addr[strings.LastIndexByte(r.addr, ':')+1:] }

// startRedis starts a Redis, or as a sentinel with a file of settings. The test
// is skipped where its program is not installed, unless Redis is asked for.
func startRedis(t *testing.T, sentinel string, args ...string) *redisServer {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		if strings.Contains(os.Getenv(storetest.Require), "redis") {
			t.Fatalf("redis-server is not installed, and %s asks for Redis", storetest.Require)
		}
		t.Skip("skipped without a service: redis-server")
	}
	for range 5 {
		// A cluster's nodes talk at the port 10,000 above, which must not be one
		// that the kernel gives to outgoing connections either.
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 11_000+rand.IntN(8_000)))
		if err != nil {
			continue
		}
		r := &redisServer{addr: l.Addr().String()}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		all := []string{"--save", "", "--appendonly", "no"}
		if sentinel != "" {
			file := filepath.Join(dir, "sentinel.conf")
			if err := os.WriteFile(file, []byte(sentinel), 0o600); err != nil {
				t.Fatal(err)
			}
			all = []string{file, "--sentinel"}
		}
		all = append(all, "--bind", "127.0.0.1", "--port", r.port(), "--dir", dir)
		r.cmd = exec.Command(program, append(all, args...)...)
		if err := r.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.kill)
		c := redis.NewClient(&redis.Options{Addr: r.addr, Protocol: 2})
		up := eventually(t, 10*time.Second, func() bool { return c.Ping(t.Context()).Err() == nil })
		_ = c.Close()
		if up {
			return r
		}
		r.kill() // another program took the port
	}
	t.Fatal("redis-server does not start")
	return nil
}

// eventually waits until something holds; it gives whether it did in time.
func eventually(t *testing.T, most time.Duration, holds func() bool) bool {
	t.Helper()
	deadline := time.After(most)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			return false
		case <-tick.C:
		}
	}
	return true
}

// redisCluster starts three nodes that share the slots, and gives its address.
func redisCluster(t *testing.T) (url string, nodes []*redisServer) {
	t.Helper()
	ctx := t.Context()
	var clients []*redis.Client
	for range 3 {
		n := startRedis(t, "", "--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
		c := redis.NewClient(&redis.Options{Addr: n.addr, Protocol: 2})
		t.Cleanup(func() { _ = c.Close() })
		nodes, clients = append(nodes, n), append(clients, c)
	}
	const slots = 16384
	for i, c := range clients {
		must(t, c.Do(ctx, "cluster", "set-config-epoch", i+1).Err())
		must(t, c.Do(ctx, "cluster", "addslotsrange", i*slots/3, (i+1)*slots/3-1).Err())
		if i > 0 {
			must(t, clients[0].Do(ctx, "cluster", "meet", "127.0.0.1", nodes[i].port()).Err())
		}
	}
	for _, c := range clients {
		if !eventually(t, time.Minute, func() bool {
			info, err := c.ClusterInfo(ctx).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		}) {
			t.Fatalf("the cluster does not come together: %v", c.ClusterInfo(ctx))
		}
	}
	return fmt.Sprintf("redis-cluster://%s,%s", nodes[0].addr, nodes[1].addr), nodes
}

// redisSentinel starts a master, its replica and a sentinel, and gives the
// address behind the sentinel and the master.
func redisSentinel(t *testing.T) (url string, master *redisServer) {
	t.Helper()
	master = startRedis(t, "")
	replica := startRedis(t, "", "--replicaof", "127.0.0.1", master.port())
	sentinel := startRedis(t, fmt.Sprintf("sentinel monitor main 127.0.0.1 %s 1\nsentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n", master.port()))
	r := redis.NewClient(&redis.Options{Addr: replica.addr, Protocol: 2})
	s := redis.NewSentinelClient(&redis.Options{Addr: sentinel.addr, Protocol: 2})
	t.Cleanup(func() { _, _ = r.Close(), s.Close() })
	if !eventually(t, time.Minute, func() bool {
		info, err := r.Info(t.Context(), "replication").Result()
		if err != nil || !strings.Contains(info, "master_link_status:up") {
			return false
		}
		replicas, err := s.Replicas(context.WithoutCancel(t.Context()), "main").Result()
		return err == nil && len(replicas) == 1
	}) {
		t.Fatal("the sentinel does not find the replica")
	}
	return "redis-sentinel://" + sentinel.addr + "/0?master=main", master
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
