package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/secret"
)

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	c, warnings, err := loadConfig(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Addr:                    "127.0.0.1:8080",
		PublicURL:               "http://127.0.0.1:8080",
		DataDir:                 "./data",
		OIDCRoleClaim:           "groups",
		OIDCScopes:              []string{"openid", "email", "profile"},
		TraceShare:              0.1,
		LogFormat:               "text",
		LogLevel:                slog.LevelInfo,
		MaxBodyBytes:            8 << 20,
		RateLimit:               5000,
		RejectLimit:             120,
		VendorTimeout:           15 * time.Second,
		ProcessBatch:            0,
		RetentionDays:           90,
		RetentionRejectionsDays: 30, RetentionSamplesDays: 90, RetentionJobsDays: 90,
		ShutdownTimeout: 15 * time.Second,
	}
	if diff := cmp.Diff(want, c, compareValues); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if len(warnings) > 0 {
		t.Errorf("warnings: %q", warnings)
	}
}

var compareValues = cmp.Options{
	cmp.Comparer(func(a, b secret.Text) bool { return a.Reveal() == b.Reveal() }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

func TestConfigReads(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, warnings, err := loadConfig(map[string]string{
		"STAGEBRIDGE_ADDR":                   "0.0.0.0:80",
		"STAGEBRIDGE_PUBLIC_URL":             "https://bridge.example.com/",
		"STAGEBRIDGE_DATABASE_URL":           "postgres://u:p@db.example.com/x",
		"STAGEBRIDGE_SECRET_KEY_FILE":        file,
		"STAGEBRIDGE_TRUSTED_PROXIES":        "10.0.0.0/8,192.0.2.7/32",
		"STAGEBRIDGE_ALLOW_PRIVATE_NETWORKS": "true",
		"STAGEBRIDGE_LOG_LEVEL":              "warn",
		"STAGEBRIDGE_VENDOR_TIMEOUT":         "2m",
		"STAGEBRIDGE_RETENTION_DAYS":         "0",
		"STAGEBRIDGE_API_TOKEN":              `quoted "token" with \ and , in it`,
		"STAGEBRIDGE_DATA_DIR":               "", // empty is not set
		"STAGEBRIDGE_TEST_POSTGRES_URL":      "of the tests, not of the program",
		"STAGEBRIDGE_ADRR":                   "a slip",
		"REDIS_URL":                          "redis://another-programs-setting",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Addr:                 "0.0.0.0:80",
		PublicURL:            "https://bridge.example.com",
		DatabaseURL:          secret.New("postgres://u:p@db.example.com/x"),
		DataDir:              "./data",
		SecretKey:            secret.New("0123456789abcdef0123456789abcdef"),
		APIToken:             secret.New(`quoted "token" with \ and , in it`),
		OIDCRoleClaim:        "groups",
		OIDCScopes:           []string{"openid", "email", "profile"},
		TrustedProxies:       []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32")},
		AllowPrivateNetworks: true,
		TraceShare:           0.1,
		LogFormat:            "text",
		LogLevel:             slog.LevelWarn,
		MaxBodyBytes:         8 << 20,
		RateLimit:            5000,
		RejectLimit:          120,
		VendorTimeout:        2 * time.Minute,
		ProcessBatch:         0,
		ShutdownTimeout:      15 * time.Second,

		RetentionRejectionsDays: 30, RetentionSamplesDays: 90, RetentionJobsDays: 90,
	}
	if diff := cmp.Diff(want, c, compareValues); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	wantWarnings := []string{
		"STAGEBRIDGE_ADRR is not a setting and is ignored",
		"STAGEBRIDGE_ALLOW_PRIVATE_NETWORKS is on: a connection's URL may reach services of your own network",
	}
	if diff := cmp.Diff(wantWarnings, warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestConfigListsEveryMistake(t *testing.T) {
	t.Parallel()
	_, _, err := loadConfig(map[string]string{
		"STAGEBRIDGE_ADDR":                   "8080",
		"STAGEBRIDGE_PUBLIC_URL":             "bridge.example.com",
		"STAGEBRIDGE_DATABASE_URL":           "mysql://root:hunter2@db.example.com/x",
		"STAGEBRIDGE_REDIS_URL":              "hunter2@redis.example.com",
		"STAGEBRIDGE_TRUSTED_PROXIES":        "10.0.0.1",
		"STAGEBRIDGE_ALLOW_PRIVATE_NETWORKS": "perhaps",
		"STAGEBRIDGE_ALLOW_NETWORKS":         "10.2.0.0/16,http://crm.internal",
		"STAGEBRIDGE_SECRET_KEY_PREVIOUS":    "0123456789abcdef0123456789abcdef hunter2",
		"STAGEBRIDGE_METRICS_ADDR":           "example.com:99999",
		"STAGEBRIDGE_METRICS_TOKEN_FILE":     "/does/not/exist",
		"STAGEBRIDGE_API_TOKEN":              "hunter2",
		"STAGEBRIDGE_API_TOKEN_FILE":         "/does/not/exist",
		"STAGEBRIDGE_LOG_FORMAT":             "xml",
		"STAGEBRIDGE_LOG_LEVEL":              "loud",
		"STAGEBRIDGE_MAX_BODY_BYTES":         "8MB",
		"STAGEBRIDGE_RATE_LIMIT":             "-1",
		"STAGEBRIDGE_PROCESS_BATCH":          "-1",
		"STAGEBRIDGE_VENDOR_TIMEOUT":         "15",
		"STAGEBRIDGE_SHUTDOWN_TIMEOUT":       "1h",
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`STAGEBRIDGE_ADDR is "8080", want host:port`,
		`STAGEBRIDGE_PUBLIC_URL is "bridge.example.com", want https:// and a host`,
		`STAGEBRIDGE_DATABASE_URL wants postgres://`,
		`STAGEBRIDGE_REDIS_URL wants redis://`,
		`STAGEBRIDGE_SECRET_KEY is required with STAGEBRIDGE_DATABASE_URL`,
		`STAGEBRIDGE_SECRET_KEY_PREVIOUS holds a key of 7 bytes`,
		`STAGEBRIDGE_TRUSTED_PROXIES is "10.0.0.1", want networks`,
		`STAGEBRIDGE_ALLOW_PRIVATE_NETWORKS is "perhaps", want true or false`,
		`STAGEBRIDGE_ALLOW_NETWORKS has "http://crm.internal" is neither a network`,
		`STAGEBRIDGE_METRICS_ADDR is "example.com:99999", want host:port`,
		`STAGEBRIDGE_METRICS_TOKEN_FILE: stat /does/not/exist`,
		`STAGEBRIDGE_API_TOKEN and STAGEBRIDGE_API_TOKEN_FILE are both set`,
		`STAGEBRIDGE_LOG_FORMAT is "xml", want text or json`,
		`STAGEBRIDGE_LOG_LEVEL is "loud", want debug, info, warn or error`,
		`STAGEBRIDGE_MAX_BODY_BYTES is "8MB", want a whole number`,
		`STAGEBRIDGE_RATE_LIMIT is -1, want 0 to`,
		`STAGEBRIDGE_PROCESS_BATCH is -1, want 0 to`,
		`STAGEBRIDGE_VENDOR_TIMEOUT is "15", want a duration`,
		`STAGEBRIDGE_SHUTDOWN_TIMEOUT is 1h0m0s, want 1s to`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q", want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows a secret: %v", err)
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != 19 {
		t.Errorf("%d mistakes, want 19:\n%v", lines, err)
	}
}

func TestConfigKeyLength(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]struct{ mistake, warning string }{
		15: {mistake: "STAGEBRIDGE_SECRET_KEY has 15 bytes, want 16 or more"},
		16: {warning: "STAGEBRIDGE_SECRET_KEY is shorter than 32 characters"},
		32: {},
	} {
		_, warnings, err := loadConfig(map[string]string{"STAGEBRIDGE_SECRET_KEY": strings.Repeat("k", length)})
		if mistake := fmt.Sprint(err); (err == nil) != (want.mistake == "") || !strings.Contains(mistake, want.mistake) && err != nil {
			t.Errorf("%d bytes: error %v, want %q", length, err, want.mistake)
		}
		if warning := strings.Join(warnings, "\n"); !strings.HasPrefix(warning, want.warning) || want.warning == "" && warning != "" {
			t.Errorf("%d bytes: warnings %q, want %q", length, warnings, want.warning)
		}
	}
}

// TestConfigExample compares config.example.env with the settings, both ways.
func TestConfigExample(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../../config.example.env")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	lines := strings.Split(string(example), "\n")
	for i, line := range lines {
		m := regexp.MustCompile(`^# (STAGEBRIDGE_[A-Z_]+)=(.*)$`).FindStringSubmatch(line)
		if m == nil {
			if line != "" && !strings.HasPrefix(line, "#") {
				t.Errorf("line %d sets something by itself: %s", i+1, line)
			}
			continue
		}
		if _, twice := listed[m[1]]; twice {
			t.Errorf("%s is listed twice", m[1])
		}
		listed[m[1]] = m[2]
		if i == 0 || !regexp.MustCompile(`^# .*[.a-z0-9]$`).MatchString(lines[i-1]) {
			t.Errorf("%s has no meaning written above it", m[1])
		}
	}
	settings := map[string]string{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		settings[prefix+f.Tag.Get("envconfig")] = f.Tag.Get("default")
	}
	if diff := cmp.Diff(settings, listed); diff != "" {
		t.Errorf("settings of the program (-) and of config.example.env (+):\n%s", diff)
	}
}
