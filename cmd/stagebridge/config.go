package main

import (
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/stagebridge/stagebridge/secret"
)

// prefix of every setting's environment variable.
const prefix = "STAGEBRIDGE_"

// Config holds the settings of one process. Each field is one environment
// variable, named by its tag behind the prefix; config.example.env tells the
// same to the person who sets them, and a test compares the two.
type Config struct {
	// Addr is where the server listens, host:port.
	Addr string `envconfig:"ADDR" default:"127.0.0.1:8080"`
	// PublicURL is how vendors reach the server, without a trailing slash.
	// Signatures cover it. Empty: http:// and Addr.
	PublicURL string `envconfig:"PUBLIC_URL"`

	// DatabaseURL of PostgreSQL. Empty: SQLite in DataDir.
	DatabaseURL secret.Text `envconfig:"DATABASE_URL"`
	// DataDir holds the SQLite files and the key file.
	DataDir string `envconfig:"DATA_DIR" default:"./data"`
	// RedisURL of the queue. Empty: the embedded one.
	RedisURL secret.Text `envconfig:"REDIS_URL"`
	// Workspace is a folder of YAML files applied at start. Empty: none.
	Workspace string `envconfig:"WORKSPACE"`

	// SecretKey encrypts stored credentials.
	SecretKey secret.Text `envconfig:"SECRET_KEY"`
	// SecretKeyPrevious are the keys before, with blanks between them.
	SecretKeyPrevious secret.Text `envconfig:"SECRET_KEY_PREVIOUS"`
	// APIToken is the bearer token of the API. Empty: only tokens made in Settings.
	APIToken secret.Text `envconfig:"API_TOKEN"`
	// AdminPassword of the first user. Empty: a one-time link is printed.
	AdminPassword secret.Text `envconfig:"ADMIN_PASSWORD"`
	// OIDCIssuer is the identity provider that people log in through. Empty: none.
	OIDCIssuer string `envconfig:"OIDC_ISSUER"`
	// OIDCClientID and OIDCClientSecret are this server's at the provider.
	OIDCClientID     string      `envconfig:"OIDC_CLIENT_ID"`
	OIDCClientSecret secret.Text `envconfig:"OIDC_CLIENT_SECRET"`
	// OIDCRoleClaim is the claim that decides about the role, and OIDCRoles the
	// role for each of its values: value:role, separated by commas.
	OIDCRoleClaim string            `envconfig:"OIDC_ROLE_CLAIM" default:"groups"`
	OIDCRoles     map[string]string `envconfig:"OIDC_ROLES"`
	// OIDCScopes are asked for, separated by commas.
	OIDCScopes []string `envconfig:"OIDC_SCOPES" default:"openid,email,profile"`
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix `envconfig:"TRUSTED_PROXIES"`
	// AllowPrivateNetworks lets pushes go to loopback and private addresses.
	AllowPrivateNetworks bool `envconfig:"ALLOW_PRIVATE_NETWORKS" default:"false"`
	// AllowNetworks are networks, addresses and host names that may be called
	// although they are not on the open internet.
	AllowNetworks []string `envconfig:"ALLOW_NETWORKS"`

	// MetricsAddr serves /metrics alone, without a token. Empty: not at all.
	MetricsAddr string `envconfig:"METRICS_ADDR"`
	// MetricsToken is the bearer token for /metrics on Addr. Empty: not served there.
	MetricsToken secret.Text `envconfig:"METRICS_TOKEN"`
	// OTLPEndpoint is the collector that traces go to. Empty: there are none.
	OTLPEndpoint string `envconfig:"OTLP_ENDPOINT"`
	// OTLPHeaders are sent to it: name=value, separated by commas.
	OTLPHeaders secret.Text `envconfig:"OTLP_HEADERS"`
	// TraceShare of the requests is traced, 0 to 1.
	TraceShare float64 `envconfig:"TRACE_SHARE" default:"0.1"`
	// LogFormat is text or json.
	LogFormat string `envconfig:"LOG_FORMAT" default:"text"`
	// LogLevel is the lowest level written.
	LogLevel slog.Level `envconfig:"LOG_LEVEL" default:"info"`

	// MaxBodyBytes of one webhook, after decompression.
	MaxBodyBytes int64 `envconfig:"MAX_BODY_BYTES" default:"8388608"`
	// RateLimit is the most verified requests a second that one connection may
	// receive; zero: no limit.
	RateLimit int `envconfig:"RATE_LIMIT" default:"5000"`
	// RejectLimit is the most refused requests a minute from one address before
	// it gets a 429 unread; zero: no limit.
	RejectLimit int `envconfig:"REJECT_LIMIT" default:"120"`
	// VendorTimeout of one request to a vendor.
	VendorTimeout time.Duration `envconfig:"VENDOR_TIMEOUT" default:"15s"`
	// ProcessBatch is the most inbox rows that one transaction processes; zero
	// fits the database: 1000 on SQLite, 2000 on PostgreSQL.
	ProcessBatch int `envconfig:"PROCESS_BATCH" default:"0"`
	// RetentionDays after which raw bodies and headers are emptied; zero: never.
	RetentionDays int `envconfig:"RETENTION_DAYS" default:"90"`
	// The other classes of data; zero: kept. docs/privacy.md tells what each is.
	RetentionRejectionsDays   int `envconfig:"RETENTION_REJECTIONS_DAYS" default:"30"`
	RetentionAuditDays        int `envconfig:"RETENTION_AUDIT_DAYS" default:"0"`
	RetentionSamplesDays      int `envconfig:"RETENTION_SAMPLES_DAYS" default:"90"`
	RetentionJobsDays         int `envconfig:"RETENTION_JOBS_DAYS" default:"90"`
	RetentionCertificatesDays int `envconfig:"RETENTION_CERTIFICATES_DAYS" default:"0"`
	// ShutdownTimeout for requests and jobs that still run when the process is
	// told to stop.
	ShutdownTimeout time.Duration `envconfig:"SHUTDOWN_TIMEOUT" default:"15s"`
}

// loadConfig reads the settings out of an environment. The error lists every
// mistake; the warnings are sentences for the log.
func loadConfig(env map[string]string) (c Config, warnings []string, err error) {
	mistakes := readSettings(env, &c)
	mistakes = append(mistakes, c.normalise()...)
	if err := errors.Join(mistakes...); err != nil {
		return Config{}, nil, err
	}
	return c, append(unknownSettings(env), c.doubts()...), nil
}
