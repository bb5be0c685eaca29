package jobs_test

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"

	"github.com/stagebridge/stagebridge/jobs"
)

func TestAddressesOfRedis(t *testing.T) {
	t.Parallel()
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	for text, want := range map[string]asynq.RedisConnOpt{
		"redis://localhost":                       asynq.RedisClientOpt{Addr: "localhost:6379"},
		"redis://:p%40ss@cache.example.com:7/3":   asynq.RedisClientOpt{Addr: "cache.example.com:7", Password: "p@ss", DB: 3},
		"redis://app:pw@[2001:db8::1]:6380/":      asynq.RedisClientOpt{Addr: "[2001:db8::1]:6380", Username: "app", Password: "pw"},
		"redis://[::1]":                           asynq.RedisClientOpt{Addr: "[::1]:6379"},
		"rediss://cache.example.com":              asynq.RedisClientOpt{Addr: "cache.example.com:6379", TLSConfig: secure},
		"redis-socket://:pw@/run/redis.sock?db=2": asynq.RedisClientOpt{Network: "unix", Addr: "/run/redis.sock", Password: "pw", DB: 2},
		"redis-sentinel://app:pw@a,b:27000/4?master=main&sentinel_password=other": asynq.RedisFailoverClientOpt{
			MasterName: "main", SentinelAddrs: []string{"a:26379", "b:27000"}, SentinelPassword: "other", Username: "app", Password: "pw", DB: 4},
		"rediss-sentinel://a?master=main":  asynq.RedisFailoverClientOpt{MasterName: "main", SentinelAddrs: []string{"a:26379"}, TLSConfig: secure},
		"redis-cluster://:pw@a:7000,b,c:1": asynq.RedisClusterClientOpt{Addrs: []string{"a:7000", "b:6379", "c:1"}, Password: "pw"},
		"rediss-cluster://a/0":             asynq.RedisClusterClientOpt{Addrs: []string{"a:6379"}, TLSConfig: secure},
	} {
		got, err := jobs.ParseRedisURL(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(tls.Config{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestAWrongAddressOfRedisIsRefusedWithoutShowingIt(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "localhost:6379", "http://a", "redis://", "redis://:pass word@a\x7f", "redis://a:pass@b:0", "redis://a:x", "redis://a:70000", "redis://a,b", "redis://a/x",
		"redis://a/-1", "redis://a?dbb=1", "redis://a:1:2", "redis://2001:db8::1", "redis-sentinel://a", "redis-sentinel://a?master=m&sentinel_pasword=x",
		"redis-cluster://a/1", "redis-cluster://a,,b", "redis-socket://host/run/x", "redis-socket://", "redis-socket:///x?db=y", "rediss-socket:///x", "redis-other://a",
	} {
		got, err := jobs.ParseRedisURL(text)
		if !errors.Is(err, jobs.ErrRedisURL) {
			t.Errorf("%q: %v, %v", text, got, err)
			continue
		}
		if strings.Contains(err.Error(), "pass") && strings.Contains(text, "pass") && strings.Contains(err.Error(), text) {
			t.Errorf("%q is shown: %v", text, err)
		}
	}
}

func FuzzRedisURL(f *testing.F) {
	for _, text := range []string{"redis://:p@a:1/2", "redis-sentinel://a,b?master=m", "redis-cluster://u:p@[::1]:1,b", "redis-socket:///x?db=1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := jobs.ParseRedisURL(text); err != nil && !errors.Is(err, jobs.ErrRedisURL) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
