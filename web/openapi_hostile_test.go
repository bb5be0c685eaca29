package web_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/web/access"
)

// known are texts that mean something to the lab, odd such as nobody sends in
// good faith.
var (
	knownTexts = []string{"1", "2", "0", "hubspot-eu", "email:ann@example.com", "email:cy@example.com", "Customer", "at_risk", "news", "failed", "done", "ann@example.com",
		"domain:example.com", "viewer", "plan", "funnel", "2026-01-31T10:00:00Z", "true", "all", `"v1"`}
	oddTexts = []string{"-1", "9223372036854775808", "1e309", "..", "a/b", "%", "\x00", "\xff\xfe", "ö😀\u202e", "<script>", "'; drop table people;--", "${HOME}", "null", "[]", "{}",
		strings.Repeat("x", 3000), strings.Repeat("[", 500), " ", "\r\nX-Odd: 1", "2026-13-45T99:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"}
)

// TestGeneratedRequests sends requests made from the description's schemas, and
// spoilt ones, in any order. Each answer must be one that the description
// foresees; none may be a failure of the server.
func TestGeneratedRequests(t *testing.T) {
	t.Parallel()
	d := newDescribed(t)
	viewer, _, err := (&access.Access{Store: d.store}).AddToken(t.Context(), access.TokenInput{ID: "a-viewer", Role: access.Viewer})
	if err != nil {
		t.Fatal(err)
	}
	tokens := []string{apiToken, apiToken, apiToken, apiToken, viewer.Reveal()}
	var all []call
	for _, c := range d.calls() {
		if c.op.OperationID != "testNotification" { // it would call what other requests entered
			all = append(all, c)
		}
	}
	answers := map[int]int{}
	rapid.Check(t, func(rt *rapid.T) {
		for range 4 {
			c := rapid.SampledFrom(all).Draw(rt, "operation")
			path, body, headers := d.request(rt, c)
			a := d.send(c.method, "/api/v1"+path, body, append(headers, "Authorization: Bearer "+rapid.SampledFrom(tokens).Draw(rt, "token"))...)
			answers[a.Status/100]++
			if a.Status >= 500 {
				rt.Fatalf("%s %s %q %q: %d %s\n%s", c.method, path, headers, body, a.Status, a.Body, d.log)
			}
			if err := d.fits(c, a); err != nil {
				rt.Fatalf("%s %s %q %q: %d %s: %v", c.method, path, headers, body, a.Status, a.Body, err)
			}
		}
	})
	if answers[2] < 20 || answers[4] < 20 {
		t.Errorf("too few requests went through, or were refused, to show anything: %v", answers)
	}
}

