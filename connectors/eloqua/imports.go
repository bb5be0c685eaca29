package eloqua

import (
	"context"
	"net/http"
	"regexp"

	"github.com/stagebridge/stagebridge/connectors"
)

// Columns of our imports, and what they stand for.
const (
	columnID    = "contactId"
	columnEmail = "email"

	statementID    = "{{Contact.Id}}"
	statementEmail = "{{Contact.Field(C_EmailAddress)}}"
)

// keep is how long Eloqua keeps a definition and what it staged: long enough
// for the log of a sync to be read.
const keep = "P1D"

// Addresses that the Bulk API answers with.
var (
	importForm = regexp.MustCompile(`^/contacts/imports/[0-9]{1,18}$`)
	exportForm = regexp.MustCompile(`^/activities/exports/[0-9]{1,18}$`)
	syncForm   = regexp.MustCompile(`^/syncs/([0-9]{1,18})$`)
)

// importContacts defines an import, gives it the data and starts its sync,
// whose number is the answer. Each import has a definition of its own: one must
// not be used again while its sync runs.
func (c *Connector) importContacts(ctx context.Context, d definition, data []map[string]string) (sync string, err error) {
	d.AutoDelete, d.Retention = keep, keep
	if d.UpdateRule == "" {
		d.UpdateRule = "always"
	}
	var made resource
	if err := c.api.call(ctx, "define an import", http.MethodPost, bulk+"/contacts/imports", d, &made); err != nil {
		return "", ofSettings(err)
	}
	if !importForm.MatchString(made.URI) {
		return "", badAnswer("define an import")
	}
	if err := c.api.call(ctx, "send the data of an import", http.MethodPost, bulk+made.URI+"/data", data, nil); err != nil {
		return "", err
	}
	return c.startSync(ctx, made.URI)
}

// startSync sets Eloqua to work on a definition.
func (c *Connector) startSync(ctx context.Context, uri string) (string, error) {
	var started resource
	if err := c.api.call(ctx, "start a sync", http.MethodPost, bulk+"/syncs", syncStart{uri}, &started); err != nil {
		return "", ofSettings(err)
	}
	number := syncForm.FindStringSubmatch(started.URI)
	if number == nil {
		return "", badAnswer("start a sync")
	}
	return number[1], nil
}

func badAnswer(act string) error {
	return &connectors.PushError{Act: "eloqua: " + act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer does not say under which address to go on"}
}
