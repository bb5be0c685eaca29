package connectors

import (
	"context"
	"net/http"
	"time"

	"github.com/stagebridge/stagebridge/secret"
)

// Client makes every request to a vendor.
type Client struct{}

// ClientOptions of a Client; the zero value works.
type ClientOptions struct {
	// Timeout of one request; zero is 15 s.
	Timeout time.Duration
	// MaxAnswer is the most bytes of an answer that are read; zero is 4 MiB.
	MaxAnswer int64
	// AllowPrivate lets requests go to loopback, private and link-local addresses.
	AllowPrivate bool
	// UserAgent; empty is "stagebridge/<version>".
	UserAgent string
}

// NewClient makes a client.
func NewClient(ClientOptions) *Client { return &Client{} }

// Call is one request.
type Call struct {
	// Act names it in errors, vendor first: "hubspot: update contacts".
	Act    string
	Method string
	URL    string
	Header http.Header
	// Body is sent as it is; with JSON set it is made from that.
	Body []byte
	JSON any
	// Secrets are cut out of every text that comes back.
	Secrets []secret.Text
	// Judge, when set, looks at every answer first and may give an error for a
	// 2xx or another error for the rest; nil leaves it to the shared table.
	Judge func(*Answer) *PushError
}

// Answer is a vendor's answer, read wholly.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do makes the call. Any error is a *PushError; for a status that is not 2xx
// it comes from the shared status table, with Retry-After read. The answer is
// given beside the error where there was one.
func (c *Client) Do(ctx context.Context, call Call) (*Answer, error) { return nil, nil }

// JSON decodes the body; the error is a *PushError with ReasonBadAnswer.
func (a *Answer) JSON(act string, v any) error { return nil }
