package otlp

import (
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// The parts of an ExportTraceServiceRequest that are used, in the JSON form of
// OTLP: ids in hex, 64-bit numbers as texts.
type (
	exportRequest struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource   resource     `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
	}
	resource struct {
		Attributes []keyValue `json:"attributes"`
	}
	scopeSpans struct {
		Scope scope      `json:"scope"`
		Spans []wireSpan `json:"spans"`
	}
	scope struct {
		Name string `json:"name"`
	}
	wireSpan struct {
		TraceID    string      `json:"traceId"`
		SpanID     string      `json:"spanId"`
		Parent     string      `json:"parentSpanId,omitempty"`
		Flags      uint32      `json:"flags,omitempty"`
		Name       string      `json:"name"`
		Kind       int         `json:"kind"`
		Start      string      `json:"startTimeUnixNano"`
		End        string      `json:"endTimeUnixNano"`
		Attributes []keyValue  `json:"attributes,omitempty"`
		Events     []wireEvent `json:"events,omitempty"`
		Links      []wireLink  `json:"links,omitempty"`
		Status     wireStatus  `json:"status"`
	}
	wireEvent struct {
		Time       string     `json:"timeUnixNano"`
		Name       string     `json:"name"`
		Attributes []keyValue `json:"attributes,omitempty"`
	}
	wireLink struct {
		TraceID string `json:"traceId"`
		SpanID  string `json:"spanId"`
	}
	wireStatus struct {
		Code    int    `json:"code,omitempty"`
		Message string `json:"message,omitempty"`
	}
	keyValue struct {
		Key   string         `json:"key"`
		Value map[string]any `json:"value"`
	}
)

func request(spans []sdk.ReadOnlySpan) exportRequest {
	var r resourceSpans
	if res := spans[0].Resource(); res != nil {
		r.Resource.Attributes = keyValues(res.Attributes())
	}
	byScope := map[string]int{}
	for _, s := range spans {
		name := s.InstrumentationScope().Name
		i, ok := byScope[name]
		if !ok {
			i = len(r.ScopeSpans)
			byScope[name] = i
			r.ScopeSpans = append(r.ScopeSpans, scopeSpans{Scope: scope{name}})
		}
		r.ScopeSpans[i].Spans = append(r.ScopeSpans[i].Spans, wire(s))
	}
	return exportRequest{[]resourceSpans{r}}
}

func wire(s sdk.ReadOnlySpan) wireSpan {
	sc := s.SpanContext()
	w := wireSpan{
		TraceID: sc.TraceID().String(), SpanID: sc.SpanID().String(), Flags: uint32(sc.TraceFlags()), Name: s.Name(), Kind: kind(s.SpanKind()),
		Start: nanos(s.StartTime()), End: nanos(s.EndTime()), Attributes: keyValues(s.Attributes()),
	}
	if s.Parent().SpanID().IsValid() {
		w.Parent = s.Parent().SpanID().String()
	}
	for _, e := range s.Events() {
		w.Events = append(w.Events, wireEvent{nanos(e.Time), e.Name, keyValues(e.Attributes)})
	}
	for _, l := range s.Links() {
		w.Links = append(w.Links, wireLink{l.SpanContext.TraceID().String(), l.SpanContext.SpanID().String()})
	}
	switch st := s.Status(); st.Code {
	case codes.Ok:
		w.Status = wireStatus{Code: 1}
	case codes.Error:
		w.Status = wireStatus{Code: 2, Message: st.Description}
	}
	return w
}

// kind is the number in the protocol, where 0 means unspecified and internal is 1.
func kind(k trace.SpanKind) int {
	switch k {
	case trace.SpanKindServer:
		return 2
	case trace.SpanKindClient:
		return 3
	case trace.SpanKindProducer:
		return 4
	case trace.SpanKindConsumer:
		return 5
	}
	return 1
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func keyValues(all []attribute.KeyValue) []keyValue {
	out := make([]keyValue, len(all))
	for i, a := range all {
		value := map[string]any{"stringValue": a.Value.String()}
		switch a.Value.Type() {
		case attribute.INT64:
			value = map[string]any{"intValue": a.Value.String()}
		case attribute.BOOL:
			value = map[string]any{"boolValue": a.Value.AsBool()}
		}
		out[i] = keyValue{string(a.Key), value}
	}
	return out
}
