package mapping

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeXML(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src string
		want      any
	}{
		{"an envelope", `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body><n:note xmlns:n="urn:example"><n:Id>04l</n:Id><n:Email xsi:nil="true"/><n:Empty/></n:note></soapenv:Body>
</soapenv:Envelope>`,
			map[string]any{"Envelope": map[string]any{"Body": map[string]any{"note": map[string]any{"Id": "04l", "Email": nil, "Empty": ""}}}}},
		{"several are a list", `<a><b>1</b><c/><b>2</b><b><d>3</d></b></a>`,
			map[string]any{"a": map[string]any{"b": []any{"1", "2", map[string]any{"d": "3"}}, "c": ""}}},
		{"attributes", `<sum currency="EUR" xmlns:x="urn:x" x:ignored="1"> 12.50 </sum>`,
			map[string]any{"sum": map[string]any{"@currency": "EUR", "#text": "12.50"}}},
		{"escapes and CDATA", `<a>&lt;b&gt; &#233; <![CDATA[<&>]]></a>`, map[string]any{"a": "<b> é <&>"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Decode(FormatXML, []byte(tt.src))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeXMLRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("<a>", maxXMLDepth+1) + strings.Repeat("</a>", maxXMLDepth+1)
	tests := []struct{ name, src, reason string }{
		{"nothing", "", ReasonMalformed},
		{"only a declaration", `<?xml version="1.0"?>`, ReasonMalformed},
		{"cut off", "<a><b>1</b>", ReasonMalformed},
		{"two roots", "<a/><b/>", ReasonMalformed},
		{"text", "hello", ReasonMalformed},
		{"entities that double", `<!DOCTYPE a [<!ENTITY x "yy"><!ENTITY z "&x;&x;">]><a>&z;</a>`, ReasonMalformed},
		{"an entity nobody declared", "<a>&z;</a>", ReasonMalformed},
		{"too deep", deep, ReasonTooDeep},
		{"too many", "<a>" + strings.Repeat("<b/>", maxXMLElements) + "</a>", ReasonTooMany},
		{"not UTF-8", "<a>\xff</a>", ReasonInvalidUTF8},
		{"a NUL", "<a>\x00</a>", ReasonNUL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := Decode(FormatXML, []byte(tt.src))
			var e *DecodeError
			if v != nil || !errors.As(err, &e) || e.Reason != tt.reason {
				t.Errorf("%v, %v, want %s", v, err, tt.reason)
			}
		})
	}
}

func FuzzDecodeXML(f *testing.F) {
	f.Add([]byte(`<a b="c"><d/><d>1</d>&amp;<![CDATA[x]]></a>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := Decode(FormatXML, raw)
		var e *DecodeError
		if err != nil && (v != nil || !errors.As(err, &e) || e.Reason == "") {
			t.Fatalf("%v, %v", v, err)
		}
	})
}
