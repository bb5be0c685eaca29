package connectortest

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
)

// logBuffer keeps what a connector logs.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String gives everything logged so far.
func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// secretsOf lists the plain secrets of a configuration that are long enough
// not to stand in a text by chance.
func secretsOf(cfg connectors.Config) []string {
	var plain []string
	for _, values := range cfg.Secrets {
		for _, v := range values {
			if len(v.Reveal()) >= 6 {
				plain = append(plain, v.Reveal())
			}
		}
	}
	return plain
}

// checkClean fails when a text holds one of the connection's secrets.
func checkClean(t testing.TB, cfg connectors.Config, what, text string) {
	t.Helper()
	for _, plain := range secretsOf(cfg) {
		if strings.Contains(text, plain) {
			t.Errorf("%s holds a secret: %s", what, strings.ReplaceAll(text, plain, "<<"+plain[:3]+"…>>"))
		}
	}
}
