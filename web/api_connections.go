package web

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// connectorBody is a vendor as the catalogue has it.
type connectorBody struct {
	*connectors.Descriptor
	Guide string `json:"guide"`
	// Capabilities are what a connection of it can do, see
	// connectors.Capabilities.Names.
	Capabilities []string `json:"capabilities"`
}

func (w *Web) apiConnectors(c echo.Context) error {
	var items []connectorBody
	for _, v := range w.registry.Catalog() {
		can, err := connectors.CapabilitiesOf(v)
		if err != nil {
			return err
		}
		d := *v.Descriptor
		d.Secrets, d.Settings, d.Events, d.Limits, d.Links = some(d.Secrets), some(d.Settings), some(d.Events), some(d.Limits), some(d.Links)
		items = append(items, connectorBody{&d, string(d.Guide), can.Names()})
	}
	return c.JSON(http.StatusOK, list(items, ""))
}

// connectionBody is a connection as it is shown: of secrets only that they
// are there.
type connectionBody struct {
	ID           string            `json:"id"`
	Connector    string            `json:"connector"`
	WebhookURL   string            `json:"webhook_url"`
	Settings     map[string]string `json:"settings"`
	Secrets      map[string]string `json:"secrets"`
	Rotating     []string          `json:"rotating"`
	Push         pushBody          `json:"push"`
	RulesVersion int64             `json:"rules_version"`
	Paused       bool              `json:"paused"`
	Error        string            `json:"error"`
	Version      int64             `json:"version"`
	CreatedAt    string            `json:"created_at"`
	UpdatedAt    string            `json:"updated_at"`
}

func (w *Web) connectionOf(conn *jobs.Conn) connectionBody {
	all, rotating := w.registry.SecretNames(conn)
	b := connectionBody{
		ID: conn.ID, Connector: conn.Connector, WebhookURL: conn.PublicURL, Settings: map[string]string{}, Secrets: map[string]string{},
		Rotating: []string{}, Push: pushOf(conn.Push), RulesVersion: conn.Connection.Rules, Paused: conn.Paused,
		Version: conn.Version, CreatedAt: when(conn.Created), UpdatedAt: when(conn.Updated),
	}
	// The stored settings rather than those in force, so that what is read can
	// be written back without making today's defaults permanent.
	if json.Unmarshal([]byte(conn.Connection.Settings), &b.Settings) != nil || b.Settings == nil {
		b.Settings = map[string]string{}
	}
	for _, name := range all {
		b.Secrets[name] = secret.Redacted
	}
	b.Rotating = append(b.Rotating, rotating...)
	switch {
	case conn.Err != nil:
		b.Error = conn.Err.Error()
	case conn.RulesErr != nil:
		b.Error = conn.RulesErr.Error()
	}
	return b
}

// pushBody is the push block, spelt as in a workspace file.
type pushBody struct {
	Enabled  bool              `json:"enabled"`
	Create   bool              `json:"create"`
	Stages   map[string]string `json:"stages,omitempty"`
	Unmapped string            `json:"unmapped,omitempty"`
	Segments json.RawMessage   `json:"segments,omitempty"`
	Traits   map[string]string `json:"traits,omitempty"`
	Audience string            `json:"audience,omitempty"`
	Since    string            `json:"since,omitempty"`
	MaxAge   string            `json:"max_age,omitempty"`
	// Lifecycles are the further lifecycles that are written, by id.
	Lifecycles map[string]connectors.LifecyclePush `json:"lifecycles,omitempty"`
	// Accounts is the push block of accounts.
	Accounts *pushBody `json:"accounts,omitempty"`
}

func pushOf(p connectors.PushConfig) pushBody {
	b := pushBody{Enabled: p.Enabled, Create: p.Create, Stages: p.Stages, Unmapped: p.Unmapped, Traits: p.Traits, Lifecycles: p.Lifecycles, Audience: p.Audience, Since: when(p.Since), MaxAge: p.MaxAge}
	switch {
	case p.SegmentNames != nil:
		b.Segments, _ = json.Marshal(p.SegmentNames) // texts always encode
	case p.Segments != "":
		b.Segments, _ = json.Marshal(p.Segments)
	}
	if p.Accounts != nil {
		accounts := pushOf(*p.Accounts)
		b.Accounts = &accounts
	}
	return b
}

