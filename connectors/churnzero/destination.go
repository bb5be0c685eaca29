package churnzero

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// maxBatch is how many actions one request brings. ChurnZero names no limit.
const maxBatch = 100

// takenUnseen is said of whoever was sent.
const takenUnseen = "ChurnZero took it and does not say what became of it"

// Traits that tell who a contact is, instead of being attributes.
const (
	traitAccount = "accountExternalId"
	traitContact = "contactExternalId"
)

// Limits implements connectors.Destination.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: one action for each contact, all in
// one request. ChurnZero's answer is the same picture whatever became of them,
// so that whoever was sent ends unconfirmed.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	results := make([]connectors.Result, len(updates))
	var sent []int
	var actions []map[string]any
	for i := range updates {
		action, result := c.action(&updates[i])
		results[i] = result
		if action != nil {
			sent, actions = append(sent, i), append(actions, action)
		}
	}
	if len(actions) == 0 {
		return results, nil
	}
	if err := c.api.call(ctx, "write contacts", http.MethodPost, "", actions, nil); err != nil {
		return nil, err
	}
	for _, i := range sent {
		results[i].Outcome, results[i].Message = connectors.Unconfirmed, takenUnseen
	}
	return results, nil
}

// action is what has to be sent for an update; nil where that is nothing, and
// then the result says why.
func (c *Connector) action(u *connectors.Update) (map[string]any, connectors.Result) {
	attributes := c.needed(u)
	if len(attributes) == 0 {
		return nil, connectors.Result{Outcome: connectors.OK}
	}
	who, known := splitID(u.VendorID)
	switch {
	case known:
	case !c.cfg.Push.Create:
		return nil, connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "ChurnZero never named this person, and push.create is off"}
	default:
		if who = c.newContact(u); who.account == "" || who.contact == "" {
			return nil, connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "a contact needs its account's external id (map a trait to accountExternalId) and one of its own"}
		}
		if u.Known == nil && u.Email != "" {
			attributes["attr_Email"] = u.Email
		}
	}
	for name, value := range map[string]any{
		"appKey": c.cfg.Secret(secretApp).Reveal(), "action": "setAttribute", "entity": "contact",
		traitAccount: who.account, traitContact: who.contact,
	} {
		attributes[name] = value
	}
	return attributes, connectors.Result{VendorID: who.String()}
}

// needed lists the attributes that differ from what the vendor is known to
// hold; all of them where that is not known. The segments' attribute is ours
// alone and always written whole.
func (c *Connector) needed(u *connectors.Update) map[string]any {
	known := connectors.State{}
	if u.Known != nil {
		known = *u.Known
	}
	attributes := map[string]any{}
	if u.Want.Stage != "" && u.Want.Stage != known.Stage {
		attributes["attr_"+c.stage] = u.Want.Stage
	}
	missing := func(names, held []string) bool {
		return slices.ContainsFunc(names, func(s string) bool { return !slices.Contains(held, s) })
	}
	if missing(u.Want.Segments, known.Segments) || missing(u.Want.Absent, known.Absent) {
		attributes["attr_"+c.segments] = strings.Join(u.Want.Segments, ", ")
	}
	for name, value := range u.Want.Traits {
		held, ok := known.Traits[name]
		if name != traitAccount && name != traitContact && (!ok || textOf(held) != textOf(value)) {
			attributes["attr_"+name] = textOf(value)
		}
	}
	return attributes
}

// contactID names a contact: its own external id means nothing without its
// account's.
type contactID struct{ account, contact string }

// String joins the two into the form that VendorID and the rules use.
func (id contactID) String() string { return id.account + "|" + id.contact }

// splitID takes the two apart; false where the text is not of that form.
func splitID(text string) (contactID, bool) {
	account, contact, ok := strings.Cut(text, "|")
	if !ok || account == "" || contact == "" || strings.Contains(contact, "|") {
		return contactID{}, false
	}
	return contactID{account, contact}, true
}

// newContact says what a contact that ChurnZero does not have yet is to be
// called. An account that is not there would be made without a word, so only
// one that a trait or the setting names is taken.
func (c *Connector) newContact(u *connectors.Update) contactID {
	id := contactID{account: cmp.Or(textOf(u.Want.Traits[traitAccount]), c.newAccount), contact: textOf(u.Want.Traits[traitContact])}
	switch {
	case id.contact != "":
	case c.newID == "email":
		id.contact = strings.ToLower(u.Email)
	default:
		for _, k := range u.Keys {
			if k.Namespace == lifecycle.NamespaceUser {
				id.contact = k.Value
				break
			}
		}
	}
	if strings.Contains(id.account+id.contact, "|") {
		return contactID{}
	}
	return id
}

// textOf spells a value as ChurnZero reads it: ISO 8601 dates, True and False.
// Nothing blanks the attribute.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case lifecycle.Instant:
		return v.Time().Format("2006-01-02T15:04:05Z")
	case []any:
		texts := make([]string, len(v))
		for i, one := range v {
			texts[i] = textOf(one)
		}
		return strings.Join(texts, ", ")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return strings.Trim(string(b), `"`)
}
