package looker

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

func receiving(t testing.TB, columns string) *Connector {
	t.Helper()
	c, err := Vendor().Open(connectors.Config{
		ID: "looker", PublicURL: "https://bridge.example.com/hooks/looker", Settings: map[string]string{fieldColumns: columns},
		Secrets: map[string][]secret.Text{secretHub: {secret.New("hub")}, secretWebhook: {secret.New("hook")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*Connector)
}

// delivering is a delivery of the hub with rows of JSON.
func delivering(body, id string) *connectors.Request {
	h := http.Header{"Authorization": {`Token token="hub"`}}
	if id != "" {
		h.Set(deliveryHeader, id)
	}
	return &connectors.Request{Method: http.MethodPost, Path: executePath, Header: h, Body: []byte(body)}
}

func rows(data string) string {
	return `{"type":"query","attachment":{"mimetype":"application/json","data":` + data + `},"form_params":{"kind":"contact"}}`
}

func receive(t *testing.T, c *Connector, r *connectors.Request) *connectors.Receipt {
	t.Helper()
	receipt, err := c.Receive(r)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func TestTokenForms(t *testing.T) {
	t.Parallel()
	c := receiving(t, "")
	for given, want := range map[string]error{
		`Token token="hub"`: nil, `Token token="hub`: connectors.ErrSignature, `Token token=hub`: connectors.ErrSignature,
		`Bearer hub`: connectors.ErrSignature, `hub`: connectors.ErrSignature, ``: connectors.ErrUnsigned, `Token token=""`: connectors.ErrSignature,
	} {
		_, err := c.Receive(&connectors.Request{Method: http.MethodPost, Header: http.Header{"Authorization": {given}}})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", given, err, want)
		}
	}
	get := &connectors.Request{Method: http.MethodGet, Header: http.Header{"Authorization": {`Token token="hub"`}}}
	if _, err := c.Receive(get); !errors.Is(err, connectors.ErrUnsupported) {
		t.Errorf("GET: %v", err)
	}
}

func TestWebhookProofs(t *testing.T) {
	t.Parallel()
	c := receiving(t, "")
	for _, tt := range []struct {
		query, header string
		want          error
	}{
		{"key=hook", "", nil},
		{"", "hook", nil},
		{"key=hook", "of-the-instance", nil},
		{"key=nope", "of-the-instance", connectors.ErrSignature},
		{"key=hook&key=hook", "", connectors.ErrSignature},
		{"key=hook&x=%zz", "", connectors.ErrSignature},
		{"key=", "", connectors.ErrUnsigned},
	} {
		r := &connectors.Request{Method: http.MethodPost, Path: webhookPath, Query: tt.query, Header: http.Header{webhookHeader: {tt.header}}, Body: []byte(rows("[]"))}
		if _, err := c.Receive(r); !errors.Is(err, tt.want) {
			t.Errorf("?%s with %q: %v, want %v", tt.query, tt.header, err, tt.want)
		}
	}
}

// TestSnapshots: the same run is one snapshot, however it comes; a later run
// with the same rows is another one.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	c := receiving(t, "")
	key := func(ran, id string) [32]byte {
		body := rows(`{"ran_at":"` + ran + `","fields":{"dimensions":[{"name":"users.email"}]},"data":[{"users.email":{"value":"ada@example.com"}}]}`)
		return receive(t, c, delivering(body, id)).Events[0].Dedupe
	}
	const first, later = "2026-01-10T06:00:00Z", "2026-01-11T06:00:00Z"
	if key(first, "d-1") != key(first, "d-2") {
		t.Error("a cached result counts again")
	}
	if key(first, "d-1") == key(later, "d-2") {
		t.Error("what was said again later is lost")
	}
	once, again := key("", "d-1"), key("", "d-1")
	if once != again || once == key("", "d-2") {
		t.Error("without the time of the run the delivery's id does not tell them apart")
	}
	two := rows(`[{"users.email":"a@example.com"},{"users.email":"a@example.com"}]`)
	if events := receive(t, c, delivering(two, "d-1")).Events; len(events) != 2 || events[0].Dedupe == events[1].Dedupe {
		t.Error("two equal rows are one")
	}
}

func TestColumnsBySetting(t *testing.T) {
	t.Parallel()
	c := receiving(t, "user=users.id, stage=calc_stage, email=gone.email")
	body := `{"type":"query","attachment":{"data":[{"users.id":7,"users.email":"ada@example.com","users.stage":"no","calc_stage":"Customer"}]},"form_params":{"kind":"stage"}}`
	var got struct{ Row map[string]any }
	if err := json.Unmarshal(receive(t, c, delivering(body, "")).Events[0].Body, &got); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got.Row) != "map[email:ada@example.com stage:Customer user:7]" {
		t.Errorf("row = %v", got.Row)
	}
	var list struct {
		Integrations []map[string]any
	}
	if err := json.Unmarshal(receive(t, c, &connectors.Request{Method: http.MethodPost, Header: delivering("", "").Header}).Reply.Body, &list); err != nil || list.Integrations[0]["required_fields"] != nil {
		t.Errorf("the action demands tags although columns are set: %v, %v", list, err)
	}
}

func TestTooManyRows(t *testing.T) {
	t.Parallel()
	c := receiving(t, "")
	row := `{"users.email":"ada@example.com"}`
	receipt := receive(t, c, delivering(rows("["+strings.Repeat(row+",", maxRows)+row+"]"), ""))
	if len(receipt.Events) != 1 || receipt.Events[0].Broken == "" || !strings.Contains(string(receipt.Reply.Body), `"success":false`) {
		t.Errorf("%d events, answer %s", len(receipt.Events), receipt.Reply.Body)
	}
	receipt = receive(t, c, delivering(rows("["+strings.Repeat(row+",", maxRows-1)+row+"]"), ""))
	if len(receipt.Events) != maxRows {
		t.Errorf("%d events", len(receipt.Events))
	}
}

func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		rows("[]"), rows(`[{"users.email":"a@example.com"}]`), rows(`"[{\"a.email\":1}]"`), rows(`{"fields":{"dimensions":[{"name":"u.email","tags":[null]}]},"data":[{"u.email":{"value":{}}}]}`),
		`{"attachment":{"mimetype":"x;base64","data":"W10="}}`, `{"scheduled_plan":{"scheduled_plan_id":{},"query_id":[1]}}`, "", "null", "[[[[", `{"form_params":{"kind":7}}`, "\xff",
	} {
		f.Add([]byte(seed))
	}
	c := receiving(f, "")
	f.Fuzz(func(t *testing.T, body []byte) {
		receipt, err := c.Receive(delivering(string(body), "d-1"))
		if err != nil {
			t.Fatalf("an authentic request was refused: %v", err)
		}
		if !json.Valid(receipt.Reply.Body) {
			t.Errorf("the answer is no JSON: %s", receipt.Reply.Body)
		}
		for _, e := range receipt.Events {
			if e.Type == "" || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || e.Broken == "" && !json.Valid(e.Body) || e.Broken != "" && string(e.Body) != string(body) {
				t.Errorf("raw event %+v", e)
			}
		}
	})
}
