package salesforce

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// fieldMaker makes the fields that a push writes, once.
type fieldMaker struct {
	c    *Connector
	turn chan struct{}   // guards made
	made map[string]bool // by object
}

// customField is the body that makes a field (Tooling API, "CustomField").
type customField struct {
	FullName string        `json:"FullName"`
	Metadata fieldMetadata `json:"Metadata"`
}

type fieldMetadata struct {
	Label        string `json:"label"`
	Type         string `json:"type"`
	Length       int    `json:"length"`
	VisibleLines int    `json:"visibleLines,omitempty"`
	ExternalID   bool   `json:"externalId,omitempty"`
	Unique       bool   `json:"unique,omitempty"`
}

// fieldPermission lets the users of a permission set see and edit a field
// (Object Reference, "FieldPermissions"). Without it a new field is hidden.
type fieldPermission struct {
	Parent string `json:"ParentId"`
	Object string `json:"SobjectType"`
	Field  string `json:"Field"`
	Read   bool   `json:"PermissionsRead"`
	Edit   bool   `json:"PermissionsEdit"`
}

// need makes sure of the fields where the connection may make them; else it
// leaves it to the rows of a push to say what is missing. Any error is a
// *connectors.PushError.
func (m *fieldMaker) need(ctx context.Context, objects ...string) error {
	if !m.c.makeFields {
		return nil
	}
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return &connectors.PushError{Act: "salesforce: look for the fields", Reason: connectors.ReasonTimeout, Retryable: true, Err: ctx.Err()}
	}
	defer func() { <-m.turn }()
	for _, object := range objects {
		if m.made[object] {
			continue
		}
		if err := m.forObject(ctx, object); err != nil {
			return err
		}
		m.made[object] = true
	}
	return nil
}

// forObject makes the fields of one object, unless all of them can be seen.
func (m *fieldMaker) forObject(ctx context.Context, object string) error {
	wanted := m.wanted(object)
	var names []string
	for _, f := range wanted {
		names = append(names, strings.TrimPrefix(f.FullName, object+"."))
	}
	soql := "SELECT Id," + strings.Join(names, ",") + " FROM " + object + " LIMIT 1"
	err := m.c.call(ctx, "look for the fields of "+object, http.MethodGet, m.c.root+"/query?q="+url.QueryEscape(soql), nil, nil)
	if err == nil || failure(err).Reason != connectors.ReasonSettings {
		return err
	}
	parent, err := m.permissionSet(ctx)
	if err != nil {
		return err
	}
	for _, f := range wanted {
		err := m.c.call(ctx, "create the field "+f.FullName, http.MethodPost, m.c.root+"/tooling/sobjects/CustomField", f, nil)
		if err != nil && !said(err, "DUPLICATE") {
			return err
		}
		grant := fieldPermission{Parent: parent, Object: object, Field: f.FullName, Read: true, Edit: true}
		err = m.c.call(ctx, "give access to the field "+f.FullName, http.MethodPost, m.c.root+"/sobjects/FieldPermissions", grant, nil)
		if err != nil && !said(err, "DUPLICATE") {
			return err
		}
	}
	return nil
}

// wanted lists the fields of an object.
func (m *fieldMaker) wanted(object string) []customField {
	fields := []customField{
		{object + "." + m.c.stage, fieldMetadata{Label: label(m.c.stage), Type: "Text", Length: 80}},
		{object + "." + m.c.segments, fieldMetadata{Label: label(m.c.segments), Type: "LongTextArea", Length: 32768, VisibleLines: 3}},
	}
	if m.c.cfg.Push.Create && object != objectAccount || object == objectAccount && m.c.createsAccounts() {
		fields = append(fields, customField{object + "." + m.c.external, fieldMetadata{Label: label(m.c.external), Type: "Text", Length: 80, ExternalID: true, Unique: true}})
	}
	return fields
}

// permissionSet finds the one that the setting names.
func (m *fieldMaker) permissionSet(ctx context.Context) (string, error) {
	const act = "find the permission set"
	rows, err := m.c.query(ctx, act, "SELECT Id FROM PermissionSet WHERE Name="+quoted(m.c.permissionSet))
	if err != nil {
		return "", err
	}
	if len(rows) == 0 || !isID(text(rows[0]["Id"]), "0PS") {
		return "", &connectors.PushError{Act: "salesforce: " + act, Reason: connectors.ReasonSettings, Message: "there is no permission set with the API name " + m.c.permissionSet}
	}
	return text(rows[0]["Id"]), nil
}

// said reports whether an error is one of Salesforce's with a code that begins
// so.
func said(err error, code string) bool { return strings.HasPrefix(failure(err).Message, code) }

// label is what people see of a field.
func label(field string) string {
	return strings.ReplaceAll(strings.TrimSuffix(field, "__c"), "_", " ")
}
