package eloqua

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Paths of the two APIs below the pod's address. Eloqua does not mind their
// case; this is how its reference spells them.
const (
	bulk = "/api/bulk/2.0"
	rest = "/api/REST/1.0"
)

// concurrency is how many requests one connection has under way.
const concurrency = 4

// api speaks to one Eloqua instance. It knows HTTP, JSON and on which pod the
// instance lives, and nothing of stages.
type api struct {
	client        *connectors.Client
	login         string
	company, user string
	password      secret.Text
	clientID      string // with clientSecret, for oauth
	clientSecret  secret.Text
	oauth         bool
	hide          []secret.Text
	slots         chan struct{}
	// sessions keeps the Authorization header and the pod it is good for.
	sessions *connectors.Tokens
}

func newAPI(cfg connectors.Config, login, company, user, clientID string, oauth bool) *api {
	a := &api{
		client: cfg.HTTP, login: login, company: company, user: user, oauth: oauth,
		password: cfg.Secret(secretPassword), clientID: clientID, clientSecret: cfg.Secret(secretClient),
		hide:  slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...),
		slots: make(chan struct{}, concurrency),
	}
	a.sessions = connectors.NewTokens(cfg.Now, a.signIn)
	return a
}

// missing names what must be set before Eloqua can be called, or "".
func (a *api) missing() string {
	switch {
	case a.company == "":
		return settingCompany
	case a.user == "":
		return settingUser
	case a.password.Empty():
		return secretPassword
	}
	return ""
}

// signIn finds the pod, and with oauth a token first. Nothing rotates: company,
// user and password are shown again whenever a session has ended.
func (a *api) signIn(ctx context.Context) (connectors.Token, error) {
	if field := a.missing(); field != "" {
		return connectors.Token{}, &connectors.PushError{Act: "eloqua: sign in", Reason: connectors.ReasonSettings, Message: field + " must be set to call Eloqua"}
	}
	header, life := "Basic "+basic(a.company+`\`+a.user, a.password), time.Duration(0)
	if a.oauth {
		token, err := a.fetchToken(ctx)
		if err != nil {
			return connectors.Token{}, err
		}
		header, life = "Bearer "+token.Value.Reveal(), token.Life
	}
	who, err := a.whoAmI(ctx, header)
	if err != nil {
		return connectors.Token{}, err
	}
	base, err := baseURL(who.URLs.Base)
	if err != nil {
		return connectors.Token{}, &connectors.PushError{Act: "eloqua: sign in", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer does not say on which pod the instance lives"}
	}
	return connectors.Token{Value: secret.New(header), Base: base, Life: life}, nil
}

// whoAmI asks the sign-in address, which does not move with the instance.
func (a *api) whoAmI(ctx context.Context, header string) (*identity, error) {
	const act = "eloqua: sign in"
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: http.MethodGet, URL: a.login + "/id", Secrets: a.hide, Judge: judge,
		Header: http.Header{"Accept": {"application/json"}, "Authorization": {header}},
	})
	if err != nil {
		return nil, err
	}
	who := &identity{}
	return who, answer.JSON(act, who)
}

// fetchToken exchanges the password for a token; the refresh token beside it,
// which changes with each use, is not needed.
func (a *api) fetchToken(ctx context.Context) (connectors.Token, error) {
	const act = "eloqua: ask for a token"
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: http.MethodPost, URL: a.login + "/auth/oauth2/token", Secrets: a.hide,
		Header: http.Header{"Accept": {"application/json"}, "Authorization": {"Basic " + basic(a.clientID, a.clientSecret)}},
		JSON:   map[string]string{"grant_type": "password", "scope": "full", "username": a.company + `\` + a.user, "password": a.password.Reveal()},
	})
	if err != nil {
		return connectors.Token{}, err
	}
	var given struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"`
	}
	if err := answer.JSON(act, &given); err != nil {
		return connectors.Token{}, err
	}
	if given.Token == "" {
		return connectors.Token{}, &connectors.PushError{Act: act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer holds no token"}
	}
	return connectors.Token{Value: secret.New(given.Token), Life: time.Duration(given.Expires) * time.Second}, nil
}

func basic(user string, password secret.Text) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password.Reveal()))
}

