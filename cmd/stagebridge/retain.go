package main

import (
	"time"

	"github.com/stagebridge/stagebridge/store"
)

// retained is how long each class of data is kept beside raw bodies.
func (c *Config) retained() map[store.Class]time.Duration {
	const day = 24 * time.Hour
	return map[store.Class]time.Duration{
		store.ClassRejections:   time.Duration(c.RetentionRejectionsDays) * day,
		store.ClassAudit:        time.Duration(c.RetentionAuditDays) * day,
		store.ClassSamples:      time.Duration(c.RetentionSamplesDays) * day,
		store.ClassJobs:         time.Duration(c.RetentionJobsDays) * day,
		store.ClassCertificates: time.Duration(c.RetentionCertificatesDays) * day,
	}
}
