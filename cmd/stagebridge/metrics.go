package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
)

// listenMetrics serves /metrics, and nothing else, at METRICS_ADDR, where no
// token is asked for: that address is for the network of the operators.
func (s *server) listenMetrics() error {
	if s.config.MetricsAddr == "" {
		return nil
	}
	l, err := net.Listen("tcp", s.config.MetricsAddr)
	if err != nil {
		return fmt.Errorf("%sMETRICS_ADDR: %w", prefix, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.web.MetricsHandler())
	s.metrics = &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	s.wg.Go(func() {
		if err := s.metrics.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Warn("metrics are no longer served", "error", err)
		}
	})
	return nil
}
