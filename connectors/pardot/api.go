package pardot

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// root is the path of the API's objects.
const root = "/api/v5/objects"

// Codes of the API's errors that mean more than their HTTP status ("Error
// Codes & Messages"). Those to be retried are from general knowledge of the API.
const (
	codeConcurrent = 66  // more than five requests at once
	codeDailyLimit = 122 // the day's requests are used up
	codeToken      = 184 // the access token is bad or has ended
)

// Pauses where the API names none, which it never does: it knows neither
// status 429 nor Retry-After.
const (
	concurrentPause = 5 * time.Second
	// dailyPause: the count begins anew at midnight in the account's time zone.
	// Asking once an hour finds it without knowing the zone.
	dailyPause = time.Hour
)

// call makes one request to the API. When the token was refused, another is
// fetched and the request made once more. The answer is decoded into out,
// which may be nil; an empty answer to a write (204) gives errUnseen. Any error is a *connectors.PushError but that one.
func (c *Connector) call(ctx context.Context, act, method, path string, query url.Values, in, out any) error {
	act = "pardot: " + act
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return &connectors.PushError{Act: act, Reason: connectors.ReasonNotDone, Retryable: true, Message: "the time of this batch was up before its turn"}
	}
	defer func() { <-c.slots }()
	address := c.base + root + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	for attempt := 0; ; attempt++ {
		token, err := c.tokens.Get(ctx)
		if err != nil {
			return failure(err)
		}
		answer, err := c.cfg.HTTP.Do(ctx, connectors.Call{
			Act: act, Method: method, URL: address, JSON: in,
			Header: http.Header{
				"Authorization":           {"Bearer " + token.Value.Reveal()},
				"Accept":                  {"application/json"},
				"Pardot-Business-Unit-Id": {c.unit},
				askUsageHeader:            {"1"},
			},
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
		switch {
		case out == nil:
			return nil
		case method != http.MethodGet && answer.Status == http.StatusNoContent:
			return errUnseen
		}
		return answer.JSON(act, out)
	}
}

// errUnseen is a success without an answer: what was written is there, but the
// user of the app may not read it. Writing again would write twice.
var errUnseen = errors.New("pardot: the user of the app may not read what was written")

// fetchToken asks Salesforce for an access token with the client credentials
// flow, which has no refresh token that could get lost.
func (c *Connector) fetchToken(ctx context.Context) (connectors.Token, error) {
	const act = "pardot: fetch an access token"
	if !c.authenticated() {
		return connectors.Token{}, &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "login_url, client_id, client_secret and business_unit_id are needed to call the API"}
	}
	answer, err := c.cfg.HTTP.Do(ctx, connectors.Call{
		Act: act, Method: http.MethodPost, URL: c.login + "/services/oauth2/token",
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
		Body: []byte(url.Values{
			"grant_type": {"client_credentials"}, "client_id": {c.clientID},
			"client_secret": {c.cfg.Secret(secretClient).Reveal()},
		}.Encode()),
		Secrets: c.hide(),
		// Refused credentials are answered with 400: that is about the
		// connection, not about people.
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
	return connectors.Token{Value: got.AccessToken}, nil
}

// failure gives err as the *connectors.PushError that it is, with the vendor
// named.
func failure(err error) *connectors.PushError {
	var e *connectors.PushError
	if !errors.As(err, &e) {
		return &connectors.PushError{Act: "pardot", Reason: connectors.ReasonBadAnswer, Retryable: true, Err: err}
	}
	if strings.HasPrefix(e.Act, "pardot") {
		return e
	}
	named := *e
	named.Act = "pardot: " + e.Act
	return &named
}

func hasReason(err error, reason connectors.Reason) bool {
	var e *connectors.PushError
	return errors.As(err, &e) && e.Reason == reason
}

// judge reads the API's own codes; nil leaves the rest to the shared table.
func judge(a *connectors.Answer) *connectors.PushError {
	if a.Status < 400 {
		return nil
	}
	p, ok := readProblem(a.Body)
	if !ok {
		return nil
	}
	e := &connectors.PushError{Message: p.Message}
	e.Reason, e.Retryable = connectors.Classify(a.Status)
	switch p.Code {
	case codeConcurrent, codeDailyLimit:
		e.Reason, e.Retryable = connectors.ReasonRateLimit, true
	case codeToken:
		e.Reason, e.Retryable = connectors.ReasonAuth, false
	case 85, 116, 120, 121, 183, 214:
		e.Reason, e.Retryable = connectors.ReasonServer, true
	case 108:
		e.Reason, e.Retryable = connectors.ReasonConflict, false
	}
	return e
}

// pause is how long to wait where the API names no time.
func pause(a *connectors.Answer) time.Duration {
	p, _ := readProblem(a.Body)
	switch p.Code {
	case codeConcurrent:
		return concurrentPause
	case codeDailyLimit:
		return dailyPause
	}
	return 0
}

// readProblem reads an error body: JSON, or XML where the request did not come
// as far as version 5.
func readProblem(body []byte) (problem, bool) {
	var p problem
	body = bytes.TrimSpace(body)
	switch {
	case len(body) > 256<<10:
		return p, false
	case bytes.HasPrefix(body, []byte("{")):
		return p, json.Unmarshal(body, &p) == nil && p.Code != 0
	case bytes.HasPrefix(body, []byte("<")):
		var x struct {
			Err struct {
				Code int    `xml:"code,attr"`
				Text string `xml:",chardata"`
			} `xml:"err"`
		}
		ok := xml.Unmarshal(body, &x) == nil && x.Err.Code != 0
		return problem{x.Err.Code, strings.TrimSpace(x.Err.Text)}, ok
	}
	return p, false
}
