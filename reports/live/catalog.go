package live

// moreReports are the reports beside those of the path and of purchases.
func moreReports() []Info {
	return []Info{
		{"attribution", "which touches conversions and revenue are owed to, by seven models side by side", false, newAttribution},
		{"churn", "who became a customer, left and came back, period by period", false, newChurn},
		{"contact", "in which stage sales first touched people, and whom it never did", false, newContact},
		{"content", "content and touches by stage, and the last ones before the decision", false, newContent},
		{"contracts", "how long subscriptions last and what they are still worth (shifted-beta-geometric)", false, newContracts},
		{"conversion", "which share left each stage forward, period by period", true, newConversion},
		{"cycle", "how long sales take from the opportunity, the lead or the first touch (Kaplan-Meier)", false, newCycle},
		{"economics", "naive value of a customer, cost of winning one, months to pay it back", false, newEconomics},
		{"lift", "what the top 20 % by revenue, or those who won, have in common", false, newLift},
		{"mrr", "monthly recurring revenue: movements, quick ratio, NRR, GRR, ARPA", false, newMRR},
		{"precedes", "which events come before a move into a stage", false, newPrecedes},
		{"speed", "how fast leads get a human answer: median, nine tenths, share within five minutes", false, newSpeed},
		{"split", "active people: new, returning, resurrecting, dormant", false, newSplit},
		{"stickiness", "active per day of those active in the month", false, newSticky},
		{"surveys", "NPS, CSAT and CES, by period and stage", false, newSurveys},
		{"tickets", "tickets and how fast they are solved, by stage and customer", false, newTickets},
		{"velocity", "what the pipeline brings in per day", false, newVelocity},
		{"winrate", "deals won of the deals closed, by period and pipeline", false, newWinRate},
	}
}