func (b *pushBody) config() (*connectors.PushConfig, error) {
	p := &connectors.PushConfig{Enabled: b.Enabled, Create: b.Create, Stages: b.Stages, Unmapped: b.Unmapped, Traits: b.Traits, Lifecycles: b.Lifecycles, Audience: b.Audience, MaxAge: b.MaxAge}
	if len(b.Segments) > 0 && json.Unmarshal(b.Segments, &p.Segments) != nil && json.Unmarshal(b.Segments, &p.SegmentNames) != nil {
		return nil, badRequest("push.segments", "must be all, none or a list of names")
	}
	var err error
	if p.Since, err = instantOf("push.since", b.Since); err != nil || b.Accounts == nil {
		return p, err
	}
	a := b.Accounts
	if a.Accounts != nil || len(a.Traits) > 0 || len(a.Lifecycles) > 0 || a.Audience != "" || a.Since != "" || a.MaxAge != "" {
		return nil, badRequest("push.accounts", "holds enabled, create, stages, unmapped and segments only")
	}
	p.Accounts, err = a.config()
	return p, err
}

// settingText takes what JSON people write for a setting: a text, a number or
// true and false.
type settingText string

// UnmarshalJSON implements json.Unmarshaler.
func (t *settingText) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err == nil {
		*t = settingText(s)
		return nil
	}
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] != '{' && b[0] != '[' {
		*t = settingText(b)
		return nil
	}
	return badRequest("settings", "must be texts, numbers, true or false")
}

// connectionInput is the body of POST and PUT.
type connectionInput struct {
	ID             string                  `json:"id"`
	Connector      string                  `json:"connector"`
	Settings       map[string]*settingText `json:"settings"`
	Secrets        map[string]*string      `json:"secrets"`
	ForgetPrevious bool                    `json:"forget_previous"`
	Push           *pushBody               `json:"push"`
	Rules          *string                 `json:"rules"`
}

