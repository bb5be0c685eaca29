package main

import (
	"time"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
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

// kept says the same for people, on the page of settings.
func (c *Config) kept() []web.Kept {
	return []web.Kept{
		{What: "Bytes, headers and records of raw events that are done or ignored", Setting: prefix + "RETENTION_DAYS", Days: c.RetentionDays},
		{What: "Facts of refused requests", Setting: prefix + "RETENTION_REJECTIONS_DAYS", Days: c.RetentionRejectionsDays},
		{What: "Samples of what did not fit the plan", Setting: prefix + "RETENTION_SAMPLES_DAYS", Days: c.RetentionSamplesDays},
		{What: "Records of long work", Setting: prefix + "RETENTION_JOBS_DAYS", Days: c.RetentionJobsDays},
		{What: "The audit log", Setting: prefix + "RETENTION_AUDIT_DAYS", Days: c.RetentionAuditDays},
		{What: "Certificates of erasures", Setting: prefix + "RETENTION_CERTIFICATES_DAYS", Days: c.RetentionCertificatesDays},
	}
}
