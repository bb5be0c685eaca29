package connectors

// Client is replaced by the shared HTTP client.
type Client struct{}
