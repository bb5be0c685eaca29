package live

// OptionInfo tells people what one of the options of ParseOptions means.
type OptionInfo struct {
	Name, Help string
	// Example is a value that it may have.
	Example string
	// Choices are its only values; nil: there are others.
	Choices []string
}

// OptionInfos lists the options that ParseOptions reads, the commonest first.
func OptionInfos() []OptionInfo {
	return []OptionInfo{
		{"from", "first day of the events looked at, 2026-01-31", "2026-01-01", nil},
		{"to", "the day behind the last one", "2026-02-01", nil},
		{"zone", "time zone of days, weeks and months (default the zone of the plan, else UTC)", "Europe/Berlin", nil},
		{"unit", "length of a cohort's periods: day, week or month (default month)", "week", []string{"day", "week", "month"}},
		{"kind", "bounded counts who was there in a period, rolling who was then or later (default bounded)", "rolling", []string{"bounded", "rolling"}},
		{"events", "events that count as purchases or as being back, with commas (default " + string(DefaultPurchase) + ")", "Order:Completed", nil},
		{"segment", "only people who are in it now", "at_risk", nil},
		{"account", "only people of one account, by its key, such as domain:example.com", "domain:example.com", nil},
		{"lifecycle", "which lifecycle of the plan a report about stages is about (default main)", "academy", nil},
		{"connection", "only events that it told of", "hubspot-eu", nil},
		{"source", "only people of whom this connection told first", "hubspot-eu", nil},
		{"plan", "only people whom this version of the plan placed last", "1", nil},
		{"person", "only one person, by id", "1", nil},
		{"currency", "of amounts; the one with the most purchases when empty", "EUR", nil},
		{"window", "days after a stage in which the next one still counts in the funnel, or a purchase makes a customer (default: without end, and 90)", "30", nil},
		{"weeks", "how far ahead the report clv looks (default 52)", "26", nil},
		{"rates", "rates that turn amounts into the currency, USD=0.92,GBP=1.17; without them currencies stay apart", "USD=0.92", nil},
		{"counting", "reached counts skipped stages as passed in the funnel, entered does not (default reached)", "entered", []string{"reached", "entered"}},
		{"won", "events that end a sale or are credited to touches, with commas (default: see docs/reports.md)", "Deal:Won", nil},
		{"touches", "events that count as touches, with commas (default Campaign:Touched)", "Campaign:Touched", nil},
		{"by", "what names a touch: source, medium, campaign, content, connection or event (default source); for the funnel day, week or month, whose cohorts are shown too", "campaign", []string{"source", "medium", "campaign", "content", "connection", "event", "day", "week", "month"}},
		{"start", "where a sales cycle begins: opportunity, lead or first_touch (default opportunity)", "lead", []string{"opportunity", "lead", "first_touch"}},
		{"basis", "what makes a customer: subscription, purchase or stage (default subscription where there is any)", "purchase", []string{"subscription", "purchase", "stage"}},
		{"stages", "stages whose people are customers, with commas, for the basis stage", "Customer", nil},
		{"stage", "the stage that a move leads to (default: each of the path)", "Customer", nil},
		{"group", "who is compared with the rest: top or won (default top)", "won", []string{"top", "won"}},
		{"lookback", "days before a conversion or a move in which something counts", "90", nil},
		{"halflife", "days in which a touch loses half its weight (default 7)", "14", nil},
		{"score", "lead score from which on somebody is a lead (default: whoever was captured as one)", "50", nil},
		{"hours", "business hours from Monday to Friday that waits are counted in, 9-17 (default: all)", "9-17", nil},
		{"spend", "what winning customers cost in the period, 12000.50", "12000.50", nil},
		{"margin", "share of the revenue that is left after direct costs, 0.8 (default 1)", "0.8", nil},
		{"discount", "yearly discount of money, 0.1 (default 0)", "0.1", nil},
	}
}
