package marketo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Pace of a connection's calls: bursts of 40 and two a second stay below 80 in
// 20 s, where the instance allows 100 for everything that is connected to it
// ("Marketo integration best practices", read 2026-11).
const (
	callBurst     = 40
	callPerSecond = 2
)

// api speaks to the REST API of one instance. It knows HTTP, JSON and
// Marketo's error codes, and nothing of stages.
type api struct {
	client   *connectors.Client
	base     string
	clientID string
	secret   secret.Text
	hide     []secret.Text
	now      func() time.Time
	tokens   *connectors.Tokens
	pace     *rate.Limiter
}

func newAPI(cfg connectors.Config, base, clientID string) *api {
	a := &api{
		client: cfg.HTTP, base: base, clientID: clientID, now: cfg.Now,
		secret: cfg.Secret(secretClient),
		pace:   rate.NewLimiter(callPerSecond, callBurst),
		hide:   slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...),
	}
	a.tokens = connectors.NewTokens(cfg.Now, a.fetchToken)
	return a
}

// fetchToken asks the identity service. Nothing rotates: the client's id and
// secret are good for any number of tokens. Asked again, Marketo gives the same
// token with the seconds that remain, which may be none.
func (a *api) fetchToken(ctx context.Context) (connectors.Token, error) {
	const act = "marketo: ask for a token"
	if a.base == "" || a.clientID == "" || a.secret.Empty() {
		return connectors.Token{}, &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "base_url, client_id and client_secret must be set to call Marketo"}
	}
	query := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.clientID}, "client_secret": {a.secret.Reveal()}}
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: http.MethodGet, URL: a.base + "/identity/oauth/token?" + query.Encode(),
		Header: http.Header{"Accept": {"application/json"}}, Secrets: a.hide,
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
	if given.Token == "" || given.Expires <= 0 {
		// A token in its last second: the next one is a moment away.
		return connectors.Token{}, &connectors.PushError{
			Act: act, Reason: connectors.ReasonBadAnswer, Retryable: true, RetryAfter: 2 * time.Second,
			Message: "Marketo gave no token that is still good",
		}
	}
	return connectors.Token{Value: secret.New(given.Token), Life: time.Duration(given.Expires) * time.Second}, nil
}

// call makes one request below /rest and gives its envelope. Any error is a
// *connectors.PushError whose act begins with "marketo". A token that Marketo
// no longer takes is replaced once.
func (a *api) call(ctx context.Context, act, method, path string, in any) (*envelope, error) {
	act = "marketo: " + act
	for try := 0; ; try++ {
		token, err := a.tokens.Get(ctx)
		if err != nil {
			return nil, failure(err)
		}
		env, err := a.once(ctx, act, method, path, in, token.Value)
		if try > 0 || !hasReason(err, connectors.ReasonAuth) {
			return env, err
		}
		a.tokens.Forget(token.Value)
	}
}

func (a *api) once(ctx context.Context, act, method, path string, in any, token secret.Text) (*envelope, error) {
	if a.pace.Wait(ctx) != nil {
		return nil, &connectors.PushError{Act: act, Reason: connectors.ReasonNotDone, Retryable: true, Message: "the time of this batch was up before its turn"}
	}
	call := connectors.Call{
		Act: act, Method: method, URL: a.base + path, Secrets: append(slices.Clone(a.hide), token), Judge: a.judge,
		Header: http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + token.Reveal()}},
	}
	switch body := in.(type) {
	case nil:
	case url.Values:
		call.Body = []byte(body.Encode())
		call.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	default:
		call.JSON = in
	}
	answer, err := a.client.Do(ctx, call)
	if err != nil {
		return nil, err
	}
	env := &envelope{}
	if err := answer.JSON(act, env); err != nil {
		return nil, err
	}
	return env, nil
}

// list is call for an answer whose result is a list of T.
func list[T any](ctx context.Context, a *api, act, method, path string, in any) ([]T, *envelope, error) {
	env, err := a.call(ctx, act, method, path, in)
	if err != nil {
		return nil, nil, err
	}
	var all []T
	if len(env.Result) > 0 {
		if err := json.Unmarshal(env.Result, &all); err != nil {
			return nil, nil, &connectors.PushError{
				Act: "marketo: " + act, Reason: connectors.ReasonBadAnswer, Status: http.StatusOK, Retryable: true,
				Message: "the result is not the list expected",
			}
		}
	}
	return all, env, nil
}

// failure gives err as the *connectors.PushError that it is, named after the
// vendor wherever it arose.
func failure(err error) *connectors.PushError {
	var e *connectors.PushError
	if errors.As(err, &e) {
		if !strings.HasPrefix(e.Act, "marketo") {
			named := *e
			named.Act = "marketo: " + e.Act
			return &named
		}
		return e
	}
	return &connectors.PushError{Act: "marketo", Reason: connectors.ReasonBadAnswer, Message: err.Error(), Err: err}
}

func hasReason(err error, reason connectors.Reason) bool {
	return err != nil && failure(err).Reason == reason
}

// judge reads the failures that come with status 200.
func (a *api) judge(answer *connectors.Answer) *connectors.PushError {
	if answer.Status != http.StatusOK {
		return nil
	}
	var env envelope
	switch {
	case json.Unmarshal(answer.Body, &env) != nil:
		return nil // told as an answer that is not what was promised
	case env.Success == nil:
		return &connectors.PushError{Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer does not say whether it is a success"}
	case *env.Success:
		return nil
	case len(env.Errors) == 0:
		return &connectors.PushError{Reason: connectors.ReasonServer, Retryable: true, Message: "Marketo refused without a reason"}
	}
	return a.coded(env.Errors[0])
}

// Pauses that Marketo's limits call for; it names none by itself.
const (
	pauseRate       = 20 * time.Second // 100 calls in 20 s
	pauseConcurrent = 5 * time.Second  // 10 calls at once
)

// coded gives the failure of an error code ("Error Codes" of the developer
// pages, read 2026-11). A code that is not listed is about the content.
func (a *api) coded(r reason) *connectors.PushError {
	e := &connectors.PushError{Reason: connectors.ReasonInvalid, Message: "error " + cmp.Or(r.Code.String(), "unknown") + ": " + r.Message}
	switch r.Code {
	case "600", "601", "602":
		e.Reason = connectors.ReasonAuth
	case "603", "1008":
		e.Reason = connectors.ReasonForbidden
	case "502", "604", "608", "611", "614", "713":
		e.Reason, e.Retryable = connectors.ReasonServer, true
	case "606":
		e.Reason, e.Retryable, e.RetryAfter = connectors.ReasonRateLimit, true, pauseRate
	case "607":
		e.Reason, e.Retryable, e.RetryAfter = connectors.ReasonRateLimit, true, untilReset(a.now())
	case "615":
		e.Reason, e.Retryable, e.RetryAfter = connectors.ReasonRateLimit, true, pauseConcurrent
	case "1004", "610":
		e.Reason = connectors.ReasonNotFound
	case "1006", "1013":
		e.Reason = connectors.ReasonSettings
	case "1007":
		e.Reason = connectors.ReasonConflict
	}
	return e
}

// untilReset is how long the daily quota stays used up: until midnight in
// Chicago, or 06:00 UTC where that zone is not known.
func untilReset(now time.Time) time.Duration {
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		zone = time.FixedZone("CST", -6*60*60)
	}
	local := now.In(zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, zone)
	return midnight.Sub(now)
}
