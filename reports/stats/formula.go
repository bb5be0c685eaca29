package stats

// What goes with the figures: a sentence for each report that says what is
// divided by what. Package reports shows it beside the result. A retention
// and a concentration carry their own, since they depend on what was asked for.
const (
	SurvivalFormula = "S(t) = product over lengths up to t of (1 - ended / at risk), by Kaplan and Meier; open spells count for as long as they were seen; " +
		"a percentile is the smallest t by which that share has ended; 95 % interval by Greenwood's formula on the scale of ln(-ln S)"
	PercentileFormula = "the smallest value that so many percent of all do not exceed (nearest rank)"
	SpeedFormula      = "first human answer - lead created (or the score's threshold passed); Kaplan-Meier, so that leads without an answer count for as long as they waited"
	SplitFormula      = "new: active for the first time ever; returning: active now and in the period before; resurrecting: active now, not in the period before, earlier yes; " +
		"dormant: active in the period before, not now; new + returning + resurrecting = active, growth = new + resurrecting - dormant"
	ChurnFormula = "churn = customers lost in the period / customers at its start, new ones in neither part; retention = 1 - churn; " +
		"reactivation = came back in the period / dormant at its start; 95 % interval by Wilson's formula, z = 1.96"
	WinRateFormula          = "won / (won + lost), closed in the period; 95 % interval by Wilson's formula, z = 1.96"
	PeriodConversionFormula = "left the stage forward in the period / (in it at the start + entered it in the period); by period, not comparable with a funnel by cohort; " +
		"95 % interval by Wilson's formula, z = 1.96"
	StickinessFormula = "active people per day / active people in the month, mean over the days"
	VelocityFormula   = "opportunities × win rate (won / (won + lost), closed in the period) × average value of the deals won / length of the sales cycle in days"
	RevenueFormula    = "one movement per customer and period, by monthly revenue at its start and end; end = start + new + expansion + reactivation - contraction - churn; " +
		"quick ratio = (new + expansion) / (churn + contraction); NRR = (start + expansion - contraction - churn) / start; GRR = (start - contraction - churn) / start; each currency by itself"
	ARPAFormula           = "monthly recurring revenue / paying accounts"
	CACPaybackFormula     = "CAC / (ARPA × margin), in months"
	SimpleValueFormula    = "ARPA × gross margin / churn, undiscounted"
	RetentionValueFormula = "margin × r / (1 + d - r) paid at the end of each period, margin × (1 + d) / (1 + d - r) paid at its start"
	AttributionFormula    = "shares of one conversion among the touches within the lookback window before it, in order: first, last, last non-direct, linear 1/n, " +
		"time decay 2^(-days before / half-life), U 40/20/40, W 30/30/30/10 with the touch that created the lead; shares sum to exactly 1"
	LiftFormula = "share of the group that has the feature / share of the rest that has it, 95 % interval on the logarithmic scale; " +
		"distinct where chance gives one such difference in all features looked at less than once in 20 times"
	RFMFormula  = "recency, frequency and monetary value score 1 to 5: a value scores s where at least (s-1) fifths of all have a strictly worse one; equal values score equally"
	NPSFormula  = "percent of answers 9-10 minus percent of answers 0-6; 95 % interval ± 1.96·√((p + d - (p-d)²)/n)"
	CSATFormula = "answers 4-5 of 5 / all answers; 95 % interval by Wilson's formula, z = 1.96"
	CESFormula  = "mean of the answers"
)
