package live

// moreReports are the reports beside those of the path and of purchases.
func moreReports() []Info {
	return []Info{
		{"conversion", "which share left each stage forward, period by period", true, newConversion},
	}
}
