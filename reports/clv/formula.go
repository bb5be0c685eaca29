package clv

// What goes with the figures: a sentence for each model that says where its
// figures come from.
const (
	PurchasesFormula = "repeat purchases by BG/NBD (Fader, Hardie and Lee 2005), fitted by maximum likelihood to number and time of repeat purchases and time observed; " +
		"purchases of one day are one; P(alive) = 1 / (1 + a/(b+x-1) · ((α+T)/(α+t_x))^(r+x)), unknown without a repeat"
	SpendFormula = "mean value of a purchase by Gamma-Gamma (Fader and Hardie 2013), E[M] = p(γ + xz)/(px + q - 1), fitted by maximum likelihood to the mean values of repeat purchases"
	ValueFormula = "CLV = sum over steps k of E[M] · margin · (E[Y(t_k)] - E[Y(t_(k-1))]) / (1+d)^k, " +
		"for purchases without a subscription, in one currency"
	GeometricFormula = "subscriptions by shifted-beta-geometric (Fader and Hardie 2007), fitted by maximum likelihood: P(1) = α/(α+β), P(t) = P(t-1)·(β+t-2)/(α+β+t-1), S(t) = S(t-1) - P(t)"
	AverageFormula   = "averages instead of a model: repeat purchases per customer and week observed × weeks × mean value of a repeat purchase × margin, each week discounted as in CLV; too high for long horizons, since it forgets that customers leave"
)
