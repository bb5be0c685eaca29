package hubspot

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/secret"
)

// jsonValue draws JSON of any kind, with the white space and the characters
// that could mislead a splitter.
func jsonValue(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		kinds := 4
		if depth > 0 {
			kinds = 6
		}
		space := rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "space")
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return space + rapid.SampledFrom([]string{"null", "true", "-1.5e9", "9007199254740993"}).Draw(t, "plain")
		case 1, 2, 3:
			return space + rapid.SampledFrom([]string{`"],["`, `"}{"`, `"\""`, `"\\"`, `"\\\","`, `"é,]"`, `""`}).Draw(t, "text") + space
		case 4:
			return space + list(t, depth, "[", "]", "")
		default:
			return space + list(t, depth, "{", "}", `"a`)
		}
	})
}

func list(t *rapid.T, depth int, open, shut, name string) string {
	out := open
	for i, v := range rapid.SliceOfN(jsonValue(depth-1), 0, 4).Draw(t, "elements") {
		if i > 0 {
			out += ","
		}
		if name != "" {
			out += name + string(rune('a'+i)) + `":`
		}
		out += v
	}
	return out + shut
}

// On an array that is JSON the splitter agrees with a JSON decoder.
func TestSplitAgreesWithTheDecoder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := []byte(list(t, 3, " [", "] ", ""))
		d := jsontext.NewDecoder(bytes.NewReader(body))
		if _, err := d.ReadToken(); err != nil {
			t.Fatal(err)
		}
		var want []string
		for d.PeekKind() != ']' {
			v, err := d.ReadValue()
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, string(v))
		}
		var got []string
		for _, c := range split(body) {
			if c.broken != "" {
				t.Fatalf("%s: broken: %s", body, c.broken)
			}
			got = append(got, string(c.bytes))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", body, diff)
		}
	})
}

// Whatever stands in one element, its neighbours are found.
func TestSplitIsolatesABrokenElement(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"tru", "{", "nope nope", "", `{"a"}`, `{"a":1]`, "01", "\xff", `{"a":\u12}`} {
		body := []byte(`[{"first":1},` + bad + `,{"last":1}]`)
		chunks := split(body)
		if string(chunks[0].bytes) != `{"first":1}` {
			t.Errorf("%q: the first element is %q", bad, chunks[0].bytes)
		}
		joined := 0
		for _, c := range chunks {
			joined += len(c.bytes)
		}
		if joined < len(body)-len("[,,]")-1 {
			t.Errorf("%q: bytes got lost: %d of %d", bad, joined, len(body))
		}
	}
}

func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		vectorBody, publishedV1Body, "", "[]", "[", "{}", "[{},1,null]", `{"vid":1}`, `[{"a":"\ud800"}]`, `[[[[`, "[\"",
		`[{"subscriptionType":"object.merge","objectTypeId":"0-1","primaryObjectId":1,"mergedObjectIds":[2]}]`,
	} {
		f.Add([]byte(seed), "https://bridge.example.com/hooks/hubspot-eu")
	}
	f.Add([]byte("[]"), "https://bridge.example.com/?a=%3A%%2")
	c := mustOpen(f, testConfig())
	f.Fuzz(func(t *testing.T, body []byte, url string) {
		r := signed("")
		r.Body, r.URL, r.Header = body, url, http.Header{}
		Sign(r.Header, secret.New(testSecret), r.Method, url, body, testNow)
		before := bytes.Clone(body)
		receipt, err := c.Receive(r)
		if err != nil {
			t.Fatalf("an authentic request was refused: %v", err)
		}
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
		for _, e := range receipt.Events {
			if e.Type == "" || e.Dedupe == [32]byte{} {
				t.Fatalf("an event without type or key: %+v", e)
			}
			if e.Broken == "" && !jsontext.Value(e.Body).IsValid() {
				t.Fatalf("a good event whose body is not JSON: %q", e.Body)
			}
			if !bytes.Contains(body, e.Body) {
				t.Fatalf("an event whose body is not in the request: %q", e.Body)
			}
		}
	})
}
