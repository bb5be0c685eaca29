package connectors

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what a vendor may ask for, so that a wrong number does
// not park a person for years.
const maxRetryAfter = 24 * time.Hour

// Classify is the shared status table: what a status that is not 2xx means and
// whether the same request may succeed later. A vendor's exceptions go into
// Call.Judge.
func Classify(status int) (reason Reason, retryable bool) {
	switch {
	case status == http.StatusTooManyRequests:
		return ReasonRateLimit, true
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusLocked:
		return ReasonServer, true
	case status == http.StatusUnauthorized:
		return ReasonAuth, false
	case status == http.StatusForbidden, status == http.StatusPaymentRequired:
		return ReasonForbidden, false
	case status == http.StatusNotFound:
		return ReasonNotFound, false
	case status == http.StatusConflict:
		return ReasonConflict, false
	case status == http.StatusGone:
		return ReasonGone, false
	case status == http.StatusRequestEntityTooLarge, status == http.StatusRequestURITooLong:
		return ReasonTooLarge, false
	case status >= 500:
		return ReasonServer, true
	case status >= 400:
		return ReasonInvalid, false
	case status >= 300:
		return ReasonRedirect, false
	}
	return ReasonBadAnswer, true
}

// RetryAfter reads the Retry-After header, as seconds or as an HTTP date seen
// from now. Zero when there is none that can be read; at most a day.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		// Compared as a float first: the conversion of a huge one overflows,
		// and NaN is in no order with anything.
		if s >= maxRetryAfter.Seconds() {
			return maxRetryAfter
		}
		if s > 0 {
			return time.Duration(s * float64(time.Second))
		}
		return 0
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(t.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// statusWords is what the vendor said beside a status that is not 2xx.
func statusWords(a *Answer) string {
	if a.Status < 300 || a.Status > 399 {
		return vendorWords(a.Body)
	}
	// Only the host: path and query of a redirect often carry tokens.
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil || u.Host == "" {
		return "redirects are not followed"
	}
	return "redirects are not followed; this one leads to " + u.Host
}
