package hubspot

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Pauses that HubSpot's error pages ask for (developers.hubspot.com, "Error
// handling" and "Usage guidelines", read 2026-11).
const (
	lockedPause   = 2 * time.Second  // 423: the record is locked
	rollingPause  = 10 * time.Second // TEN_SECONDLY_ROLLING without an interval header
	statusMigrate = 477              // the account is being moved; Retry-After says how long, up to 24 h
)

// call makes one request to the CRM with the bearer token. When a token that
// we can renew was refused, it is renewed and the request made once more. Any
// error is a *connectors.PushError.
func (c *Connector) call(ctx context.Context, act, method, path string, body, into any) (*connectors.Answer, error) {
	for attempt := 0; ; attempt++ {
		token, err := c.bearer(ctx)
		if err != nil {
			return nil, err
		}
		answer, err := c.http.Do(ctx, connectors.Call{
			Act:     "hubspot: " + act,
			Method:  method,
			URL:     c.base + path,
			Header:  http.Header{"Authorization": {"Bearer " + token.Reveal()}, "Accept": {"application/json"}},
			JSON:    body,
			Secrets: append(c.hide(), token),
			Judge:   judge,
			Pause:   c.pause,
		})
		if failure := asPush(err); failure != nil {
			if failure.Reason == connectors.ReasonAuth && attempt == 0 && c.renewable() {
				c.tokens.Forget(token)
				continue
			}
			return answer, failure
		}
		if into != nil {
			if err := answer.JSON("hubspot: "+act, into); err != nil {
				return answer, err
			}
		}
		return answer, nil
	}
}

// judge knows the one status of HubSpot's that the shared table cannot.
func judge(a *connectors.Answer) *connectors.PushError {
	if a.Status != statusMigrate {
		return nil
	}
	return &connectors.PushError{Reason: connectors.ReasonServer, Retryable: true, Message: errorOf(a).Message}
}

// pause reads how long HubSpot wants us to wait where it sends no Retry-After,
// which it does for no API client.
func (c *Connector) pause(a *connectors.Answer) time.Duration {
	switch a.Status {
	case http.StatusLocked:
		return lockedPause
	case http.StatusTooManyRequests:
		if strings.EqualFold(errorOf(a).PolicyName, "DAILY") {
			return untilNextHour(c.now())
		}
		ms, err := strconv.ParseInt(a.Header.Get("X-HubSpot-RateLimit-Interval-Milliseconds"), 10, 64)
		if err == nil && ms > 0 && ms <= time.Hour.Milliseconds() {
			return time.Duration(ms) * time.Millisecond
		}
		return rollingPause
	}
	return 0
}

// untilNextHour is the pause after the daily limit. It ends at midnight in the
// account's time zone, which is the turn of an hour nearly everywhere; asking
// once an hour finds it without knowing the zone.
func untilNextHour(now time.Time) time.Duration {
	return now.UTC().Truncate(time.Hour).Add(time.Hour).Sub(now) + time.Minute
}

// errorOf decodes an error body; the zero value when it is none.
func errorOf(a *connectors.Answer) apiError {
	var e apiError
	if a == nil || len(a.Body) > 256<<10 || json.Unmarshal(a.Body, &e) != nil {
		return apiError{}
	}
	return e
}

// asPush gives the *PushError in err; nil for no error.
func asPush(err error) *connectors.PushError {
	if err == nil {
		return nil
	}
	var failure *connectors.PushError
	if errors.As(err, &failure) {
		return failure
	}
	return &connectors.PushError{Reason: connectors.ReasonConnection, Retryable: true, Act: "hubspot", Err: err}
}

// reason gives an error's reason; none for nil.
func reason(err error) connectors.Reason {
	if err == nil {
		return connectors.ReasonNone
	}
	return asPush(err).Reason
}

// lacks is the error of a connection that misses a setting for an act.
func lacks(act, detail string) *connectors.PushError {
	return &connectors.PushError{Reason: connectors.ReasonSettings, Act: "hubspot: " + act, Message: detail}
}

// escape makes a text one segment of a path.
func escape(segment string) string { return url.PathEscape(segment) }

// lock takes a turn that only one goroutine may have, or gives up with the
// context. A mutex could not give up, and what is done in turn calls HubSpot.
func lock(ctx context.Context, act string, turn chan struct{}) error {
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &connectors.PushError{Reason: connectors.ReasonTimeout, Retryable: true, Act: "hubspot: " + act, Err: ctx.Err()}
	}
}
