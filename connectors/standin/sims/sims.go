// Package sims lists the stand-ins of single vendors, by the vendor's id.
package sims

import (
	"github.com/stagebridge/stagebridge/connectors/standin"
	"github.com/stagebridge/stagebridge/connectors/standin/calendlysim"
	"github.com/stagebridge/stagebridge/connectors/standin/churnzerosim"
	"github.com/stagebridge/stagebridge/connectors/standin/crispsim"
	"github.com/stagebridge/stagebridge/connectors/standin/customeriosim"
	"github.com/stagebridge/stagebridge/connectors/standin/demandbasesim"
	"github.com/stagebridge/stagebridge/connectors/standin/eloquasim"
	"github.com/stagebridge/stagebridge/connectors/standin/freshdesksim"
	"github.com/stagebridge/stagebridge/connectors/standin/googleanalyticssim"
	"github.com/stagebridge/stagebridge/connectors/standin/helpscoutsim"
	"github.com/stagebridge/stagebridge/connectors/standin/intercomsim"
	"github.com/stagebridge/stagebridge/connectors/standin/lookersim"
	"github.com/stagebridge/stagebridge/connectors/standin/marketosim"
	"github.com/stagebridge/stagebridge/connectors/standin/mparticlesim"
	"github.com/stagebridge/stagebridge/connectors/standin/pardotsim"
	"github.com/stagebridge/stagebridge/connectors/standin/pipedrivesim"
	"github.com/stagebridge/stagebridge/connectors/standin/qualtricssim"
	"github.com/stagebridge/stagebridge/connectors/standin/salesforcemarketingcloudsim"
	"github.com/stagebridge/stagebridge/connectors/standin/salesforcesim"
	"github.com/stagebridge/stagebridge/connectors/standin/segmentsim"
	"github.com/stagebridge/stagebridge/connectors/standin/sendgridsim"
	"github.com/stagebridge/stagebridge/connectors/standin/stripesim"
	"github.com/stagebridge/stagebridge/connectors/standin/surveymonkeysim"
	"github.com/stagebridge/stagebridge/connectors/standin/typeformsim"
	"github.com/stagebridge/stagebridge/connectors/standin/zendesksim"
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