// request makes one for an operation.
func (d *described) request(rt *rapid.T, c call) (path, body string, headers []string) {
	text := rapid.SampledFrom(append(append([]string{}, knownTexts...), oddTexts...))
	path = c.path
	query := url.Values{}
	for _, ref := range c.op.Parameters {
		p := ref.Value
		schema := d.schemaOf(p.Schema)
		odd := rapid.IntRange(0, 9).Draw(rt, "odd") == 0
		switch p.In {
		case "path":
			value := d.pathValue(rt, c, p.Name, fmt.Sprint(p.Example))
			if odd {
				value = text.Draw(rt, p.Name)
			}
			path = strings.ReplaceAll(path, "{"+p.Name+"}", strings.ReplaceAll(url.PathEscape(value), ".", "%2E"))
		case "header":
			if value := text.Draw(rt, p.Name); rapid.Bool().Draw(rt, "sent") && !strings.ContainsAny(value, "\r\n\x00") {
				headers = append(headers, p.Name+": "+value)
			}
		case "query":
			switch {
			case p.Name == "wait" && !odd: // nobody works here, so that waiting ends only by itself
				query.Set(p.Name, "0")
			case p.Name == "wait":
				query.Set(p.Name, rapid.SampledFrom([]string{"-1", "x", "99", "NaN"}).Draw(rt, p.Name))
			case odd:
				query.Add(p.Name, text.Draw(rt, p.Name))
			case p.Required || rapid.IntRange(0, 2).Draw(rt, "given") == 0:
				query.Add(p.Name, fmt.Sprint(d.value(rt, schema, 0)))
			}
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	body, kind := d.content(rt, c)
	if kind != "" {
		headers = append(headers, "Content-Type: "+kind)
	}
	return path, body, headers
}

func (d *described) pathValue(rt *rapid.T, c call, name, example string) string {
	if own, ok := d.path[c.op.OperationID+"."+name]; ok && rapid.Bool().Draw(rt, "own") {
		return own
	}
	return rapid.SampledFrom([]string{example, example, example, "2", "3"}).Draw(rt, name)
}

// content makes a body: as the schema says, the example, or neither.
func (d *described) content(rt *rapid.T, c call) (body, kind string) {
	if c.op.RequestBody == nil {
		return "", ""
	}
	example := d.example(c.op.OperationID)
	for k := range c.op.RequestBody.Value.Content {
		kind = k
	}
	switch rapid.IntRange(0, 5).Draw(rt, "body") {
	case 0:
		return rapid.SampledFrom([]string{"", "null", "[]", "{", `{"a":`, "\x00", "\xff", "7", `{"id":null}`, strings.Repeat("[", 5000), strings.Repeat("a: &a [*a]\n", 20), "a: !!binary x"}).Draw(rt, "text"), kind
	case 1: // one byte of the example is another one
		b := []byte(example)
		if len(b) > 0 {
			b[rapid.IntRange(0, len(b)-1).Draw(rt, "at")] = rapid.Byte().Draw(rt, "byte")
		}
		return string(b), kind
	case 2, 3:
		return example, rapid.SampledFrom([]string{kind, kind, kind, "", "text/xml"}).Draw(rt, "kind")
	}
	if kind == "application/yaml" {
		return example, kind
	}
	b, err := json.Marshal(d.value(rt, d.schemaOf(c.op.RequestBody.Value.Content[kind].Schema), 0))
	if err != nil {
		rt.Fatal(err)
	}
	return string(b), kind
}

// schemaOf gives a schema as JSON has it, with the reference in it kept.
func (d *described) schemaOf(v any) map[string]any {
	d.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		d.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(b, &s); err != nil {
		d.Fatal(err)
	}
	return s
}

// value makes a value that a schema lets through.
func (d *described) value(rt *rapid.T, s map[string]any, depth int) any {
	if ref, ok := s["$ref"].(string); ok {
		target := d.raw["components"].(map[string]any)["schemas"].(map[string]any)[strings.TrimPrefix(ref, "#/components/schemas/")].(map[string]any)
		if required, ok := s["required"]; ok {
			target = map[string]any{"type": "object", "properties": target["properties"], "required": required}
		}
		return d.value(rt, target, depth)
	}
	if either, ok := s["anyOf"].([]any); ok {
		return d.value(rt, rapid.SampledFrom(either).Draw(rt, "either").(map[string]any), depth)
	}
	if enum, ok := s["enum"].([]any); ok {
		return rapid.SampledFrom(enum).Draw(rt, "enum")
	}
	switch s["type"] {
	case "null":
		return nil
	case "boolean":
		return rapid.Bool().Draw(rt, "flag")
	case "integer", "number":
		least, most := -5.0, 1e6
		if x, ok := s["minimum"].(float64); ok {
			least = x
		}
		if x, ok := s["maximum"].(float64); ok {
			most = x
		}
		x := rapid.Float64Range(least, min(most, 1e12)).Draw(rt, "number")
		if s["type"] == "integer" {
			return int64(x)
		}
		return x
	case "array":
		list := []any{}
		for range rapid.IntRange(0, max(0, 3-depth)).Draw(rt, "length") {
			list = append(list, d.value(rt, s["items"].(map[string]any), depth+1))
		}
		return list
	case "object":
		return d.object(rt, s, depth)
	case "string":
		if s["pattern"] != nil || s["format"] == "date-time" {
			return rapid.SampledFrom([]string{"2026-01-31T10:00:00Z", "2099-01-01T00:00:00.5+02:00"}).Draw(rt, "time")
		}
		return rapid.SampledFrom(append(append([]string{}, knownTexts...), oddTexts...)).Draw(rt, "text")
	}
	return rapid.SampledFrom([]any{nil, "all", 7, []any{"at_risk"}, map[string]any{"a": 1}}).Draw(rt, "any")
}

func (d *described) object(rt *rapid.T, s map[string]any, depth int) any {
	made := map[string]any{}
	if of, ok := s["additionalProperties"].(map[string]any); ok {
		for range rapid.IntRange(0, 2).Draw(rt, "members") {
			made[rapid.SampledFrom(append([]string{"mode", "base_url", "token"}, oddTexts...)).Draw(rt, "name")] = d.value(rt, of, depth+1)
		}
	}
	required := fmt.Sprint(s["required"])
	properties, _ := s["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if strings.Contains(required, name) || depth < 4 && rapid.Bool().Draw(rt, "has") {
			made[name] = d.value(rt, properties[name].(map[string]any), depth+1)
		}
	}
	return made
}
