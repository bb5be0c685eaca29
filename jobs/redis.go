package jobs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hibiken/asynq"
)

// ErrRedisURL says that a text is no address of a Redis. What it wraps never
// shows the text, which may hold a password.
var ErrRedisURL = errors.New("not an address of a Redis (redis://:password@host:6379/0)")

// Ports where an address names none.
const (
	redisPort    = "6379"
	sentinelPort = "26379"
)

// ParseRedisURL reads the address of one Redis, of a Redis behind sentinels, or
// of a Redis Cluster:
//
//	redis://user:password@host:6379/0
//	redis-socket://:password@/run/redis.sock?db=0
//	redis-sentinel://user:password@host1:26379,host2:26379/0?master=name
//	redis-cluster://user:password@host1:6379,host2:6379
//
// rediss, rediss-sentinel and rediss-cluster are the same with TLS. Sentinels
// that want a password of their own get it by the parameters sentinel_username
// and sentinel_password. The error is ErrRedisURL.
func ParseRedisURL(text string) (asynq.RedisConnOpt, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return nil, ErrRedisURL
	}
	// Several hosts are no URL, so each is read by itself.
	authority, tail := rest, ""
	if at := strings.IndexAny(rest, "/?"); at >= 0 {
		authority, tail = rest[:at], rest[at:]
	}
	user, list := "", authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, list = authority[:at+1], authority[at+1:]
	}
	u, err := url.Parse(scheme + "://" + user + "host" + tail)
	if err != nil {
		return nil, ErrRedisURL
	}
	password, _ := u.User.Password()
	r := redisAddress{u: u, user: u.User.Username(), password: password}
	if kind, secure := strings.CutPrefix(u.Scheme, "rediss"); secure {
		r.tls, u.Scheme = true, "redis"+kind
	}
	if u.Scheme == "redis-socket" {
		return r.socket(list)
	}
	port := redisPort
	if u.Scheme == "redis-sentinel" {
		port = sentinelPort
	}
	if r.hosts, err = hosts(list, port); err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "redis":
		return r.single()
	case "redis-sentinel":
		return r.sentinel()
	case "redis-cluster":
		return r.cluster()
	}
	return nil, fmt.Errorf("%w: the scheme is redis, redis-socket, redis-sentinel or redis-cluster, or rediss with TLS", ErrRedisURL)
}

// redisAddress is an address in its parts.
type redisAddress struct {
	u              *url.URL
	user, password string
	hosts          []string
	tls            bool
}

func (r *redisAddress) single() (asynq.RedisConnOpt, error) {
	if len(r.hosts) != 1 {
		return nil, fmt.Errorf("%w: several hosts are redis-sentinel:// or redis-cluster://", ErrRedisURL)
	}
	db, err := r.database()
	if err != nil || r.unknown() {
		return nil, ErrRedisURL
	}
	return asynq.RedisClientOpt{Addr: r.hosts[0], Username: r.user, Password: r.password, DB: db, TLSConfig: r.config()}, nil
}

func (r *redisAddress) socket(host string) (asynq.RedisConnOpt, error) {
	db := 0
	if text := r.u.Query().Get("db"); text != "" {
		var err error
		if db, err = strconv.Atoi(text); err != nil || db < 0 {
			return nil, ErrRedisURL
		}
	}
	if host != "" || r.u.Path == "" || r.tls || r.unknown("db") {
		return nil, ErrRedisURL
	}
	return asynq.RedisClientOpt{Network: "unix", Addr: r.u.Path, Username: r.user, Password: r.password, DB: db}, nil
}

func (r *redisAddress) sentinel() (asynq.RedisConnOpt, error) {
	db, err := r.database()
	q := r.u.Query()
	if err != nil || r.unknown("master", "sentinel_username", "sentinel_password") {
		return nil, ErrRedisURL
	}
	if q.Get("master") == "" {
		return nil, fmt.Errorf("%w: sentinels want ?master=name", ErrRedisURL)
	}
	return asynq.RedisFailoverClientOpt{
		MasterName: q.Get("master"), SentinelAddrs: r.hosts, SentinelUsername: q.Get("sentinel_username"), SentinelPassword: q.Get("sentinel_password"),
		Username: r.user, Password: r.password, DB: db, TLSConfig: r.config(),
	}, nil
}

func (r *redisAddress) cluster() (asynq.RedisConnOpt, error) {
	// A cluster has one database.
	if db, err := r.database(); err != nil || db != 0 || r.unknown() {
		return nil, ErrRedisURL
	}
	return asynq.RedisClusterClientOpt{Addrs: r.hosts, Username: r.user, Password: r.password, TLSConfig: r.config()}, nil
}

// database is the number behind the host; none is 0.
func (r *redisAddress) database() (int, error) {
	text := strings.Trim(r.u.Path, "/")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, ErrRedisURL
	}
	return n, nil
}

// unknown reports parameters beside those named: a misspelt one would be a
// password not used.
func (r *redisAddress) unknown(known ...string) bool {
	for name := range r.u.Query() {
		if !slices.Contains(known, name) {
			return true
		}
	}
	return false
}

func (r *redisAddress) config() *tls.Config {
	if !r.tls {
		return nil
	}
	// Which host is dialed is known to the client alone where there are several;
	// it fills the name in.
	return &tls.Config{MinVersion: tls.VersionTLS12}
}

// hosts reads hosts separated by commas; port is for those that name none.
func hosts(list, port string) ([]string, error) {
	var all []string
	for one := range strings.SplitSeq(list, ",") {
		host, own, err := net.SplitHostPort(one)
		if err != nil {
			if host, own = strings.Trim(one, "[]"), port; strings.Contains(one, ":") && !strings.HasPrefix(one, "[") {
				return nil, ErrRedisURL
			}
		}
		if n, err := strconv.ParseUint(own, 10, 16); host == "" || err != nil || n == 0 {
			return nil, ErrRedisURL
		}
		all = append(all, net.JoinHostPort(host, own))
	}
	return all, nil
}
