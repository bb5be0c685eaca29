package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Erase implements connectors.Eraser: every contact and lead of the person,
// converted ones too, is deleted. Salesforce keeps deleted records in its
// recycle bin for 15 days and then drops them; the REST API cannot empty it.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	email := foldEmail(who.Email)
	if email == "" && objectOf(who.VendorID) == "" {
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither an e-mail address nor a contact or lead is known"}, nil
	}
	var ids []string
	for _, object := range c.objects {
		var either []string
		if email != "" {
			either = append(either, "Email="+quoted(email))
		}
		if objectOf(who.VendorID) == object {
			either = append(either, "Id="+quoted(id18(who.VendorID)))
		}
		if len(either) == 0 {
			continue
		}
		rows, err := c.query(ctx, "find the records to erase", "SELECT Id FROM "+object+" WHERE "+strings.Join(either, " OR "))
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if id := text(row["Id"]); objectOf(id) == object {
				ids = append(ids, id18(id))
			}
		}
	}
	deleted := 0
	for chunk := range slices.Chunk(ids, maxBatch) {
		refused, err := c.delete(ctx, chunk)
		switch {
		case err != nil:
			return nil, err
		case refused != nil:
			return refused, nil
		}
		deleted += len(chunk)
	}
	if deleted == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Message: "Salesforce holds no contact or lead of this person", Proof: "no record found"}, nil
	}
	return &connectors.Erased{
		Outcome: connectors.OK,
		Message: "deleted; Salesforce empties its recycle bin after 15 days",
		Proof:   fmt.Sprintf("%d records deleted: %s", deleted, strings.Join(ids, ", ")),
	}, nil
}

// delete removes records; what is gone already is no failure. refused is the
// answer where Salesforce would not delete one.
func (c *Connector) delete(ctx context.Context, ids []string) (refused *connectors.Erased, err error) {
	const act = "delete records"
	var rows []row
	path := c.root + updatePath + "?allOrNone=false&ids=" + url.QueryEscape(strings.Join(ids, ","))
	if err := c.call(ctx, act, http.MethodDelete, path, nil, &rows); err != nil {
		return nil, err
	}
	if len(rows) != len(ids) {
		return nil, &connectors.PushError{Act: "salesforce: " + act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer does not say what became of each record"}
	}
	for _, r := range rows {
		if r.Success {
			continue
		}
		e := c.rowFailure(r)
		switch {
		case e.Reason == connectors.ReasonNotFound:
		case e.Retryable:
			e.Act = "salesforce: " + act
			return nil, e
		default:
			return &connectors.Erased{Outcome: connectors.Permanent, Reason: e.Reason, Message: e.Message}, nil
		}
	}
	return nil, nil
}
