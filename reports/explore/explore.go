// Package explore describes the views that the store offers to people who look
// for themselves, with SQL or with a BI tool, and writes a LookML project and a
// page of the docs out of that description. The views are made by the store's
// migrations; a test holds the two against each other.
package explore

// Types of a column.
const (
	Number = "number"
	Text   = "string"
	Time   = "time"
	YesNo  = "yesno"
)

// View is one view of the database.
type View struct {
	// Name in the database.
	Name  string
	Label string
	Help  string
	// Row says in one sentence what a row is.
	Row     string
	Columns []Column
}

// Column is one column of a View.
type Column struct {
	Name string
	Type string
	Help string
	// Key is set for the column, or with others the columns, that tell rows apart.
	Key bool
}

const personHelp = "our number of the person, the same in every view"

// Views lists them in the order of the docs.
func Views() []View {
	return []View{{
		Name: "explore_people", Label: "People", Row: "one person as they stand now",
		Help: "Start here. Who was merged into somebody else is left out.",
		Columns: []Column{
			{Name: "person_id", Type: Number, Help: personHelp, Key: true},
			{Name: "email", Type: Text, Help: "one of the person's addresses; explore_identifiers has all"},
			{Name: "user_id", Type: Text, Help: "the id in your own product, where it is known"},
			{Name: "stage", Type: Text, Help: "the present stage; empty before the first"},
			{Name: "stage_since", Type: Time, Help: "since when, by the time of the event that led there"},
			{Name: "last_seen_at", Type: Time, Help: "when the person last did something"},
		},
	}, {
		Name: "explore_identifiers", Label: "Identifiers", Row: "one identifier of a person",
		Help: "Every e-mail address, user id and vendor's id by which somebody is known.",
		Columns: []Column{
			{Name: "person_id", Type: Number, Help: personHelp},
			{Name: "namespace", Type: Text, Help: "email, user, anonymous, phone or a connection's own", Key: true},
			{Name: "identifier", Type: Text, Help: "the identifier itself", Key: true},
		},
	}, {
		Name: "explore_events", Label: "Events", Row: "one lifecycle event of a person",
		Help: "What happened, in the words of the vocabulary. Amounts and properties are kept packed and are not here; the API and the person's page show them.",
		Columns: []Column{
			{Name: "event_id", Type: Text, Help: "the event's id", Key: true},
			{Name: "person_id", Type: Number, Help: personHelp},
			{Name: "event", Type: Text, Help: "for example Order:Completed"},
			{Name: "connection", Type: Text, Help: "which connection told of it"},
			{Name: "happened_at", Type: Time, Help: "the event's own time"},
			{Name: "raw_event_id", Type: Number, Help: "the raw event that it was mapped from"},
		},
	}, {
		Name: "explore_moves", Label: "Moves", Row: "one move of a person from stage to stage",
		Help: "The history as it stands now: a late event, a join or another plan may change it. What was decided and told on the way is in the timeline of a person, in the API.",
		Columns: []Column{
			{Name: "person_id", Type: Number, Help: personHelp, Key: true},
			{Name: "move", Type: Number, Help: "numbers the moves of a person, with gaps", Key: true},
			{Name: "from_stage", Type: Text, Help: "empty for the first"},
			{Name: "to_stage", Type: Text, Help: "empty when a person left every stage"},
			{Name: "kind", Type: Text, Help: "forward, skip, back, re-entry or manual"},
			{Name: "happened_at", Type: Time, Help: "the time of the event that caused it"},
			{Name: "decided_at", Type: Time, Help: "when it was found here first, whatever has come in since"},
		},
	}, {
		Name: "explore_visits", Label: "Stage visits", Row: "one stay of a person in a stage",
		Help: "For time in stage and for funnels: how long each stay was, and whether it lasts.",
		Columns: []Column{
			{Name: "person_id", Type: Number, Help: personHelp, Key: true},
			{Name: "move", Type: Number, Help: "the move that began it", Key: true},
			{Name: "stage", Type: Text, Help: "the stage"},
			{Name: "entered_at", Type: Time, Help: "when it began"},
			{Name: "left_at", Type: Time, Help: "when it ended; empty while it lasts"},
			{Name: "days", Type: Number, Help: "how long it was, until now where it lasts"},
			{Name: "is_current", Type: YesNo, Help: "whether it lasts"},
		},
	}, {
		Name: "explore_segments", Label: "Segments", Row: "one person in one segment now",
		Help: "Who is in which segment.",
		Columns: []Column{
			{Name: "segment", Type: Text, Help: "the segment", Key: true},
			{Name: "person_id", Type: Number, Help: personHelp, Key: true},
			{Name: "member_since", Type: Time, Help: "since when"},
		},
	}, {
		Name: "explore_deliveries", Label: "Deliveries", Row: "one person at one connection that takes pushes",
		Help: "What has reached the other tools, and why something has not.",
		Columns: []Column{
			{Name: "connection", Type: Text, Help: "where to", Key: true},
			{Name: "person_id", Type: Number, Help: personHelp, Key: true},
			{Name: "state", Type: Text, Help: "pending, synced, skipped, failed, submitted or unconfirmed"},
			{Name: "reason", Type: Text, Help: "why not, from the closed list of reasons"},
			{Name: "message", Type: Text, Help: "the vendor's own words"},
			{Name: "attempts", Type: Number, Help: "tries since the last success"},
			{Name: "vendor_id", Type: Text, Help: "the record's id there"},
			{Name: "pushed_at", Type: Time, Help: "the last success"},
		},
	}, {
		Name: "explore_raw_events", Label: "Raw events", Row: "one raw event as a vendor told it",
		Help: "What came in and what became of it; the bytes themselves are in the inbox, not here.",
		Columns: []Column{
			{Name: "raw_event_id", Type: Number, Help: "our number of it", Key: true},
			{Name: "connection", Type: Text, Help: "which connection it came through"},
			{Name: "type", Type: Text, Help: "the vendor's own name for it"},
			{Name: "received_at", Type: Time, Help: "when it arrived"},
			{Name: "happened_at", Type: Time, Help: "its own time, where the vendor gives one"},
			{Name: "status", Type: Text, Help: "pending, done, ignored, quarantined or failed"},
			{Name: "reason", Type: Text, Help: "why it was ignored or parked"},
			{Name: "rule", Type: Text, Help: "the rules that matched"},
		},
	}}
}
