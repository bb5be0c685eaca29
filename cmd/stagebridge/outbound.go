package main

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/web/access"
)

// outbound gives what every client that calls out is held to. The settings were
// read before, so what they allow can be read.
func (c *Config) outbound(timeout time.Duration) connectors.ClientOptions {
	allow, _ := connectors.ParseAllow(c.AllowNetworks)
	return connectors.ClientOptions{Timeout: timeout, AllowPrivate: c.AllowPrivateNetworks, Allow: allow, UserAgent: "stagebridge/" + version()}
}

// providerTimeout of one request to an identity provider.
const providerTimeout = 10 * time.Second

// oidc gives the identity provider; nil for none. The host of the issuer is
// allowed by being named, wherever it is; the addresses that the provider itself
// names are held to the rules of all calls.
func (c *Config) oidc() *access.OIDC {
	if c.OIDCIssuer == "" {
		return nil
	}
	roles := map[string]access.Role{}
	for value, role := range c.OIDCRoles {
		roles[value] = access.Role(role)
	}
	o := c.outbound(providerTimeout)
	if u, err := url.Parse(c.OIDCIssuer); err == nil && u.Hostname() != "" {
		o.Allow.Hosts = append(slices.Clone(o.Allow.Hosts), strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")))
	}
	return &access.OIDC{Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, ClientSecret: c.OIDCClientSecret, RoleClaim: c.OIDCRoleClaim, Roles: roles, Scopes: c.OIDCScopes,
		HTTP: connectors.NewClient(o).HTTP()}
}
