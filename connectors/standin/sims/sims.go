// Package sims lists the stand-ins of single vendors, by the vendor's id.
package sims

import (
	"github.com/stagebridge/stagebridge/connectors/calendly/calendlysim"
	"github.com/stagebridge/stagebridge/connectors/churnzero/churnzerosim"
	"github.com/stagebridge/stagebridge/connectors/crisp/crispsim"
	"github.com/stagebridge/stagebridge/connectors/customerio/customeriosim"
	"github.com/stagebridge/stagebridge/connectors/demandbase/demandbasesim"
	"github.com/stagebridge/stagebridge/connectors/eloqua/eloquasim"
	"github.com/stagebridge/stagebridge/connectors/freshdesk/freshdesksim"
	"github.com/stagebridge/stagebridge/connectors/googleanalytics/googleanalyticssim"
	"github.com/stagebridge/stagebridge/connectors/helpscout/helpscoutsim"
	"github.com/stagebridge/stagebridge/connectors/intercom/intercomsim"
	"github.com/stagebridge/stagebridge/connectors/looker/lookersim"
	"github.com/stagebridge/stagebridge/connectors/marketo/marketosim"
	"github.com/stagebridge/stagebridge/connectors/mparticle/mparticlesim"
	"github.com/stagebridge/stagebridge/connectors/pardot/pardotsim"
	"github.com/stagebridge/stagebridge/connectors/pipedrive/pipedrivesim"
	"github.com/stagebridge/stagebridge/connectors/qualtrics/qualtricssim"
	"github.com/stagebridge/stagebridge/connectors/salesforce/salesforcesim"
	"github.com/stagebridge/stagebridge/connectors/salesforcemarketingcloud/salesforcemarketingcloudsim"
	"github.com/stagebridge/stagebridge/connectors/segment/segmentsim"
	"github.com/stagebridge/stagebridge/connectors/sendgrid/sendgridsim"
	"github.com/stagebridge/stagebridge/connectors/standin"
	"github.com/stagebridge/stagebridge/connectors/stripe/stripesim"
	"github.com/stagebridge/stagebridge/connectors/surveymonkey/surveymonkeysim"
	"github.com/stagebridge/stagebridge/connectors/typeform/typeformsim"
	"github.com/stagebridge/stagebridge/connectors/zendesk/zendesksim"
)

// All makes a fresh stand-in of every vendor that has one.
func All() map[string]standin.Simulated {
	return map[string]standin.Simulated{
		"calendly":                   calendlysim.New(),
		"churnzero":                  churnzerosim.New(),
		"crisp":                      crispsim.New(),
		"customerio":                 customeriosim.New(),
		"demandbase":                 demandbasesim.New(),
		"eloqua":                     eloquasim.New(),
		"google-analytics":           googleanalyticssim.New(),
		"helpscout":                  helpscoutsim.New(),
		"intercom":                   intercomsim.New(),
		"looker":                     lookersim.New(),
		"marketo":                    marketosim.New(),
		"mparticle":                  mparticlesim.New(),
		"pardot":                     pardotsim.New(),
		"pipedrive":                  pipedrivesim.New(),
		"qualtrics":                  qualtricssim.New(),
		"salesforce":                 salesforcesim.New(),
		"salesforce-marketing-cloud": salesforcemarketingcloudsim.New(),
		"segment":                    segmentsim.New(),
		"sendgrid":                   sendgridsim.New(),
		"stripe":                     stripesim.New(),
		"surveymonkey":               surveymonkeysim.New(),
		"typeform":                   typeformsim.New(),
		"zendesk":                    zendesksim.New(),
		"freshdesk":                  freshdesksim.New(),
	}
}
