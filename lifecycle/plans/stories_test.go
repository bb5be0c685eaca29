package plans

var stories = []story{
	{"the whole way", "classic", []string{
		"0d Page:Viewed", "0d1h = Visit",
		"1d Newsletter:Subscribed", "1d = Subscriber",
		"3d Demo:Requested", "3d = Qualified Lead + !new_customers",
		"10d Order:Completed 700 EUR", "10d = Customer + new_customers !high_value",
		"30d Order:Completed 300 EUR", "30d = Retained Customer + new_customers high_value",
		"41d = Retained Customer + !new_customers",
		"45d Survey:Promoter", "45d = Advocate + promoters !detractors",
	}},
	{"churn by silence and return", "classic", []string{
		"0d Order:Completed", "29d23h = Customer + !at_risk",
		"30d = Customer + at_risk", "59d23h59m59s = Customer + !dormant",
		"60d = Churned + dormant !at_risk", "200d = Churned",
		"300d Page:Viewed", "300d = Customer + !dormant", "359d = Customer + at_risk", "360d = Churned",
		"365d Order:Completed", "365d = Retained Customer + !new_customers",
	}},
	{"cancel and restart", "classic", []string{
		"0d Account:Created", "0d Subscription:Started", "0d1h = Customer + new_customers",
		"31d Subscription:Renewed", "31d = Retained Customer",
		"40d Page:Viewed", "45d Subscription:Canceled", "45d = Churned", "45d1m = Churned", "46d = Churned",
		"50d Page:Viewed", "50d = Churned",
		"90d Subscription:Started", "90d = Retained Customer + !new_customers", "90d1m = Retained Customer", "90d2m = Retained Customer", "95d = Retained Customer",
		"200d Subscription:Canceled", "200d = Churned", "230d = Churned",
	}},
	{"a new start lifts what we only half know", "classic", []string{
		"0d Deal:Won", "10d Subscription:Canceled", "10d = Churned",
		"11d Subscription:Canceled", "11d = Churned",
		"20d Subscription:Started", "20d = Customer", "20d2m = Customer", "21d = Customer", "300d = Customer",
		"310d Subscription:Canceled", "310d = Churned",
	}},
	{"a purchase lifts a cancellation", "classic", []string{
		"0d Subscription:Started", "10d Subscription:Canceled", "10d = Churned",
		"15d Order:Completed", "15d = Customer", "15d3m = Customer", "70d = Customer", "75d = Churned",
	}},
	{"a deal lifts a cancellation", "classic", []string{
		"0d Subscription:Started", "10d Subscription:Canceled", "15d Deal:Won", "15d = Customer", "15d3m = Customer", "400d = Customer",
	}},
	{"a subscription that goes on after all", "classic", []string{
		"0d Subscription:Started", "10d Subscription:Canceled", "10d = Churned",
		"12d Subscription:Resumed", "12d = Customer", "13d = Customer",
		"20d Subscription:Canceled", "20d = Churned", "31d Subscription:Renewed", "31d = Retained Customer", "32d = Retained Customer",
	}},
	{"silent, but the bills are paid", "classic", []string{
		"0d Order:Completed", "31d Payment:Succeeded", "62d Payment:Succeeded", "90d = Customer + at_risk", "121d23h = Customer", "122d = Churned",
	}},
	{"one of two subscriptions", "classic", []string{
		"0d Subscription:Started", "1d Subscription:Started", "5d Subscription:Canceled", "5d = Customer", "5d1m = Customer", "400d = Customer",
		"401d Subscription:Canceled", "401d = Churned",
	}},
	{"a change of plan is no churn, the new start first", "classic", []string{
		"0d Subscription:Started", "40d Subscription:Started", "40d20s Subscription:Canceled", "40d20s = Customer", "40d1m = Customer", "40d3m = Customer", "41d = Customer",
	}},
	{"a change of plan, the end first", "classic", []string{
		"0d Subscription:Started", "40d Subscription:Canceled", "40d = Churned",
		"40d20s Subscription:Started", "40d20s = Customer", "40d1m = Customer", "40d3m = Customer", "41d = Customer",
	}},
	{"canceled within hours", "classic", []string{
		"0d Subscription:Started", "0d3h Subscription:Canceled", "0d3h = Churned", "1d = Churned", "100d = Churned",
	}},
	{"silent, but the subscription runs", "classic", []string{
		"0d Account:Created", "0d Subscription:Started", "300d = Customer + at_risk dormant",
		"366d Subscription:Renewed", "366d = Retained Customer", "700d = Retained Customer",
		"731d Subscription:Canceled", "731d = Churned",
	}},
	{"renewals of a subscription whose start we missed", "classic", []string{
		"0d Page:Viewed", "1d Subscription:Renewed", "32d Subscription:Renewed", "62d Subscription:Renewed", "90d = Retained Customer",
		"121d23h = Retained Customer", "122d = Churned",
	}},
	{"known from the cancellation alone", "classic", []string{
		"0d Subscription:Canceled", "1d = Visit", "100d = Visit + !dormant",
	}},
	{"a bill and nothing else", "classic", []string{
		"0d Deal:Won", "1000d = Customer + !dormant !at_risk",
	}},
	{"leads do not churn", "classic", []string{
		"0d Demo:Requested", "100d = Qualified Lead + dormant !at_risk",
	}},
	{"a score makes a lead", "classic", []string{
		"0d Contact:Created lead_score=49", "0d = Visit", "1d Contact:Updated lead_score=50", "1d = Qualified Lead",
		"2d Contact:Updated lead_score=10", "2d = Qualified Lead",
	}},
	{"trial", "classic", []string{
		"0d Trial:Started", "1d = Visit + trialists",
		"14d Trial:Ended", "14d = Visit + !trialists",
		"20d Trial:Started", "20d = Visit + trialists", "30d Subscription:Started", "30d = Customer + !trialists",
	}},
	{"a trial that became a subscription of which nobody told the start", "classic", []string{
		"0d Trial:Started", "14d Trial:Converted", "14d = Visit + !trialists",
	}},
	{"an old subscriber buys for the first time", "classic", []string{
		"0d Subscription:Renewed", "40d Order:Completed", "40d = Retained Customer + !new_customers",
	}},
	{"an old customer's second deal", "classic", []string{
		"0d Deal:Won", "1d = Customer + new_customers", "100d Deal:Won", "100d = Retained Customer + !new_customers",
	}},
	{"a trial whose end nobody told", "classic", []string{
		"0d Trial:Started", "89d = Visit + trialists", "90d = Visit + !trialists",
	}},
	{"opinions change", "classic", []string{
		"0d Survey:Detractor", "0d = Visit + detractors !promoters",
		"30d Survey:Promoter", "30d = Advocate + detractors !promoters", "90d = Advocate + promoters !detractors",
		"200d Survey:Detractor", "200d = Advocate + detractors !promoters", "290d = Advocate + promoters !detractors",
		"395d = Advocate + detractors !promoters", "565d = Advocate + !detractors !promoters",
	}},
	{"consent", "classic", []string{
		"0d Newsletter:Subscribed", "0d = Subscriber + !unsubscribed", "1d Newsletter:Subscribed",
		"5d Newsletter:Unsubscribed", "5d = Subscriber + unsubscribed", "9d Newsletter:Subscribed", "9d = Subscriber + unsubscribed",
	}},
	{"a complaint", "classic", []string{"0d Email:Complained", "0d = Visit + unsubscribed"}},
	{"worth much by an estimate", "classic", []string{"0d Contact:Updated clv=1000.5", "0d = Visit + high_value"}},
	{"a new customer again would be a contradiction", "classic", []string{
		"0d Deal:Won", "20d Order:Completed", "20d = Customer + new_customers", "29d = Customer + new_customers", "30d = Customer + !new_customers",
	}},

	{"the whole way", "journey", []string{
		"0d Page:Viewed", "0d = Awareness",
		"2d Order:Completed", "2d = Acquisition + new_customers",
		"3d Account:Created", "3d = Onboarding",
		"4d Product:Used", "5d Product:Used", "5d = Onboarding", "6d Product:Used", "6d = Engagement",
		"20d Order:Completed", "20d = Retention",
		"25d Referral:Made", "25d = Referral", "26d Review:Posted", "26d = Advocacy",
	}},
	{"an account before the purchase", "journey", []string{
		"0d Account:Created", "0d = Awareness", "5d Subscription:Started", "5d = Onboarding",
	}},
	{"stayed and was there", "journey", []string{
		"0d Subscription:Started", "0d = Acquisition", "50d Product:Used", "80d Session:Started", "89d = Acquisition", "90d = Retention",
	}},
	{"stayed, but nobody saw the customer", "journey", []string{
		"0d Subscription:Started", "200d = Acquisition + !dormant",
	}},
	{"dormant and reactivated", "journey", []string{
		"0d Order:Completed", "59d = Acquisition + at_risk !dormant", "60d = Dormant + dormant !at_risk", "100d = Dormant",
		"100d1h Email:Opened", "100d1h = Dormant",
		"101d Session:Started", "101d = Reactivation + !dormant", "102d Page:Viewed", "130d = Reactivation",
		"131d = Acquisition", "161d = Acquisition + at_risk", "162d = Dormant",
		"170d Order:Completed", "170d = Reactivation", "200d = Retention", "229d = Retention", "230d = Dormant",
	}},
	{"strangers stay where they are", "journey", []string{
		"0d Page:Viewed", "400d = Awareness + dormant !at_risk",
	}},
	{"help is engagement", "journey", []string{
		"0d Subscription:Started", "1d Ticket:Opened", "1d = Engagement",
	}},

	{"the whole way", "funnel", []string{
		"0d Page:Viewed", "0d = Visitor", "1d Form:Submitted", "1d = Prospect",
		"2d Trial:Started", "2d = Prospect + trialists", "3d Product:Used", "4d Product:Used", "5d Product:Used", "5d = Activated User",
		"16d Subscription:Started", "16d = Active Customer + new_customers !trialists",
		"47d Subscription:Renewed", "47d = Active Customer", "77d Subscription:Renewed", "77d = Loyal Customer",
		"80d Subscription:Canceled", "80d = Churned", "100d Subscription:Started", "100d = Loyal Customer", "101d = Loyal Customer",
	}},
	{"bought and not used yet", "funnel", []string{
		"0d Order:Completed", "0d = Customer", "1d Product:Used", "2d Product:Used", "3d Product:Used", "3d = Active Customer",
		"62d = Active Customer + at_risk", "63d = Churned",
	}},
	{"use without a trial", "funnel", []string{
		"0d Product:Used", "1d Product:Used", "2d Product:Used", "2d = Visitor", "3d Account:Activated", "3d = Activated User", "400d = Activated User",
	}},
	{"three orders", "funnel", []string{
		"0d Order:Completed", "10d Order:Completed", "10d = Active Customer", "20d Order:Completed", "20d = Loyal Customer",
	}},

	{"the whole way", "hubspot", []string{
		"0d Page:Viewed", "0d = ", "1d Newsletter:Subscribed", "1d = Subscriber", "2d Form:Submitted", "2d = Lead",
		"3d Lead:Qualified", "3d = Marketing Qualified Lead", "4d Meeting:Booked", "4d = Sales Qualified Lead",
		"5d Deal:Created", "5d = Opportunity", "6d Deal:Lost", "6d = Opportunity", "20d Deal:Won", "20d = Customer + new_customers", "30d Review:Posted", "30d = Evangelist",
		"60d = Evangelist + at_risk",
	}},
	{"judged unfit, then fit after all", "hubspot", []string{
		"0d Lead:Created", "1d Lead:Qualified", "2d Lead:Disqualified", "2d = Other", "2d5m = Other", "20d Page:Viewed", "20d = Other",
		"30d Lead:Qualified", "30d = Marketing Qualified Lead", "31d = Marketing Qualified Lead",
		"40d Lead:Disqualified", "40d = Other", "50d Deal:Created", "50d = Opportunity", "51d = Opportunity",
	}},
	{"customers are never Other", "hubspot", []string{
		"0d Deal:Won", "1d Lead:Disqualified", "1d = Customer", "2d = Customer",
	}},

	{"the whole way", "pirate", []string{
		"0d Page:Viewed", "0d = Acquisition", "1d Account:Activated", "1d = Activation",
		"2d Session:Started", "3d Session:Started", "3d = Activation", "9d Session:Started", "9d = Retention", "60d = Retention",
		"61d Referral:Made", "61d = Referral", "62d Subscription:Started", "62d = Revenue", "70d Subscription:Upgraded", "70d = Growth",
		"92d = Growth + at_risk", "200d = Growth + dormant",
	}},
	{"three visits in a quarter are no habit", "pirate", []string{
		"0d Session:Started", "30d Session:Started", "60d Session:Started", "60d = Acquisition",
	}},
}
