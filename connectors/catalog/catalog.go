// Package catalog lists every vendor that Stagebridge can connect, and writes
// their pages in the docs out of the descriptors.
package catalog

import (
	"slices"
	"sync"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/calendly"
	"github.com/stagebridge/stagebridge/connectors/churnzero"
	"github.com/stagebridge/stagebridge/connectors/crisp"
	"github.com/stagebridge/stagebridge/connectors/customerio"
	"github.com/stagebridge/stagebridge/connectors/demandbase"
	"github.com/stagebridge/stagebridge/connectors/eloqua"
	"github.com/stagebridge/stagebridge/connectors/freshdesk"
	"github.com/stagebridge/stagebridge/connectors/genericwebhook"
	"github.com/stagebridge/stagebridge/connectors/googleanalytics"
	"github.com/stagebridge/stagebridge/connectors/helpscout"
	"github.com/stagebridge/stagebridge/connectors/hubspot"
	"github.com/stagebridge/stagebridge/connectors/intercom"
	"github.com/stagebridge/stagebridge/connectors/looker"
	"github.com/stagebridge/stagebridge/connectors/mailchimp"
	"github.com/stagebridge/stagebridge/connectors/marketo"
	"github.com/stagebridge/stagebridge/connectors/mparticle"
	"github.com/stagebridge/stagebridge/connectors/pardot"
	"github.com/stagebridge/stagebridge/connectors/pipedrive"
	"github.com/stagebridge/stagebridge/connectors/qualtrics"
	"github.com/stagebridge/stagebridge/connectors/salesforce"
	"github.com/stagebridge/stagebridge/connectors/salesforcemarketingcloud"
	"github.com/stagebridge/stagebridge/connectors/segment"
	"github.com/stagebridge/stagebridge/connectors/sendgrid"
	"github.com/stagebridge/stagebridge/connectors/stripe"
	"github.com/stagebridge/stagebridge/connectors/surveymonkey"
	"github.com/stagebridge/stagebridge/connectors/typeform"
	"github.com/stagebridge/stagebridge/connectors/zendesk"
)

//go:generate go run ./gendocs ../../docs/connectors

// vendors are read from their embedded folders once.
var vendors = sync.OnceValue(func() []connectors.Vendor {
	return []connectors.Vendor{
		calendly.Vendor(),
		churnzero.Vendor(),
		crisp.Vendor(),
		customerio.Vendor(),
		demandbase.Vendor(),
		eloqua.Vendor(),
		freshdesk.Vendor(),
		genericwebhook.Vendor(),
		googleanalytics.Vendor(),
		helpscout.Vendor(),
		hubspot.Vendor(),
		intercom.Vendor(),
		looker.Vendor(),
		mailchimp.Vendor(),
		marketo.Vendor(),
		mparticle.Vendor(),
		pardot.Vendor(),
		pipedrive.Vendor(),
		qualtrics.Vendor(),
		salesforce.Vendor(),
		salesforcemarketingcloud.Vendor(),
		segment.Vendor(),
		sendgrid.Vendor(),
		stripe.Vendor(),
		surveymonkey.Vendor(),
		typeform.Vendor(),
		zendesk.Vendor(),
	}
})

// All gives every vendor, by id. The list is the caller's; the descriptors in
// it are shared and must not be changed.
func All() []connectors.Vendor { return slices.Clone(vendors()) }

// Find gives the vendor of an id; false when there is none.
func Find(id string) (connectors.Vendor, bool) {
	for _, v := range vendors() {
		if v.Descriptor.ID == id {
			return v, true
		}
	}
	return connectors.Vendor{}, false
}
