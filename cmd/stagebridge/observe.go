package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/otlp"
	"github.com/stagebridge/stagebridge/jobs/observe"
)

// observed is what this process shows of itself.
type observed struct {
	registry *prometheus.Registry
	metrics  *observe.Metrics
	tracer   *observe.Tracer // nil without OTLP_ENDPOINT
	// end sends the last spans.
	end func(context.Context) error
}

// newObserved makes it by the settings.
func newObserved(c Config, log *slog.Logger) (o observed, err error) {
	o.end = func(context.Context) error { return nil }
	o.registry = prometheus.NewRegistry()
	if o.metrics, err = observe.New(o.registry, version()); err != nil || c.OTLPEndpoint == "" {
		return o, err
	}
	exporter, err := otlp.New(c.OTLPEndpoint, c.OTLPHeaders)
	if err != nil {
		return o, fmt.Errorf("%sOTLP_ENDPOINT: %w", prefix, err)
	}
	// Without this the SDK would write past our log that a collector is away.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Debug("traces", "error", err) }))
	// A sender that marks every request as traced does not decide for us: the
	// share does, by the id of the trace, so that all parts of one agree.
	share := sdk.TraceIDRatioBased(c.TraceShare)
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter),
		sdk.WithSampler(sdk.ParentBased(share, sdk.WithRemoteParentSampled(share))),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "stagebridge"), attribute.String("service.version", version()))),
	)
	o.tracer, o.end = observe.NewTracer(provider), provider.Shutdown
	return o, nil
}
