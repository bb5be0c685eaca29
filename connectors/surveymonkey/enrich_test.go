package surveymonkey_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/surveymonkey/surveymonkeysim"
)

// document decodes a JSON text for the simulated account.
func document(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// survey has a net promoter question whose weights are those of its groups, a
// comment box, and a question for an address.
func survey(t *testing.T) any {
	var choices []string
	for i := range 11 {
		label := string(rune('0' + i))
		if i == 10 {
			label = "10 - Extremely likely"
		}
		choices = append(choices, `{"id":"77`+string(rune('a'+i))+`","text":"`+label+`","weight":-100}`)
	}
	choices = append(choices, `{"id":"77z","text":"N/A","is_na":true}`)
	return document(t, `{"id":"412093","title":"Feedback","pages":[{"questions":[
		{"id":"900","family":"matrix","subtype":"rating","answers":{"rows":[{"id":"1","text":""}],"choices":[{"id":"1","text":"Bad","weight":1},{"id":"2","text":"Good","weight":2}]}},
		{"id":"901","family":"matrix","subtype":"rating","headings":[{"heading":"How likely?"}],"answers":{"rows":[{"id":"6600","text":""}],"choices":[`+strings.Join(choices, ",")+`]}},
		{"id":"902","family":"open_ended","subtype":"essay","answers":{}},
		{"id":"903","family":"open_ended","subtype":"single","validation":{"type":"email"}},
		{"id":"904","family":"demographic","subtype":"international","answers":{"rows":[{"id":"n","type":"name"},{"id":"e","type":"email"}]}}]}]}`)
}

func lookup(response string) connectors.Lookup {
	return connectors.Lookup{Type: "response_completed", Body: []byte(`{"event_type":"response_completed","object_id":"` + response + `","resources":{"survey_id":"412093"}}`)}
}

func put(t *testing.T, sim *surveymonkeysim.Sim, id, rest string) {
	t.Helper()
	sim.Put("/surveys/412093/responses/"+id+"/details", document(t, `{"id":"`+id+`","survey_id":"412093","date_modified":"2026-01-10T09:15:27+00:00","response_status":"completed"`+rest+`}`))
}

func TestEnrich(t *testing.T) {
	t.Parallel()
	nps := func(choice string) string {
		return `,"pages":[{"questions":[{"id":"901","answers":[{"choice_id":"` + choice + `","row_id":"6600"}]},{"id":"902","answers":[{"text":"Fast support"}]}]}]`
	}
	tests := []struct {
		name, rest string
		contacts   string
		score      string
		comment    string
	}{
		{"invited by mail", `,"collector_id":"44","recipient_id":"51","custom_variables":{"uid":"u-9"}` + nps("77j"), `[{"email":"ada@example.com","first_name":"Ada"}]`, "9", "Fast support"},
		{"a link with both variables gives one key", `,"custom_variables":{"uid":"u-1001","email":"eve@example.com"}` + nps("77k"), `[{"user":"u-1001"}]`, "10", "Fast support"},
		{"a link with an address", `,"custom_variables":{"email":" Ada@Example.com "}` + nps("77a"), `[{"email":"ada@example.com"}]`, "0", "Fast support"},
		{"an address was asked for", `,"pages":[{"questions":[{"id":"903","answers":[{"text":"ada@example.com"}]}]}]`, `[{"email":"ada@example.com"}]`, "null", "null"},
		{"an address among contact data", `,"pages":[{"questions":[{"id":"904","answers":[{"row_id":"n","text":"Ada"},{"row_id":"e","text":"ada@example.com"}]}]}]`, `[{"email":"ada@example.com"}]`, "null", "null"},
		{"the recipient was deleted", `,"collector_id":"44","recipient_id":"99","custom_variables":{"uid":"u-1001"}`, `[{"user":"u-1001"}]`, "null", "null"},
		{"anonymous, not applicable", nps("77z"), `[]`, "null", "Fast support"},
		{"variables of other kinds", `,"custom_variables":{"uid":7,"email":"nonsense"}`, `[]`, "null", "null"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, sim := start(t, nil)
			sim.Put("/surveys/412093/details", survey(t))
			sim.Put("/collectors/44/recipients/51", document(t, `{"id":"51","email":"Ada@example.com","first_name":"Ada","last_name":"-"}`))
			put(t, sim, "7", tt.rest)
			records, err := c.Enrich(t.Context(), []connectors.Lookup{lookup("7")})
			if err != nil || records[0].Err != nil {
				t.Fatalf("enrich: %v, %+v", err, records)
			}
			var got struct {
				Survey         string
				Contacts       json.RawMessage
				Score, Comment any
			}
			if err := json.Unmarshal(records[0].JSON, &got); err != nil {
				t.Fatal(err)
			}
			text := func(v any) string {
				if s, ok := v.(string); ok {
					return s
				}
				b, _ := json.Marshal(v)
				return string(b)
			}
			if diff := cmp.Diff([]string{"Feedback", tt.contacts, tt.score, tt.comment}, []string{got.Survey, string(got.Contacts), text(got.Score), text(got.Comment)}); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
			if want := time.Date(2026, 1, 10, 9, 15, 27, 0, time.UTC); !records[0].ModifiedAt.Time().Equal(want) {
				t.Errorf("modified at %v", records[0].ModifiedAt.Time())
			}
		})
	}
}

