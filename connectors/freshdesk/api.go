package freshdesk

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// concurrency is how many requests one connection has under way.
const concurrency = 4

// api speaks to one account's API. It knows HTTP and JSON and nothing of
// stages.
type api struct {
	client  *connectors.Client
	base    string
	header  http.Header
	secrets []secret.Text
	// slots bounds the requests under way over all callers, budget the calls a
	// minute: the account's limit is shared with every other app.
	slots  chan struct{}
	budget *rate.Limiter
}

// newAPI hides all the given secrets in what it says, not only the key: a
// careless answer may repeat any of them. Half a minute's calls may be made at
// once.
func newAPI(client *connectors.Client, base string, key secret.Text, calls int, hide []secret.Text) *api {
	a := &api{
		client: client, base: base, secrets: hide,
		header: http.Header{"Accept": {"application/json"}},
		slots:  make(chan struct{}, concurrency),
		budget: rate.NewLimiter(rate.Every(time.Minute/time.Duration(calls)), max(1, calls/2)),
	}
	if !key.Empty() {
		// The key is the name; the password may be anything.
		a.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(key.Reveal()+":X")))
	}
	return a
}

// authenticated reports whether there is a key to call with.
func (a *api) authenticated() bool { return a.header.Get("Authorization") != "" }

// call makes one request and decodes the answer into out, which may be nil.
// Any error is a *connectors.PushError whose act begins with "freshdesk".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	answer, err := a.do(ctx, act, method, path, in)
	if err != nil || out == nil {
		return err
	}
	return answer.JSON("freshdesk: "+act, out)
}

func (a *api) do(ctx context.Context, act, method, path string, in any) (*connectors.Answer, error) {
	act = "freshdesk: " + act
	late := &connectors.PushError{Act: act, Reason: connectors.ReasonNotDone, Retryable: true, Message: "the time of this batch was up before its turn"}
	select {
	case a.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, late
	}
	defer func() { <-a.slots }()
	if a.budget.Wait(ctx) != nil {
		return nil, late
	}
	return a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: a.base + path, Header: a.header, JSON: in, Secrets: a.secrets, Judge: judge,
	})
}

// judge reads Freshdesk's error bodies; nil leaves the answer to the shared
// status table. A value that is taken already is a conflict, whichever of the
// two statuses it comes with.
func judge(a *connectors.Answer) *connectors.PushError {
	if a.Status < 400 {
		return nil
	}
	p := readProblem(a)
	if p.Description == "" && p.Message == "" && len(p.Errors) == 0 {
		return nil
	}
	e := &connectors.PushError{Message: join(p.Description, join(p.Code, p.Message))}
	e.Reason, e.Retryable = connectors.Classify(a.Status)
	for _, one := range p.Errors {
		e.Message = join(e.Message, join(one.Field, one.Message))
		if one.Code != "" {
			e.Message += " (" + one.Code + ")"
		}
		if one.Code == "duplicate_value" && a.Status < 500 {
			e.Reason = connectors.ReasonConflict
		}
	}
	return e
}

func readProblem(a *connectors.Answer) problem {
	var p problem
	if json.Unmarshal(a.Body, &p) != nil {
		return problem{}
	}
	return p
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ": " + b
}

// nextPage finds the page number of the next page in a Link header.
var nextPage = regexp.MustCompile(`<([^>]*)>\s*;\s*rel="?next"?`)

// page reads one page of contacts and the number of the next; 0 at the end.
func (a *api) page(ctx context.Context, act string, query url.Values, number int) (found []json.RawMessage, next int, err error) {
	query.Set("per_page", strconv.Itoa(pageSize))
	query.Set("page", strconv.Itoa(max(number, 1)))
	answer, err := a.do(ctx, act, http.MethodGet, "/contacts?"+query.Encode(), nil)
	if err != nil {
		return nil, 0, err
	}
	if err := answer.JSON("freshdesk: "+act, &found); err != nil {
		return nil, 0, err
	}
	link := nextPage.FindStringSubmatch(strings.Join(answer.Header.Values("Link"), ", "))
	if link == nil {
		return found, 0, nil
	}
	u, err := url.Parse(link[1])
	if err != nil {
		return found, 0, nil
	}
	next, _ = strconv.Atoi(u.Query().Get("page"))
	if next <= number {
		next = 0
	}
	return found, next, nil
}

// pageSize is how many contacts a page has, the most that Freshdesk gives.
const pageSize = 100

func settingError(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: "freshdesk: " + act, Reason: connectors.ReasonSettings, Message: words}
}
