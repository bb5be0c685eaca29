package observe

import (
	"context"
	"net/http"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Bounds of what one span is linked with, and of what is remembered for the
// next push of a connection.
const (
	maxLinks = 64
	maxDue   = 16
)

// Tracer makes the spans of a request's way: ingest, process, push. Attributes
// hold connections, counts and outcomes, never who a person is. The zero
// pointer makes none. It is safe for concurrent use.
type Tracer struct {
	tracer trace.Tracer
	mu     sync.Mutex
	due    map[string][]trace.SpanContext
}

// NewTracer makes spans with a provider.
func NewTracer(p trace.TracerProvider) *Tracer {
	return &Tracer{tracer: p.Tracer("github.com/stagebridge/stagebridge"), due: map[string][]trace.SpanContext{}}
}

// Ingest begins the span of a vendor's request. A trace that the request names
// in the header traceparent is continued.
func (t *Tracer) Ingest(ctx context.Context, h http.Header) trace.Span {
	if t == nil {
		return noop.Span{}
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(h))
	_, span := t.tracer.Start(ctx, "ingest", trace.WithSpanKind(trace.SpanKindServer))
	return span
}

// Process begins the span of a batch of raw events. parents are what Parent
// gave of the requests that they came with: one is continued, several are
// linked with.
func (t *Tracer) Process(ctx context.Context, parents []string) trace.Span {
	if t == nil {
		return noop.Span{}
	}
	var from []trace.SpanContext
	for _, p := range parents {
		if len(from) == maxLinks {
			break
		}
		if sc := parse(p); sc.IsValid() {
			from = append(from, sc)
		}
	}
	return t.follow(ctx, "process", trace.SpanKindConsumer, from)
}

// Push begins the span of a batch of people at a vendor, behind the batches of
// raw events of this process that made somebody due there.
func (t *Tracer) Push(ctx context.Context, connection string, people int) trace.Span {
	if t == nil {
		return noop.Span{}
	}
	t.mu.Lock()
	from := t.due[connection]
	delete(t.due, connection)
	t.mu.Unlock()
	span := t.follow(ctx, "push", trace.SpanKindClient, from)
	span.SetAttributes(attribute.String("stagebridge.connection", connection), attribute.Int("stagebridge.people", people))
	return span
}

// Due remembers that a batch made somebody due at connections.
func (t *Tracer) Due(span trace.Span, connections []string) {
	sc := span.SpanContext()
	if t == nil || !sc.IsSampled() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range connections {
		if len(t.due[c]) < maxDue {
			t.due[c] = append(t.due[c], sc)
		}
	}
}

// follow begins a span behind others: as the child of one, or linked with many.
func (t *Tracer) follow(ctx context.Context, name string, kind trace.SpanKind, from []trace.SpanContext) trace.Span {
	o := []trace.SpanStartOption{trace.WithSpanKind(kind)}
	switch len(from) {
	case 0:
		o = append(o, trace.WithNewRoot())
	case 1:
		ctx = trace.ContextWithRemoteSpanContext(ctx, from[0])
	default:
		links := make([]trace.Link, len(from))
		for i, sc := range from {
			links[i] = trace.Link{SpanContext: sc}
		}
		o = append(o, trace.WithNewRoot(), trace.WithLinks(links...))
	}
	_, span := t.tracer.Start(ctx, name, o...)
	return span
}

// Parent is the text under which a span is kept with raw events (a W3C
// traceparent); empty for one that is not recorded.
func Parent(span trace.Span) string {
	sc := span.SpanContext()
	if !sc.IsSampled() {
		return ""
	}
	return "00-" + sc.TraceID().String() + "-" + sc.SpanID().String() + "-01"
}

func parse(parent string) trace.SpanContext {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": parent})
	return trace.SpanContextFromContext(ctx)
}

// Fail marks a span as failed, for a reason out of a closed list.
func Fail(span trace.Span, reason string) {
	if span.IsRecording() {
		span.SetStatus(codes.Error, reason)
	}
}

// Text and Number are attributes of a span.
func Text(name, value string) attribute.KeyValue { return attribute.String("stagebridge."+name, value) }

// Number is a Text of a whole number.
func Number(name string, n int) attribute.KeyValue { return attribute.Int("stagebridge."+name, n) }
