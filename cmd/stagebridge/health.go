package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// healthTimeout is shorter than the five seconds the image allows its check.
const healthTimeout = 4 * time.Second

// maxHealthBody is more than the answer ever holds, in bytes.
const maxHealthBody = 64 << 10

// healthCommand asks the server of this machine whether it is ready: the
// health check of an image that holds no other program.
func healthCommand() command {
	c := command{name: "health", summary: "ask the server at STAGEBRIDGE_ADDR, or the worker at STAGEBRIDGE_METRICS_ADDR, whether it is ready"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		if _, err := p.parse(c, args, nil, 0, 0); err != nil {
			return err
		}
		config, _, err := loadConfig(p.env)
		if err != nil {
			return err
		}
		answer, err := askReady(ctx, config.Addr)
		if errors.Is(err, syscall.ECONNREFUSED) && config.MetricsAddr != "" {
			answer, err = askReady(ctx, config.MetricsAddr) // a worker listens there only
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(p.stdout, answer)
		return err
	}
	return c
}

func askReady(ctx context.Context, addr string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+reachable(addr)+"/readyz", nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxHealthBody))
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	answer := strings.TrimSpace(string(body))
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("not ready (%s): %s", response.Status, answer)
	}
	return answer, nil
}

// reachable turns an address to listen on into one to call: "all interfaces"
// cannot be called, loopback is among them.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	switch host {
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}
