package web_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stagebridge/stagebridge/store/storetest"
)

const signup = `{"type":"user.created","timestamp":"2026-01-01T10:00:00Z","data":{"email":"ann@example.com"}}`

// TestIngestRefuses: what does not prove its sender leaves a count and facts,
// and no bytes.
func TestIngestRefuses(t *testing.T) {
	t.Parallel()
	now := time.Now()
	change := func(name string, values ...string) http.Header {
		h := signed("m1", signup, now)
		h.Del(name)
		h[name] = values
		return h
	}
	good := signed("m1", signup, now).Get("Webhook-Signature")
	for name, c := range map[string]struct {
		header       http.Header
		body, reason string
	}{
		"no signature":          {http.Header{}, signup, "missing_signature"},
		"another signature":     {change("Webhook-Signature", "v1,"+strings.Repeat("A", 43)+"="), signup, "signature"},
		"another id":            {change("Webhook-Id", "m2"), signup, "signature"},
		"an altered body":       {signed("m1", signup, now), strings.Replace(signup, "ann", "bob", 1), "signature"},
		"an old timestamp":      {signed("m1", signup, now.Add(-time.Hour)), signup, "stale"},
		"a timestamp to come":   {signed("m1", signup, now.Add(time.Hour)), signup, "stale"},
		"two signature headers": {change("Webhook-Signature", good, good), signup, "signature"},
		"two timestamps":        {change("Webhook-Timestamp", fmt.Sprint(now.Unix()), fmt.Sprint(now.Unix())), signup, "signature"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t, storetest.SQLite(t), nil)
			a := d.post(c.header, c.body)
			if a.Status != http.StatusUnauthorized || a.Header.Get("Stagebridge-Receipt") != "" || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/problem+json") {
				t.Errorf("answer: %+v", a)
			}
			if rows := d.inbox(); len(rows) != 0 {
				t.Errorf("kept: %+v", rows)
			}
			counts, facts := d.rejections()
			if len(counts) != 1 || len(facts) != 1 || facts[0].Method != http.MethodPost {
				t.Fatalf("counted %v, facts %+v", counts, facts)
			}
			for reason, n := range counts {
				if n != 1 || !strings.Contains(reason, c.reason) || facts[0].Reason != reason {
					t.Errorf("counted %d for %q with facts %+v, want one for %q", n, reason, facts[0], c.reason)
				}
			}
			if all := fmt.Sprint(facts, a); strings.Contains(all, "example.com\"") || strings.Contains(all, good) {
				t.Errorf("bytes or a signature are shown: %s", all)
			}
		})
	}
}

func utf16Text(s string) string {
	var b bytes.Buffer
	b.WriteString("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		b.Write([]byte{byte(u), byte(u >> 8)})
	}
	return b.String()
}

