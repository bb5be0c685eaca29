package calendly

import "github.com/stagebridge/stagebridge/connectors"

// signatureHeader is a connectors.TimedSignature, as Calendly's developer page on
// webhook signatures says.
const signatureHeader = "Calendly-Webhook-Signature"

// verify proves the sender over the raw body. Calendly signs nothing where the
// subscription was made without a key; such a request is not taken.
func (c *Connector) verify(r *connectors.Request) error {
	return connectors.TimedSignature{
		Header: signatureHeader, Secret: secretSigning, Keys: c.cfg.Keys(secretSigning), Tolerance: c.tolerance, Now: c.cfg.Now,
		Missing: "the subscription was made without a signing key: register it anew",
	}.Verify(r)
}