// call makes one request on the pod and decodes the answer into out, which may
// be nil. Any error is a *connectors.PushError whose act begins with "eloqua".
// After a refusal it asks once more where the instance lives, since it may have
// moved.
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	act = "eloqua: " + act
	for try := 0; ; try++ {
		session, err := a.sessions.Get(ctx)
		if err != nil {
			return failure(err)
		}
		err = a.once(ctx, act, method, path, in, out, session)
		if try > 0 || !hasReason(err, connectors.ReasonAuth) {
			return err
		}
		a.sessions.Forget(session.Value)
	}
}

func (a *api) once(ctx context.Context, act, method, path string, in, out any, session connectors.Token) error {
	select {
	case a.slots <- struct{}{}:
	case <-ctx.Done():
		return &connectors.PushError{Act: act, Reason: connectors.ReasonNotDone, Retryable: true, Message: "the time of this batch was up before its turn"}
	}
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: session.Base + path, JSON: in, Judge: judge,
		Header:  http.Header{"Accept": {"application/json"}, "Authorization": {session.Value.Reveal()}},
		Secrets: append(slices.Clone(a.hide), session.Value),
	})
	<-a.slots
	switch {
	case err != nil:
		return err
	case out == nil, answer.Status == http.StatusNoContent:
		return nil
	}
	return answer.JSON(act, out)
}

// failure gives err as the *connectors.PushError that it is, named after the
// vendor wherever it arose.
func failure(err error) *connectors.PushError {
	var e *connectors.PushError
	if !errors.As(err, &e) {
		return &connectors.PushError{Act: "eloqua", Reason: connectors.ReasonBadAnswer, Message: err.Error(), Err: err}
	}
	if strings.HasPrefix(e.Act, "eloqua") {
		return e
	}
	named := *e
	named.Act = "eloqua: " + e.Act
	return &named
}

func hasReason(err error, reason connectors.Reason) bool {
	return err != nil && failure(err).Reason == reason
}

// ofSettings marks a refusal as being about the connection. Told as it came, it
// would look as if somebody in the batch were to blame.
func ofSettings(err error) error {
	e := *failure(err)
	switch e.Reason {
	case connectors.ReasonNotFound, connectors.ReasonInvalid, connectors.ReasonConflict:
		e.Reason = connectors.ReasonSettings
	}
	return &e
}

// judge reads Eloqua's own forms of failure.
func judge(answer *connectors.Answer) *connectors.PushError {
	if answer.Status == http.StatusOK && bytes.Equal(bytes.TrimSpace(answer.Body), []byte(`"Not authenticated."`)) {
		return &connectors.PushError{Reason: connectors.ReasonAuth, Message: "Eloqua does not take the credentials"}
	}
	if answer.Status != http.StatusBadRequest {
		return nil
	}
	if words := complaints(answer.Body); words != "" {
		return &connectors.PushError{Reason: connectors.ReasonInvalid, Message: words}
	}
	return nil
}

// complaint is one thing that Eloqua found wrong with a body. The value is left
// out: it may be somebody's address.
type complaint struct {
	Type        string `json:"type"`
	Property    string `json:"property"`
	Requirement struct {
		Type string `json:"type"`
	} `json:"requirement"`
	Field      string `json:"field"`
	Constraint string `json:"constraint"`
}

// complaints finds the words of a validation error: a list, one object, or
// {"failures": […]} of the Bulk API.
func complaints(body []byte) string {
	var failures struct {
		Failures []complaint `json:"failures"`
	}
	var many []complaint
	var one complaint
	switch {
	case json.Unmarshal(body, &many) == nil:
	case json.Unmarshal(body, &failures) == nil && len(failures.Failures) > 0:
		many = failures.Failures
	case json.Unmarshal(body, &one) == nil:
		many = []complaint{one}
	}
	var words []string
	for _, c := range many {
		parts := slices.DeleteFunc([]string{c.Type, c.Property, c.Requirement.Type, c.Field, c.Constraint}, func(s string) bool { return s == "" })
		if len(parts) > 0 {
			words = append(words, strings.Join(parts, ": "))
		}
	}
	return strings.Join(words, "; ")
}
