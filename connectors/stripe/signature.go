package stripe

import (
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// signatureHeader is a connectors.TimedSignature, with a second v1 while a secret
// is being rolled; v0 is a scheme of test events and proves nothing
// (https://docs.stripe.com/webhooks/signature).
const signatureHeader = "Stripe-Signature"

// signatureTolerance is how old, or how far ahead, a signed request may be: the
// default of Stripe's own libraries.
const signatureTolerance = 300 * time.Second

// verify proves the sender over the raw body. The key is the whole text of the
// secret, whsec_ included.
func (c *Connector) verify(r *connectors.Request) error {
	return connectors.TimedSignature{
		Header: signatureHeader, Secret: secretSigning, Keys: c.cfg.Keys(secretSigning), Tolerance: signatureTolerance, Now: c.cfg.Now,
		Wrong: "each endpoint, and live and test mode, has its own",
	}.Verify(r)
}
