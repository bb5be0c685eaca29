package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/stagebridge/stagebridge/web"
)

// services are what /readyz asks beside the database.
func (s *server) services() []web.Service {
	return []web.Service{{Name: "redis", Ping: s.pipeline.PingRedis}}
}

// listenMetrics serves /metrics, /healthz and /readyz, and nothing else, at
// METRICS_ADDR, where no token is asked for: that address is for the network of
// the operators. A worker has no other.
func (s *server) listenMetrics() error {
	if s.config.MetricsAddr == "" {
		return nil
	}
	l, err := net.Listen("tcp", s.config.MetricsAddr)
	if err != nil {
		return fmt.Errorf("%sMETRICS_ADDR: %w", prefix, err)
	}
	o := &web.Operations{Store: s.store, Services: s.services(), Reasons: s.pipeline.Watch().Reasons, Metrics: s.observed.registry, Version: version()}
	s.metrics = &http.Server{Handler: o.Handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	s.wg.Go(func() {
		if err := s.metrics.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Warn("metrics are no longer served", "error", err)
		}
	})
	return nil
}
