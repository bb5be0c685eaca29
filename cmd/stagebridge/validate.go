package main

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/otlp"
	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/secret"
)

// Bounds beyond which a setting is a slip of the keyboard.
const (
	minBodyBytes = 1 << 10
	maxBodyBytes = 256 << 20
	maxBatch     = 10_000
	maxTimeout   = 10 * time.Minute
	// minKey is the shortest key that the vault takes, weakKey the length under
	// which one may not be random enough; both in bytes.
	minKey  = 16
	weakKey = 32
)

// normalise brings settings into the one form that the rest of the program
// reads, and gives every mistake that a type alone does not catch.
func (c *Config) normalise() []error {
	var mistakes []error
	wrong := func(name, format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf(prefix+name+" "+format, args...))
	}

	if !isAddress(c.Addr) {
		wrong("ADDR", "is %q, want host:port, such as 127.0.0.1:8080", c.Addr)
	}
	if c.MetricsAddr != "" && !isAddress(c.MetricsAddr) {
		wrong("METRICS_ADDR", "is %q, want host:port, such as 127.0.0.1:9090", c.MetricsAddr)
	}
	if c.MetricsAddr != "" && c.MetricsAddr == c.Addr {
		wrong("METRICS_ADDR", "is the same as %sADDR; use METRICS_TOKEN to serve metrics there", prefix)
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	if c.PublicURL == "" {
		c.PublicURL = "http://" + c.Addr
	} else if why := refusePublicURL(c.PublicURL); why != "" {
		wrong("PUBLIC_URL", "is %q, %s", c.PublicURL, why)
	}

	// Both URLs may hold a password, so no part of them is shown.
	if !hasScheme(c.DatabaseURL.Reveal(), "postgres", "postgresql") {
		wrong("DATABASE_URL", "wants postgres://user:password@host:5432/database, or nothing for SQLite")
	}
	if !c.RedisURL.Empty() {
		if _, err := jobs.ParseRedisURL(c.RedisURL.Reveal()); err != nil {
			wrong("REDIS_URL", "wants redis://:password@host:6379/0, one of the forms for TLS, sentinels or a cluster (docs/scaling.md), or nothing for the embedded Redis")
		}
	}
	if !c.DatabaseURL.Empty() && c.SecretKey.Empty() {
		wrong("SECRET_KEY", "is required with %sDATABASE_URL: it encrypts the stored credentials; make one with 'openssl rand -hex 32'", prefix)
	}
	if n := len(c.SecretKey.Reveal()); n > 0 && n < minKey {
		wrong("SECRET_KEY", "has %d bytes, want %d or more of random text; make one with 'openssl rand -hex 32'", n, minKey)
	}
	for _, k := range secret.Keys(c.SecretKeyPrevious.Reveal()) {
		if n := len(k.Reveal()); n < minKey {
			wrong("SECRET_KEY_PREVIOUS", "holds a key of %d bytes, want %d or more; keys have blanks between them", n, minKey)
		}
	}

	if _, err := connectors.ParseAllow(c.AllowNetworks); err != nil {
		wrong("ALLOW_NETWORKS", "has %w", err)
	}
	if !slices.Contains([]string{"text", "json"}, c.LogFormat) {
		wrong("LOG_FORMAT", "is %q, want text or json", c.LogFormat)
	}
	if c.OTLPEndpoint != "" {
		if _, err := otlp.New(c.OTLPEndpoint, c.OTLPHeaders); err != nil {
			wrong("OTLP_ENDPOINT", "or %sOTLP_HEADERS is not usable: %w", prefix, err)
		}
	}
	if !(c.TraceShare >= 0 && c.TraceShare <= 1) { // so that NaN is refused as well
		wrong("TRACE_SHARE", "is %v, want 0 to 1", c.TraceShare)
	}
	within := func(name string, value, low, high int64) {
		if value < low || value > high {
			wrong(name, "is %d, want %d to %d", value, low, high)
		}
	}
	within("MAX_BODY_BYTES", c.MaxBodyBytes, minBodyBytes, maxBodyBytes)
	within("RATE_LIMIT", int64(c.RateLimit), 0, 1_000_000)
	within("REJECT_LIMIT", int64(c.RejectLimit), 0, 1_000_000)
	within("PROCESS_BATCH", int64(c.ProcessBatch), 0, maxBatch)
	within("RETENTION_DAYS", int64(c.RetentionDays), 0, 36_500)
	within("RETENTION_REJECTIONS_DAYS", int64(c.RetentionRejectionsDays), 0, 36_500)
	within("RETENTION_AUDIT_DAYS", int64(c.RetentionAuditDays), 0, 36_500)
	within("RETENTION_SAMPLES_DAYS", int64(c.RetentionSamplesDays), 0, 36_500)
	within("RETENTION_JOBS_DAYS", int64(c.RetentionJobsDays), 0, 36_500)
	within("RETENTION_CERTIFICATES_DAYS", int64(c.RetentionCertificatesDays), 0, 36_500)
	timeout := func(name string, d time.Duration) {
		if d < time.Second || d > maxTimeout {
			wrong(name, "is %v, want 1s to %v", d, maxTimeout)
		}
	}
	timeout("VENDOR_TIMEOUT", c.VendorTimeout)
	timeout("SHUTDOWN_TIMEOUT", c.ShutdownTimeout)
	return mistakes
}

// doubts are settings that work but deserve a sentence in the log.
func (c *Config) doubts() []string {
	var doubts []string
	if !c.SecretKey.Empty() && len(c.SecretKey.Reveal()) < weakKey {
		doubts = append(doubts, fmt.Sprintf("%sSECRET_KEY is shorter than %d characters and may be guessed", prefix, weakKey))
	}
	if c.AllowPrivateNetworks {
		doubts = append(doubts, prefix+"ALLOW_PRIVATE_NETWORKS is on: a connection's URL may reach services of your own network")
	}
	return doubts
}

func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 0 && n <= 65535
}

func refusePublicURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https":
		return "want https:// and a host, such as https://bridge.example.com"
	case u.User != nil:
		return "want it without user and password"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "want it without ? and #"
	}
	return ""
}

// hasScheme reports whether s is empty or a URL with a host and one of the schemes.
func hasScheme(s string, schemes ...string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && slices.Contains(schemes, u.Scheme)
}
