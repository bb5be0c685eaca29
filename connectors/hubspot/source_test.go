package hubspot

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// An authentic request that cannot be decoded is one broken event with the
// bytes as they came.
func TestReceiveBroken(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000)
	for _, c := range []struct {
		name, body string
		good       int // events before the broken one
		words      string
	}{
		{"empty", "", 0, "empty"},
		{"white space", " \n", 0, "empty"},
		{"form", "a=1&b=2", 0, "not JSON"},
		{"truncated object", `{"subscriptionType":"contact.creation"`, 0, "not JSON"},
		{"truncated array", `[{"subscriptionType":"contact.creation","objectId":1},{"subscr`, 1, "closing bracket"},
		{"open text", `[{"subscriptionType":"contact.creation","objectId":1},{"a":"`, 1, "closing bracket"},
		{"text after the array", `[{"subscriptionType":"contact.creation","objectId":1}] x`, 1, "follows the array"},
		{"trailing comma", `[{"subscriptionType":"contact.creation","objectId":1},]`, 1, "not JSON"},
		{"UTF-16", "\xff\xfe[\x00{\x00", 0, "not JSON"},
		{"not UTF-8", "[{\"subscriptionType\":\"contact.creation\",\"note\":\"\xc3\x28\"}]", 0, "not UTF-8"},
		{"raw NUL", "[{\"subscriptionType\":\"contact.creation\",\"note\":\"a\x00b\"}]", 0, "not JSON"},
		{"deep nesting", "[" + deep + "]", 0, "not JSON"},
		{"deep arrays", strings.Repeat("[", 100000), 0, "closing bracket"},
		{"no type and no id", `[{"a":1}]`, 0, "subscriptionType"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			receipt, err := mustOpen(t, testConfig()).Receive(signed(c.body))
			if err != nil {
				t.Fatalf("receive: %v", err)
			}
			if len(receipt.Events) != c.good+1 {
				t.Fatalf("%d events, want %d good ones and a broken one: %+v", len(receipt.Events), c.good, receipt.Events)
			}
			for i, e := range receipt.Events {
				if (e.Broken != "") != (i == c.good) {
					t.Errorf("event %d has Broken %q", i, e.Broken)
				}
			}
			last := receipt.Events[c.good]
			if !strings.Contains(last.Broken, c.words) {
				t.Errorf("Broken is %q, want it to say %q", last.Broken, c.words)
			}
			if len(c.body) > 2 && c.body[0] != '[' && string(last.Body) != c.body {
				t.Errorf("the broken bytes were changed")
			}
		})
	}
}

func TestReceiveRejects(t *testing.T) {
	t.Parallel()
	c := mustOpen(t, testConfig())
	get := signed(vectorBody)
	get.Method = http.MethodGet
	if _, err := c.Receive(get); !errors.Is(err, connectors.ErrUnsupported) {
		t.Errorf("GET gives %v, want ErrUnsupported", err)
	}
	unsigned := signed(vectorBody)
	unsigned.Header = http.Header{}
	if _, err := c.Receive(unsigned); !errors.Is(err, connectors.ErrUnsigned) {
		t.Errorf("an unsigned request gives %v, want ErrUnsigned", err)
	}
}

// What one delivery of one event, and of a hundred, costs.
func BenchmarkReceive(b *testing.B) {
	c := mustOpen(b, testConfig())
	one := strings.Trim(vectorBody, "[]")
	for name, body := range map[string]string{"1": vectorBody, "100": "[" + strings.Repeat(one+",", 99) + one + "]"} {
		b.Run(name, func(b *testing.B) {
			r := signed(body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Receive(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestReceiveEmptyArray(t *testing.T) {
	t.Parallel()
	receipt, err := mustOpen(t, testConfig()).Receive(signed(" [ ] "))
	if err != nil || len(receipt.Events) != 0 || receipt.Reply.Status != 0 {
		t.Errorf("an empty array gives %+v, %v; want no events and the plain 200", receipt, err)
	}
}

// Two deliveries of one event have one key; any difference that makes another
// event makes another key.
func TestDedupe(t *testing.T) {
	t.Parallel()
	c := mustOpen(t, testConfig())
	key := func(body string) [32]byte {
		t.Helper()
		receipt, err := c.Receive(signed(body))
		if err != nil || len(receipt.Events) != 1 {
			t.Fatalf("receive %s: %v, %v", body, receipt, err)
		}
		return receipt.Events[0].Dedupe
	}
	first := key(vectorBody)
	for name, same := range map[string]string{
		"retried":          strings.Replace(vectorBody, `"attemptNumber":0`, `"attemptNumber":3`, 1),
		"other order":      strings.Replace(vectorBody, `"eventId":90001,"subscriptionId":701`, `"subscriptionId":701,"eventId":90001`, 1),
		"number as a text": strings.Replace(vectorBody, `"eventId":90001`, `"eventId":"90001"`, 1),
	} {
		if key(same) != first {
			t.Errorf("%s: the key differs", name)
		}
	}
	for name, change := range map[string][2]string{
		"event":    {"90001", "90002"},
		"portal":   {"4400112", "4400113"},
		"object":   {"880011", "880012"},
		"property": {"lifecyclestage", "email"},
		"time":     {"1764547199000", "1764547199001"},
		"type":     {"contact.propertyChange", "deal.propertyChange"},
	} {
		if key(strings.Replace(vectorBody, change[0], change[1], 1)) == first {
			t.Errorf("another %s has the same key", name)
		}
	}
	if key(`[{"subscriptionType":"contact.creation","objectId":1,"a":1}]`) == key(`[{"subscriptionType":"contact.creation","objectId":1,"a":2}]`) {
		t.Error("two events without id and time have one key")
	}
	workflow := `{"vid":880011,"properties":{"email":{"value":"ann@example.com"}}}`
	once := key(workflow)
	if again := key(workflow); again != once || once == key(strings.Replace(workflow, "ann", "bob", 1)) {
		t.Error("a workflow's object is not told apart by its bytes")
	}
}

// Without a token nothing can be fetched, so rows are not made to wait for it.
func TestReceiveWithoutToken(t *testing.T) {
	t.Parallel()
	config := testConfig(func(c *connectors.Config) {
		delete(c.Secrets, secretToken)
		c.Push.Enabled = false
	})
	receipt, err := mustOpen(t, config).Receive(signed(vectorBody))
	if err != nil || receipt.Events[0].NeedsRecord {
		t.Errorf("got %+v, %v; want an event that needs no record", receipt, err)
	}
	if want := lifecycle.At(time.UnixMilli(1764547199000)); receipt.Events[0].At != want {
		t.Errorf("at %v, want %v", receipt.Events[0].At.Time(), want.Time())
	}
}
