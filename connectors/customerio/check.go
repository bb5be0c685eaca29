package customerio

import (
	"context"
	"fmt"
	"net/http"
)

// Check implements connectors.Checker: it asks each of the two APIs that the
// connection has a key for.
func (c *Connector) Check(ctx context.Context) (string, error) {
	const act = "test the connection"
	var said string
	if c.track.open() {
		var at struct {
			Region    string `json:"region"`
			Workspace int64  `json:"environment_id"`
		}
		if err := c.track.call(ctx, act, http.MethodGet, "/api/v1/accounts/region", nil, &at); err != nil {
			return "", err
		}
		if at.Region != "" && at.Region != c.region {
			return "", settingError(act, "the workspace is held in the region "+short(at.Region)+"; choose that one")
		}
		said = fmt.Sprintf("Customer.io takes the Track API key of workspace %d, region %s. ", at.Workspace, c.region)
	}
	if c.app.open() {
		var list struct {
			Segments []struct{} `json:"segments"`
		}
		if err := c.app.call(ctx, act, http.MethodGet, "/v1/segments", nil, &list); err != nil {
			return "", err
		}
		said += fmt.Sprintf("It takes the App API key too; the workspace has %d segments.", len(list.Segments))
	}
	if said == "" {
		return "", settingError(act, "no API key is set; receiving webhooks does without one")
	}
	return said, nil
}