func (in *connectionInput) input(author string) (jobs.ConnectionInput, error) {
	out := jobs.ConnectionInput{ID: in.ID, Connector: in.Connector, ForgetPrevious: in.ForgetPrevious, Rules: in.Rules, Author: author}
	if in.Settings != nil {
		out.Settings = map[string]string{}
		for name, v := range in.Settings {
			if v != nil && string(*v) != "null" {
				out.Settings[name] = string(*v)
			}
		}
	}
	for name, v := range in.Secrets {
		if out.Secrets == nil {
			out.Secrets = map[string]secret.Text{}
		}
		if v == nil {
			out.Secrets[name] = secret.Text{}
		} else {
			out.Secrets[name] = secret.New(*v)
		}
	}
	if in.Push != nil {
		var err error
		if out.Push, err = in.Push.config(); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (w *Web) apiConnections(c echo.Context) error {
	var items []connectionBody
	cfg := w.registry.Config()
	for _, id := range w.registry.IDs() {
		if conn := cfg.Connections[id]; conn != nil {
			items = append(items, w.connectionOf(conn))
		}
	}
	return c.JSON(http.StatusOK, list(items, ""))
}

func (w *Web) apiConnection(c echo.Context) error {
	conn, err := w.registry.Find(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	whole := connectionWhole{connectionBody: w.connectionOf(conn)}
	if conn.Destination() != nil {
		d, err := w.admin.Delivery(c.Request().Context(), conn.ID)
		if err != nil {
			return err
		}
		whole.Delivery = &deliveryBody{d.People, d.Waiting, d.Adding}
	}
	c.Response().Header().Set("ETag", etag(conn.Version))
	return c.JSON(http.StatusOK, whole)
}

func (w *Web) showConnection(c echo.Context, status int, conn *jobs.Conn, err error) error {
	if err != nil {
		return err
	}
	c.Response().Header().Set("ETag", etag(conn.Version))
	return c.JSON(status, w.connectionOf(conn))
}

func (w *Web) apiCreateConnection(c echo.Context) error {
	var in connectionInput
	if err := decode(c, &in); err != nil {
		return err
	}
	input, err := in.input(author(c))
	if err != nil {
		return err
	}
	conn, err := w.admin.Create(c.Request().Context(), input)
	if err == nil {
		c.Response().Header().Set(echo.HeaderLocation, "/api/v1/connections/"+conn.ID)
	}
	return w.showConnection(c, http.StatusCreated, conn, err)
}

func (w *Web) apiUpdateConnection(c echo.Context) error {
	var in connectionInput
	if err := decode(c, &in); err != nil {
		return err
	}
	if id := c.Param("id"); in.ID != "" && in.ID != id {
		return badRequest("id", "is %q in the body and %q in the address", in.ID, id)
	}
	in.ID = c.Param("id")
	input, err := in.input(author(c))
	if err != nil {
		return err
	}
	if input.Version, err = basedOn(c, 0); err != nil {
		return err
	}
	conn, err := w.admin.Update(c.Request().Context(), input)
	return w.showConnection(c, http.StatusOK, conn, err)
}

func (w *Web) apiDeleteConnection(c echo.Context) error {
	if err := w.admin.Delete(c.Request().Context(), c.Param("id")); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// checkBody is what the vendor said to the credentials.
type checkBody struct {
	Message string `json:"message"`
}

func (w *Web) apiCheck(c echo.Context) error {
	words, err := w.admin.Check(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, checkBody{words})
}

// registerInput names the types of events that a webhook is to send; none: all
// that the connector reads.
type registerInput struct {
	Types []string `json:"types"`
}

// registeredBody is a webhook made at the vendor.
type registeredBody struct {
	ID    string   `json:"id"`
	Types []string `json:"types"`
}

func (w *Web) apiRegister(c echo.Context) error {
	var in registerInput
	if err := decode(c, &in); err != nil {
		return err
	}
	made, err := w.admin.Register(c.Request().Context(), c.Param("id"), in.Types, author(c))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, registeredBody{made.ID, append([]string{}, made.Types...)})
}

func (w *Web) apiPause(c echo.Context) error  { return w.apiSetPaused(c, true) }
func (w *Web) apiResume(c echo.Context) error { return w.apiSetPaused(c, false) }

func (w *Web) apiSetPaused(c echo.Context, paused bool) error {
	conn, err := w.admin.Pause(c.Request().Context(), c.Param("id"), paused)
	return w.showConnection(c, http.StatusOK, conn, err)
}

// resyncBody says how many people were made due.
type resyncBody struct {
	Count int64 `json:"count"`
}

func (w *Web) apiResync(c echo.Context) error {
	n, err := w.admin.Resync(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, resyncBody{n})
}

// eventBody is a canonical event.
type eventBody struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	At         string         `json:"at"`
	Connection string         `json:"connection"`
	Inbox      string         `json:"inbox,omitempty"`
	Profile    string         `json:"profile,omitempty"`
	Keys       []string       `json:"keys"`
	Key        string         `json:"key,omitempty"`
	Traits     map[string]any `json:"traits,omitempty"`
	Properties map[string]any `json:"properties,omitempty"`
	Value      *moneyBody     `json:"value,omitempty"`
	Claim      string         `json:"claim,omitempty"`
}

// moneyBody is an amount as a decimal text with its ISO currency.
type moneyBody struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

func eventOf(e *lifecycle.Event) eventBody {
	b := eventBody{ID: e.ID.String(), Name: string(e.Name), At: when(e.At), Connection: e.Connection, Inbox: number(e.Inbox),
		Keys: []string{}, Key: e.BusinessKey, Properties: e.Properties, Claim: string(e.Claim)}
	for _, k := range e.Identity {
		b.Keys = append(b.Keys, k.String())
	}
	for _, t := range e.Traits {
		if b.Traits == nil {
			b.Traits = map[string]any{}
		}
		b.Traits[t.Name] = t.Value
	}
	if e.Value != nil {
		b.Value = &moneyBody{decimal(e.Value.Micros), e.Value.Currency}
	}
	return b
}
