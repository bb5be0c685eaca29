// Package otlp sends spans to a collector of OpenTelemetry, over HTTP and as
// JSON (OTLP 1.x). The exporters of OpenTelemetry's own bring gRPC with them,
// which is several times the size of what is sent here.
package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagebridge/stagebridge/secret"
)

// Bounds of one export.
const (
	timeout   = 10 * time.Second
	maxAnswer = 64 << 10
	tries     = 3
	pause     = time.Second
)

// Exporter implements trace.SpanExporter. It is safe for concurrent use.
type Exporter struct {
	url     string
	headers map[string]secret.Text
	client  *http.Client
}

// New gives an exporter to a collector's address, such as
// http://collector.example.com:4318; /v1/traces is added unless it ends so.
// headers are sent along, such as the collector's token: name=value, separated
// by commas.
func New(endpoint string, headers secret.Text) (*Exporter, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("otlp: %q is not an address such as http://collector.example.com:4318", endpoint)
	}
	if !strings.HasSuffix(u.Path, "/v1/traces") {
		u = u.JoinPath("v1", "traces")
	}
	e := &Exporter{url: u.String(), headers: map[string]secret.Text{}, client: &http.Client{Timeout: timeout}}
	for pair := range strings.SplitSeq(headers.Reveal(), ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, fmt.Errorf("otlp: the headers are not of the form name=value,name=value")
		}
		e.headers[strings.TrimSpace(name)] = secret.New(strings.TrimSpace(value))
	}
	return e, nil
}

// ExportSpans implements trace.SpanExporter. A collector that asks to wait is
// asked again twice; then these spans are dropped, which the error says.
func (e *Exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	body, err := encode(spans)
	if err != nil {
		return fmt.Errorf("otlp: encode: %w", err)
	}
	for n := 1; ; n++ {
		again, err := e.send(ctx, body)
		if err == nil || !again || n == tries {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("otlp: %w", ctx.Err())
		case <-time.After(pause * time.Duration(n)):
		}
	}
}

// Shutdown implements trace.SpanExporter.
func (e *Exporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

func (e *Exporter) send(ctx context.Context, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("otlp: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	for name, value := range e.headers {
		req.Header.Set(name, value.Reveal())
	}
	res, err := e.client.Do(req)
	if err != nil {
		return true, fmt.Errorf("otlp: %w", err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)); err != nil {
		return false, fmt.Errorf("otlp: %w", err)
	}
	switch {
	case res.StatusCode < 300:
		return false, nil
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode >= 502 && res.StatusCode <= 504:
		again = true // what the specification lists as worth another try
	}
	return again, fmt.Errorf("otlp: the collector answered %s", res.Status)
}

func encode(spans []sdk.ReadOnlySpan) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := json.NewEncoder(z).Encode(request(spans)); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
