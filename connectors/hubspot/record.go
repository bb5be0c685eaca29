package hubspot

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Properties that a record holds. A name that an account lacks is ignored by
// the read. Names: knowledge.hubspot.com, default properties of contacts, deals,
// tickets and companies.
var (
	readContact = []string{
		"email", "firstname", "lastname", "company", "jobtitle", "phone", "country",
		nativeStageProperty, "hs_lead_status", "hubspotscore", "hs_analytics_source", "associatedcompanyid",
		"createdate", "lastmodifieddate", "hs_additional_emails", "hs_merged_object_ids",
	}
	readDeal = []string{
		"dealname", "dealstage", "pipeline", "dealtype", "amount", "deal_currency_code", "closedate",
		"createdate", "closed_lost_reason", "hs_is_closed", "hs_is_closed_won", "hs_lastmodifieddate", "hs_merged_object_ids",
	}
	readTicket = []string{
		"subject", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority", "source_type",
		"createdate", "hs_lastmodifieddate", "hs_merged_object_ids",
	}
	readCompany = []string{
		"name", "domain", "industry", "numberofemployees", "country", nativeStageProperty,
		"createdate", "hs_lastmodifieddate", "hs_merged_object_ids",
	}
)

// contactProperties is what is read of a contact: the fixed list and the
// names, separated by commas, that the connection adds.
func contactProperties(more string) []string {
	all := slices.Clone(readContact)
	for name := range strings.SplitSeq(more, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// flat writes an object as one flat map: its properties, then its id, which a
// property of that name may not hide. A property without a value is left out,
// since it says nothing against what other systems know; only the one that the
// event reports as changed is told as null when it was cleared.
func flat(o *object, changed string) map[string]any {
	m := make(map[string]any, len(o.Properties)+2)
	for name, value := range o.Properties {
		switch {
		case value != nil && *value != "":
			m[name] = *value
		case name == changed:
			m[name] = nil
		}
	}
	m["id"] = o.ID
	return m
}

// record builds what the rules see: the flat object with its people. A contact
// is its own only person.
func record(o *object, contacts []*object, changed string, extra map[string]any) (connectors.Record, error) {
	m := flat(o, changed)
	people := make([]any, len(contacts))
	for i, c := range contacts {
		people[i] = flat(c, "")
		if c == o {
			people[i] = flat(o, changed)
		}
	}
	m["contacts"] = people
	for name, value := range extra {
		m[name] = value
	}
	b, err := json.Marshal(m)
	if err != nil {
		return connectors.Record{}, err
	}
	return connectors.Record{JSON: b, ModifiedAt: modified(o)}, nil
}

// modified is the record's own modification time: contacts have
// lastmodifieddate, everything else hs_lastmodifieddate.
func modified(o *object) lifecycle.Instant {
	for _, value := range []string{o.property("lastmodifieddate"), o.property("hs_lastmodifieddate"), o.UpdatedAt} {
		if at := text(value).time(); !at.IsZero() {
			return lifecycle.At(at)
		}
	}
	return 0
}

// mergedIDs are the ids that an object answers for since they were merged into it.
func mergedIDs(o *object) []string {
	return checkboxValues(o.property("hs_merged_object_ids"))
}
