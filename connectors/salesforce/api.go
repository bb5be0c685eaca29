package salesforce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	// quotaPause is the pause once the organization's requests of the rolling
	// 24 hours are used up; capacity comes back bit by bit.
	quotaPause = 15 * time.Minute

	// callOptions marks our writes for change data capture; its events then
	// name the client (REST API Developer Guide, "Call Options Header").
	callOptions = "client=stagebridge"
)

// call makes one request to the REST API. When the token was refused, another
// is fetched and the request made once more. The answer is decoded into out,
// which may be nil. Any error is a *connectors.PushError whose act begins with
// "salesforce".
func (c *Connector) call(ctx context.Context, act, method, path string, in, out any) error {
	act = "salesforce: " + act
	for attempt := 0; ; attempt++ {
		token, err := c.tokens.Get(ctx)
		if err != nil {
			return failure(err)
		}
		header := http.Header{
			"Authorization":       {"Bearer " + token.Value.Reveal()},
			"Accept":              {"application/json"},
			"Sforce-Call-Options": {callOptions},
		}
		if method == http.MethodPatch && strings.HasSuffix(path, updatePath) {
			// Without it every write to a lead runs the assignment rules, which
			// may hand the lead to somebody else ("Assignment Rule Header").
			header["Sforce-Auto-Assign"] = []string{"FALSE"}
		}
		answer, err := c.cfg.HTTP.Do(ctx, connectors.Call{
			Act: act, Method: method, URL: token.Base + path, Header: header, JSON: in,
			Secrets: append(c.hide(), token.Value), Judge: judge, Pause: pause,
		})
		if answer != nil {
			c.quota.note(answer.Header, c.cfg.Now())
		}
		if err != nil {
			e := failure(err)
			if e.Reason == connectors.ReasonAuth && attempt == 0 {
				c.tokens.Forget(token.Value)
				continue
			}
			return e
		}
		if out == nil {
			return nil
		}
		return answer.JSON(act, out)
	}
}

// fetchToken asks for an access token with the client credentials flow, which
// has no refresh token that could get lost. The token lives as long as a
// session of the user the app runs as; it is used until it is refused.
func (c *Connector) fetchToken(ctx context.Context) (connectors.Token, error) {
	const act = "salesforce: fetch an access token"
	if !c.authenticated() {
		return connectors.Token{}, &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "base_url, client_id and client_secret are needed to call Salesforce"}
	}
	answer, err := c.cfg.HTTP.Do(ctx, connectors.Call{
		Act: act, Method: http.MethodPost, URL: c.base + "/services/oauth2/token",
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
		Body: []byte(url.Values{
			"grant_type": {"client_credentials"}, "client_id": {c.clientID},
			"client_secret": {c.cfg.Secret(secretClient).Reveal()},
		}.Encode()),
		Secrets: c.hide(),
		// Refused credentials are answered with 400 (invalid_client,
		// invalid_grant): that is about the connection, not about people.
		Judge: func(a *connectors.Answer) *connectors.PushError {
			var e struct {
				Error       string `json:"error"`
				Description string `json:"error_description"`
			}
			if a.Status != http.StatusBadRequest || json.Unmarshal(a.Body, &e) != nil || e.Error == "" {
				return nil
			}
			return &connectors.PushError{Reason: connectors.ReasonAuth, Message: strings.TrimSuffix(e.Error+": "+e.Description, ": ")}
		},
	})
	if err != nil {
		return connectors.Token{}, err
	}
	var got tokenAnswer
	if err := answer.JSON(act, &got); err != nil {
		return connectors.Token{}, err
	}
	base := strings.TrimRight(got.InstanceURL, "/")
	if base == "" {
		base = c.base
	}
	if !isAddress(base) || strings.HasPrefix(c.base, "https:") && !strings.HasPrefix(base, "https:") {
		return connectors.Token{}, &connectors.PushError{Act: act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "instance_url is not an address that can be called"}
	}
	return connectors.Token{Value: got.AccessToken, Base: base}, nil
}

// failure gives err as the *connectors.PushError that it is, with the vendor
// named.
func failure(err error) *connectors.PushError {
	var e *connectors.PushError
	if !errors.As(err, &e) {
		return &connectors.PushError{Act: "salesforce", Reason: connectors.ReasonBadAnswer, Retryable: true, Err: err}
	}
	if strings.HasPrefix(e.Act, "salesforce") {
		return e
	}
	named := *e
	named.Act = "salesforce: " + e.Act
	return &named
}

// judge reads Salesforce's own form of failure, a list of code and message;
// nil leaves the rest to the shared status table.
func judge(a *connectors.Answer) *connectors.PushError {
	if a.Status < 400 {
		return nil
	}
	var list []apiError
	if !bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("[")) || json.Unmarshal(a.Body, &list) != nil || len(list) == 0 {
		return nil
	}
	e := &connectors.PushError{Message: strings.TrimPrefix(list[0].Code+": "+list[0].Message, ": ")}
	e.Reason, e.Retryable = connectors.Classify(a.Status)
	if reason, retryable, known := reasonOf(list[0].Code, list[0].Message); known {
		e.Reason, e.Retryable = reason, retryable
	}
	return e
}

// pause is how long to wait where Salesforce names no time, which it never
// does for the quota.
func pause(a *connectors.Answer) time.Duration {
	if bytes.Contains(a.Body, []byte("REQUEST_LIMIT_EXCEEDED")) {
		return quotaPause
	}
	return 0
}

// reasonOf tells what a code of Salesforce's means, of a row or of a whole
// answer (SOAP API Developer Guide, "Core Data Types", StatusCode). Any other
// code is about the content; known is false then.
func reasonOf(code, message string) (reason connectors.Reason, retryable, known bool) {
	switch code {
	case "INVALID_SESSION_ID", "INVALID_AUTH_HEADER":
		return connectors.ReasonAuth, false, true
	case "REQUEST_LIMIT_EXCEEDED":
		return connectors.ReasonRateLimit, true, true
	case "UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "UNKNOWN_EXCEPTION":
		return connectors.ReasonServer, true, true
	case "INVALID_FIELD", "INVALID_TYPE":
		return connectors.ReasonSettings, false, true
	case "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED":
		return connectors.ReasonForbidden, false, true
	case "DUPLICATES_DETECTED", "DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID":
		return connectors.ReasonConflict, false, true
	case "ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY":
		return connectors.ReasonNotFound, false, true
	}
	// A trigger of the organization that ran out of its limits, which in
	// another batch it may not.
	if strings.Contains(message, "Too many SOQL queries") || strings.Contains(message, "UNABLE_TO_LOCK_ROW") {
		return connectors.ReasonServer, true, true
	}
	return connectors.ReasonInvalid, false, false
}