// TestIngestParks: many vendors repeat for days what was answered with a 4xx,
// or block their queue, so authentic bytes that cannot be read are kept and
// parked; without a proof they are refused.
func TestIngestParks(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"malformed":         `{"type":"user.created",}`,
		"truncated":         signup[:len(signup)-10],
		"UTF-16":            utf16Text(signup),
		"Latin-1":           strings.Replace(signup, "ann", "andr\xe9", 1),
		"a form":            "type=user.created&email=ann%40example.com",
		"10,000 deep":       `{"type":"user.created","data":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`,
		"duplicate keys":    `{"type":"user.created","data":{"email":"ann@example.com","email":"bob@example.com"}}`,
		"a NUL byte":        strings.Replace(signup, "ann", "an\x00n", 1),
		"invalid UTF-8":     strings.Replace(signup, "ann", "an\xc3\x28n", 1),
		"two values":        signup + signup,
		"nothing":           "",
		"a number too long": `{"type":"user.created","data":{"email":"ann@example.com","n":` + strings.Repeat("9", 100_000) + `x}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t, storetest.SQLite(t), nil)
			if a := d.post(http.Header{"Content-Type": {"application/json"}}, body); a.Status != http.StatusUnauthorized {
				t.Errorf("unsigned: %d", a.Status)
			}
			a := d.post(signed("m1", body, time.Now()), body)
			if a.Status/100 != 2 || a.Header.Get("Stagebridge-Receipt") == "" {
				t.Fatalf("signed: %+v", a)
			}
			rows := d.inbox()
			if len(rows) != 1 || rows[0].Status != "failed" || rows[0].Outcome.Step != "decode" || rows[0].Outcome.Reason != "malformed" || rows[0].Outcome.Detail == "" {
				t.Fatalf("parked: %+v", rows)
			}
			raw, err := d.store.RawEvent(t.Context(), rows[0].ID)
			if err != nil || string(raw.Body) != body {
				t.Errorf("the bytes became %.60q, %v", raw.Body, err)
			}
			if people, err := d.store.Counters(t.Context()); err != nil || people[""]["people"] != 0 {
				t.Errorf("people %v, %v", people, err)
			}
		})
	}
}

// TestIngestTooLarge: whatever its size says, a body costs no more memory than
// the limit.
func TestIngestTooLarge(t *testing.T) {
	d := newDoor(t, storetest.SQLite(t), nil)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 128 { // 128 MiB in a thousandth of that
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("x", 20<<20)
	for name, c := range map[string]struct {
		body     io.Reader
		encoding string
	}{
		"20 MB":                   {strings.NewReader(large), ""},
		"20 MB of unknown length": {struct{ io.Reader }{strings.NewReader(large)}, ""},
		"a gzip bomb":             {&bomb, "gzip"},
	} {
		h := signed("m1", "", time.Now())
		if c.encoding != "" {
			h.Set("Content-Encoding", c.encoding)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a, err := d.try(h, c.body)
		runtime.ReadMemStats(&after)
		if err != nil { // the server may hang up on a sender that goes on
			if !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "broken pipe") {
				t.Errorf("%s: %v", name, err)
			}
		} else if a.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d", name, a.Status)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s allocates %d MB", name, used>>20)
		}
	}
	counts, _ := d.rejections()
	if counts["too_large"] != 3 || len(d.inbox()) != 0 {
		t.Errorf("counted %v", counts)
	}
}

// TestIngestOneDeliveryManyTimes: over a hundred sockets at once it is one row,
// one effect, one receipt.
func TestIngestOneDeliveryManyTimes(t *testing.T) {
	t.Parallel()
	d := newDoor(t, storetest.SQLite(t), nil)
	const body = `{"type":"order.completed","timestamp":"2026-01-01T10:00:00Z","data":{"email":"ann@example.com","amount":"12.50","currency":"EUR"}}`
	var mu sync.Mutex
	receipts := map[string]int{}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/hooks/app", strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			r.Header = signed("m1", body, time.Now())
			res, err := client.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			receipts[fmt.Sprint(res.StatusCode/100, " ", res.Header.Get("Stagebridge-Receipt"))]++
		})
	}
	wg.Wait()
	rows := d.inbox()
	if len(rows) != 1 || rows[0].Status != "done" || len(receipts) != 1 || receipts[fmt.Sprint("2 ", rows[0].ID)] != 100 {
		t.Fatalf("rows %+v, receipts %v", rows, receipts)
	}
	trace, err := d.store.Trace(t.Context(), rows[0].ID)
	if err != nil || len(trace.Events) != 1 || len(trace.People) != 1 || len(trace.Moves) != 1 || trace.Moves[0].To != "Customer" {
		t.Errorf("effects: %+v, %v", trace, err)
	}
	stats, err := d.store.InboxStats(t.Context())
	if err != nil || stats["app"].Done != 1 || stats["app"].Duplicates != 99 {
		t.Errorf("stats %+v, %v", stats["app"], err)
	}
}

// TestIngestBatch: an event of a batch that cannot be mapped holds up none of
// the others, and a batch that is cut off is parked whole, never by half.
func TestIngestBatch(t *testing.T) {
	t.Parallel()
	d := newDoor(t, storetest.SQLite(t), map[string]string{"split": "."})
	order := `{"type":"order.completed","timestamp":"2026-01-01T10:00:00Z","data":{"email":"%s","amount":%s,"currency":"EUR"}}`
	body := "[" + strings.Join([]string{fmt.Sprintf(order, "a@example.com", `"5"`), fmt.Sprintf(order, "b@example.com", `"lots"`),
		fmt.Sprintf(order, "", `"5"`), fmt.Sprintf(order, "c@example.com", `"6"`), `17`}, ",") + "]"
	if a := d.post(signed("m1", body, time.Now()), body); a.Status/100 != 2 {
		t.Fatalf("answer %+v", a)
	}
	cut := body[:len(body)-40]
	if a := d.post(signed("m2", cut, time.Now()), cut); a.Status/100 != 2 {
		t.Fatalf("answer %+v", a)
	}
	var got []string
	for _, r := range d.inbox() {
		got = append(got, r.Status+" "+r.Outcome.Step)
	}
	want := []string{"failed decode", "ignored ", "done ", "failed identify", "failed map", "done "} // newest first
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("outcomes %q, want %q", got, want)
	}
	for email, there := range map[string]bool{"a": true, "b": false, "c": true} {
		if _, err := d.store.PersonByKey(t.Context(), "email:"+email+"@example.com"); (err == nil) != there {
			t.Errorf("%s: %v", email, err)
		}
	}
}
