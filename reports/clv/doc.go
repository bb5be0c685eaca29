// Package clv estimates what customers are still worth: how many purchases to
// expect (BG/NBD), of what value (Gamma-Gamma), and how long subscriptions last
// (shifted-beta-geometric). The models are fitted by maximum likelihood. They
// are functions of their arguments alone: nothing is read, stored or asked of a
// clock.
//
// BG/NBD and Gamma-Gamma are for purchases that a customer makes when it suits
// them. A subscription ends visibly and pays regularly, so it is
// ShiftedBetaGeometric's subject. Assess says when too little is known for any
// of them; cohort averages then say more than a fitted model.
//
// Times are in one unit throughout, by custom weeks. Amounts are in units of
// one currency, never in several.
package clv
