package web

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/jobs/observe"
	"github.com/stagebridge/stagebridge/store"
)

// ingesting is what is noted of one request of a vendor on its way.
type ingesting struct {
	connection string // "" while it is not known to be one of ours
	bytes      int
	kept       store.Receipt
	requestID  string
	foreign    bool // the request came with its id
	span       trace.Span
}

// origin is what the raw events keep of their request. An id that was made here
// is only in the log, beside the receipt: storing it with each would cost.
func (x *ingesting) origin() jobs.Origin {
	from := jobs.Origin{Trace: observe.Parent(x.span)}
	if x.foreign {
		from.RequestID = x.requestID
	}
	return from
}

const ingestingKey = "stagebridge.ingesting"

// ingestingOf gives what observed began; a request that did not come through
// there gets a note that nobody reads.
func ingestingOf(c echo.Context) *ingesting {
	if x, ok := c.Get(ingestingKey).(*ingesting); ok {
		return x
	}
	return &ingesting{span: trace.SpanFromContext(c.Request().Context())}
}

// observed counts a request of a vendor, logs it under its id and the receipt's,
// and makes it the begin of a trace. The log is at debug level: vendors call
// thousands of times a second.
func (in *Ingest) observed(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begun := time.Now()
		r := c.Request()
		x := &ingesting{requestID: r.Header.Get(headerRequestID), span: in.Tracer.Ingest(r.Context(), r.Header)}
		if x.foreign = saneID(x.requestID); !x.foreign {
			x.requestID = in.ids.next()
		}
		c.Response().Header().Set(headerRequestID, x.requestID)
		c.Set(ingestingKey, x)
		if err := next(c); err != nil {
			c.Error(err) // so that the status is known
		}
		in.note(c, x, time.Since(begun))
		return nil
	}
}

func (in *Ingest) note(c echo.Context, x *ingesting, took time.Duration) {
	status := c.Response().Status
	in.Metrics.Request(x.connection, status, x.bytes, took)
	if x.kept.New > 0 {
		in.Metrics.Kept(x.connection, x.kept.New)
	}
	if x.span.IsRecording() {
		x.span.SetAttributes(observe.Text("connection", x.connection), observe.Number("status", status), observe.Number("new", x.kept.New),
			observe.Number("duplicates", x.kept.Duplicates), observe.Text("receipt", receiptText(x.kept.ID)))
		if status >= http.StatusBadRequest {
			observe.Fail(x.span, http.StatusText(status))
		}
	}
	x.span.End()
	if ctx := c.Request().Context(); in.Log != nil && in.Log.Enabled(ctx, slog.LevelDebug) {
		in.Log.Debug("received", "connection", x.connection, "status", status, "bytes", x.bytes, "receipt", x.kept.ID, "new", x.kept.New,
			"duplicates", x.kept.Duplicates, "took", took.Round(time.Microsecond), "request_id", x.requestID)
	}
}

func receiptText(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}
