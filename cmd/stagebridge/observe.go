package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stagebridge/stagebridge/jobs/observe"
)

// observed is what this process shows of itself.
type observed struct {
	registry *prometheus.Registry
	metrics  *observe.Metrics
	tracer   *observe.Tracer // nil without OTLP_ENDPOINT
}

// newObserved makes it by the settings.
func newObserved(c Config) (o observed, err error) {
	o.registry = prometheus.NewRegistry()
	o.metrics, err = observe.New(o.registry, version())
	return o, err
}
