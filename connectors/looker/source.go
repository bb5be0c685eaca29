package looker

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Paths below the connection's own URL. The URL itself lists the actions.
const (
	formPath    = "/people/form"
	executePath = "/people/execute"
	webhookPath = "/webhook"
	// actionName is the action's name within the hub.
	actionName = "stagebridge_people"
	// webhookHeader carries the token of an instance, in versions that have one.
	webhookHeader = "X-Looker-Webhook-Token"
	// deliveryHeader is the delivery's id.
	deliveryHeader = "X-Looker-Webhook-Id"
	maxListRunes   = 100
)

// Receive implements connectors.Source. Looker asks for everything with POST.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	path := strings.TrimSuffix(r.Path, "/")
	if !slices.Contains([]string{"", formPath, executePath, webhookPath}, path) {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "want POST")
	}
	if path == webhookPath {
		return c.receiveWebhook(r)
	}
	if err := verifyHub(r, c.cfg.Keys(secretHub)); err != nil {
		return nil, err
	}
	switch path {
	case formPath:
		return reply(c.form())
	case executePath:
		return c.execute(r, nil)
	}
	return reply(c.list())
}

// receiveWebhook takes a schedule's delivery. It has no form, so what the rows
// mean stands in the URL that was entered: ?kind=stage&list=trial.
func (c *Connector) receiveWebhook(r *connectors.Request) (*connectors.Receipt, error) {
	query, err := url.ParseQuery(r.Query)
	if err != nil {
		return nil, connectors.Reject(connectors.ErrSignature, "the query of the URL cannot be read")
	}
	if err := verifyWebhook(r, query, c.cfg.Keys(secretWebhook)); err != nil {
		return nil, err
	}
	return c.execute(r, map[string]string{"kind": query.Get("kind"), "list": query.Get("list")})
}

// execute turns a delivery into one raw event a row and says in Looker's words
// what became of it. What cannot be taken is kept whole, since a schedule's
// owner may not see the answer.
func (c *Connector) execute(r *connectors.Request, params map[string]string) (*connectors.Receipt, error) {
	d, failed := c.read(r.Body, params)
	if failed == nil {
		d.delivery = r.Header.Get(deliveryHeader)
		var events []connectors.RawEvent
		var nobody int
		if events, nobody, failed = d.events(); failed == nil {
			words := fmt.Sprintf("rows queued: %d", len(events))
			if nobody > 0 {
				words += fmt.Sprintf("; rows left out since they name nobody: %d", nobody)
			}
			receipt, err := reply(map[string]any{"looker": map[string]any{"success": true, "message": words, "refresh_query": false}})
			if err == nil {
				receipt.Events = events
			}
			return receipt, err
		}
	}
	answer := map[string]any{"success": false, "message": failed.words}
	if failed.field != "" {
		answer["validation_errors"] = map[string]string{failed.field: failed.words}
	}
	receipt, err := reply(map[string]any{"looker": answer})
	if err == nil {
		receipt.Events = []connectors.RawEvent{{
			Type: "delivery", Body: r.Body, Broken: failed.words,
			Dedupe: connectors.Dedupe("delivery", r.Header.Get(deliveryHeader), string(r.Body)),
		}}
	}
	return receipt, err
}

// refusal is why a delivery is not taken: words for the person who sends it,
// and the field of the form that is to blame.
type refusal struct{ field, words string }

// reply makes a receipt that answers with JSON.
func reply(v any) (*connectors.Receipt, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the answer cannot be written")
	}
	return &connectors.Receipt{Reply: connectors.Reply{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}}, nil
}

// list tells Looker of the one action.
func (c *Connector) list() any {
	action := map[string]any{
		"name": actionName, "label": c.label + ": people", "description": "Deliver rows of people to " + c.label,
		"url": c.cfg.PublicURL + executePath, "form_url": c.cfg.PublicURL + formPath,
		"supported_action_types": []string{"query"}, "supported_formats": []string{"json_detail"},
		"supported_formattings": []string{"unformatted"}, "supported_visualization_formattings": []string{"noapply"},
		"supported_download_settings": []string{"push"}, "params": []any{}, "uses_oauth": false,
	}
	if c.columns["email"] == "" && c.columns["user"] == "" {
		// Looker then offers the action only for results that name people.
		action["required_fields"] = []any{map[string]any{"any_tag": []string{"email", "user_id"}}}
	}
	return map[string]any{"label": c.label, "integrations": []any{action}}
}

// form asks what the rows mean.
func (c *Connector) form() any {
	var options []map[string]string
	for _, k := range kinds() {
		options = append(options, map[string]string{"name": k.name, "label": k.label})
	}
	return map[string]any{"fields": []any{
		map[string]any{"name": "kind", "label": "What each row says", "type": "select", "default": kinds()[0].name, "required": true, "options": options},
		map[string]any{"name": "list", "label": "Name of the list", "type": "text", "required": false, "description": "Kept with each person; empty takes the title of the Look or schedule"},
	}}
}

// verifyHub proves Looker by the token that its administrator entered with the
// hub: Authorization: Token token="…".
func verifyHub(r *connectors.Request, keys []secret.Text) error {
	values := r.Header.Values("Authorization")
	switch {
	case len(keys) == 0:
		return connectors.Reject(connectors.ErrUnconfigured, "set hub_token, so that Looker can be proved")
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header Authorization is missing; enter the token under Configure Authorization of the hub")
	case len(values) > 1:
		return connectors.Reject(connectors.ErrSignature, "the header Authorization is there %d times", len(values))
	}
	given, ok := strings.CutPrefix(values[0], `Token token="`)
	given, closed := strings.CutSuffix(given, `"`)
	if !ok || !closed || !matches(given, keys) {
		return connectors.Reject(connectors.ErrSignature, "the token in Authorization fits no hub_token of this connection")
	}
	return nil
}

// verifyWebhook proves a schedule by the instance's token or by the key in the
// URL; an instance may send a token of its own beside our key.
func verifyWebhook(r *connectors.Request, query url.Values, keys []secret.Text) error {
	headers := slices.DeleteFunc(slices.Clone(r.Header.Values(webhookHeader)), func(v string) bool { return v == "" })
	given := slices.DeleteFunc(slices.Clone(query["key"]), func(v string) bool { return v == "" })
	switch {
	case len(keys) == 0:
		return connectors.Reject(connectors.ErrUnconfigured, "set webhook_secret, so that the sender can be proved")
	case len(headers) == 0 && len(given) == 0:
		return connectors.Reject(connectors.ErrUnsigned, "the URL lacks ?key= and the header %s is missing", webhookHeader)
	case len(headers) > 1 || len(given) > 1:
		return connectors.Reject(connectors.ErrSignature, "the key or the token is there more than once")
	}
	proved := false
	for _, v := range slices.Concat(headers, given) {
		proved = matches(v, keys) || proved
	}
	if !proved {
		return connectors.Reject(connectors.ErrSignature, "neither key= nor %s fits a webhook_secret of this connection", webhookHeader)
	}
	return nil
}

func matches(given string, keys []secret.Text) bool {
	matched := false
	for _, key := range keys {
		matched = key.Equal(given) || matched
	}
	return matched
}
