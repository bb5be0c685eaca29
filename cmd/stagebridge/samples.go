package main

import (
	"context"
	"net/http"
	"time"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/sample"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/secret"
)

// samplePerson is whom a sample is about that a person sends from a page.
const samplePerson = "sample@example.com"

// samples implements web.Samples.
type samples struct{ vault *secret.Vault }

// Types implements web.Samples.
func (samples) Types(connector string) []string { return sample.Types(connector) }

// Sample implements web.Samples.
func (s samples) Sample(ctx context.Context, conn *jobs.Conn, kind string) (*http.Request, error) {
	secrets, err := jobs.OpenSecrets(s.vault, conn.ID, conn.Secrets)
	if err != nil {
		return nil, err
	}
	return sample.Request(ctx, sample.Options{
		Connector: conn.Connector, Settings: conn.Settings, Secrets: secrets, URL: conn.PublicURL, Type: kind, Email: samplePerson, Stamp: time.Now(),
	})
}
