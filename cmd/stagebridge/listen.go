package main

import (
	"log/slog"
	"net/http"
)

// boundedServer makes the server of the open address, with the bounds that keep
// a slow or endless sender from holding anything for long.
func boundedServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
}