func TestEnrichSettingsNameTheQuestions(t *testing.T) {
	t.Parallel()
	c, sim := start(t, func(cfg *connectors.Config) {
		cfg.Settings["nps_question"], cfg.Settings["comment_question"] = "900", "903"
	})
	sim.Put("/surveys/412093/details", survey(t))
	put(t, sim, "7", `,"pages":[{"questions":[{"id":"900","answers":[{"choice_id":"2"}]},{"id":"903","answers":[{"text":"a@example.com"}]}]}]`)
	records, err := c.Enrich(t.Context(), []connectors.Lookup{lookup("7")})
	if err != nil {
		t.Fatal(err)
	}
	if text := string(records[0].JSON); !strings.Contains(text, `"score":2`) || !strings.Contains(text, `"comment":"a@example.com"`) {
		t.Errorf("record = %s", text)
	}
}

// TestEnrichManyAndFailures counts requests: the survey is read once, the same
// response once, and a failure that concerns everybody ends the round.
func TestEnrichManyAndFailures(t *testing.T) {
	t.Parallel()
	sim := surveymonkeysim.New()
	sim.Put("/surveys/412093/details", survey(t))
	put(t, sim, "1", "")
	put(t, sim, "2", "")
	var mu sync.Mutex
	var asked []string
	var full atomic.Bool
	// other is closed once another response was asked for, so that the used up
	// day does not come before it.
	other := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, strings.TrimPrefix(r.URL.Path, "/v3/surveys/412093"))
		mu.Unlock()
		second := strings.Contains(r.URL.Path, "/responses/2/")
		if full.Load() && second {
			<-other
			w.Header().Set("X-Ratelimit-App-Global-Day-Remaining", "0")
			w.Header().Set("X-Ratelimit-App-Global-Day-Reset", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
			io.WriteString(w, `{"error":{"id":"1040","name":"Rate limit reached","message":"Too many requests"}}`)
			return
		}
		if full.Load() {
			close(other)
		}
		sim.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c := open(t, config(server.URL))
	records, err := c.Enrich(t.Context(), []connectors.Lookup{lookup("1"), lookup("404"), lookup("1"), {Body: []byte(`{"object_id":"../x"}`)}, lookup("2")})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(asked)
	if diff := cmp.Diff([]string{"/details", "/responses/1/details", "/responses/2/details", "/responses/404/details"}, asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if records[0].JSON == nil || records[1].JSON != nil || records[1].Err != nil || string(records[2].JSON) != string(records[0].JSON) ||
		records[3].Err == nil || records[3].Err.Retryable || records[4].JSON == nil {
		t.Errorf("records = %+v", records)
	}
	full.Store(true)
	records, err = c.Enrich(t.Context(), []connectors.Lookup{lookup("1"), lookup("2"), lookup("1")})
	if err != nil || records[0].JSON == nil || records[1].Err == nil || records[1].Err.RetryAfter != time.Hour || records[2].JSON == nil {
		t.Errorf("a used up day: %v, %+v", err, records)
	}
	_, err = c.Enrich(t.Context(), []connectors.Lookup{lookup("2")})
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonRateLimit || !e.Retryable {
		t.Errorf("nothing was read: %v", err)
	}
}
