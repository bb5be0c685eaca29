package jobs_test

// everyFunctionPlan uses every function of time, most of them both for stages
// and for segments, alone, negated and together with others.
const everyFunctionPlan = `
name: every-function
zone: Europe/Berlin
scores:
  warmth:
    half_life: 21d
    min: 0
    max: 200
    events:
      Demo:Requested: 40
      Product:Used: { points: 3, most: 30 }
      Email:Opened: { points: 2, most: 7 }
      Order:Completed: 25
    traits:
      traits.vip: 10
      within("Session:Started", "14d"): 5
  loyalty:
    events:
      Order:Completed: 10
      Order:Refunded: -8
      Referral:Made: { points: 5, most: 12 }
    traits:
      traits.plan == "pro": 3
stages:
  - name: Stranger
  - name: Known
    when: |
      seen("Account:Created") || traits.lead_score >= 50
  - name: Engaged
    when: |
      at_least("Product:Used", 3, "21d") && within("Session:Started", "45d") || traits.warmth >= 75
  - name: Buyer
    when: |
      count("Order:Completed") >= 1 || seen("Deal:Won")
  - name: Loyal
    when: |
      sum("Order:Completed", "EUR") >= 900
        || stage in ["Buyer", "Engaged"] && in_stage_for("75d") && within("Product:Used", "30d")
  - name: Fan
    when: |
      was("Loyal") && seen("Review:Posted") || count("Referral:Made") > 2
  - name: Paused
    side: true
    from: [Buyer, Loyal]
    when: |
      has_been("plan", "paused", "10d")
    until: |
      traits.plan == "pro" || within("Order:Completed", "5d")
    stay: 6d
  # Silent for a week at least, whatever comes meanwhile.
  - name: Silent
    side: true
    from: [Engaged, Buyer, Loyal, Fan]
    when: |
      inactive("50d") || stage == "Silent" && !in_stage_for("7d")
  - name: Returned
    side: true
    when: |
      left("Silent", "20d")
    stay: 30d
  - name: Cold
    side: true
    from: [Stranger, Known]
    when: |
      never("Product:Used", "60d") && idle("Email:Opened", "30d") && !within("Session:Started", "14d")
segments:
  never_used: |
    never("Product:Used", "14d")
  opened_lately: |
    within("Email:Opened", "7d")
  idle_users: |
    idle("Product:Used", "30d") && !inactive("21d")
  busy: |
    at_least("Product:Used", 4, "14d") || at_least("Session:Started", 2, "1d")
  bought_often: |
    at_least("Order:Completed", 2, "90d") && !(idle("Session:Started", "14d") || never("Email:Opened", "45d"))
  quiet: |
    inactive("21d") && !inactive("75d")
  on_trial: |
    has_been("plan", "trial", "14d") || has_been("vip", true, "30d")
  trial_or_pro: |
    traits.plan in ["trial", "pro"] && traits.lead_score < 80
  vip: |
    traits.vip
  settled: |
    in_stage_for("30d") && stage != "Cold"
  fresh_in_stage: |
    !in_stage_for("7d")
  once_loyal: |
    was("Loyal") && stage != "Loyal"
  back_again: |
    left("Silent", "45d") || left("Paused", "10d") || left("Returned", "14d")
  spent_dollars: |
    sum("Order:Completed", "USD") > 300.5 || sum("Order:Refunded", "EUR") < -20
  from_the_shop: |
    source == "shop" && count("Session:Started") <= count("Product:Used")
  not_yet: |
    !seen("Order:Completed") && !within("Demo:Requested", "30d") && source != "shop"
  renewing: |
    days_until(traits.renews_at) <= 7 && days_until(traits.renews_at) >= 0
  overdue: |
    days_since(traits.renews_at) > 3 && !(days_since(traits.renews_at) >= 20)
  reminded: |
    days_until(traits.renews_at) in [14, 3, 1] || days_since(traits.renews_at) == 1
  last_hours: |
    before(traits.renews_at) && !before(traits.renews_at, "36h")
  renewed_lately:
    when: |
      after(traits.renews_at, "2d") && within("Payment:Succeeded", "30d")
    until: |
      days_since(traits.renews_at) >= 25
  regular:
    when: |
      at_least("Session:Started", 2, "3d")
    until: |
      idle("Session:Started", "10d")
    stay: 5d
  glowing: |
    traits.warmth >= 60
  thawed:
    when: |
      traits.warmth >= 45
    until: |
      traits.warmth < 30
  devoted: |
    traits.loyalty > 20 && traits.loyalty != 23
  warm:
    when: |
      within("Email:Opened", "7d")
    stay: 12d
  in_care: |
    stage_of("care") in ["Watched", "Troubled"] && stage != "Stranger"
lifecycles:
  care:
    events: ['Payment:*', 'Order:*', 'Subscription:*', 'Survey:Detractor']
    stages:
      - name: Calm
      - name: Watched
        when: |
          seen("Subscription:Canceled") || count("Order:Refunded") >= 1
      - name: Troubled
        when: |
          seen("Survey:Detractor") && stage_of("main") in ["Buyer", "Loyal", "Fan", "Silent"]
      - name: Asleep
        side: true
        when: |
          inactive("40d") && !within("Payment:Succeeded", "30d")
      - name: Waiting
        side: true
        from: [Calm]
        when: |
          never("Payment:Succeeded", "20d")
    segments:
      long_calm: |
        stage == "Calm" && in_stage_for("30d") && stage_of("main") != "Buyer"
  use:
    stages:
      - name: Guest
      - name: User
        when: |
          at_least("Product:Used", 2, "10d") || stage_of("care") == "Watched"
      - name: Lost
        side: true
        from: [User]
        when: |
          idle("Product:Used", "25d")
        stay: 8d
    segments:
      lost_long: |
        stage == "Lost" && in_stage_for("20d") || left("Lost", "5d")
claims:
  crm: { mode: hold, for: 20d }
  shop: { mode: hold, for: 7d }
back:
  - { from: [Fan], to: [Known, Engaged], policy: forbid }
  - { from: [Loyal, Fan], to: [Buyer], policy: allow }
  - { from: [Engaged, Buyer, Loyal, Fan], to: [Stranger, Known, Engaged, Buyer], policy: after 5d }
`

// simulatedStages are what systems claim of people; one is not in any plan.
var simulatedStages = []string{"Known", "Buyer", "Loyal", "Paused", "Fan", "Subscriber", "Nobody"}

// simulatedNames are what happens to people, the commoner the more often it is
// named.
var simulatedNames = []string{
	"Session:Started", "Session:Started", "Session:Started", "Session:Started", "Product:Used", "Product:Used", "Product:Used", "Product:Used",
	"Product:Used", "Email:Opened", "Email:Opened", "Email:Opened", "Page:Viewed", "Account:Created", "Newsletter:Subscribed", "Demo:Requested",
	"Lead:Qualified", "Meeting:Booked", "Order:Completed", "Order:Completed", "Order:Completed", "Order:Refunded", "Deal:Won", "Subscription:Started",
	"Subscription:Started", "Subscription:Renewed", "Subscription:Canceled", "Subscription:Canceled", "Subscription:Resumed", "Payment:Succeeded",
	"Trial:Started", "Trial:Ended", "Trial:Converted", "Referral:Made", "Referral:Made", "Review:Posted", "Survey:Promoter", "Survey:Detractor",
	"Newsletter:Unsubscribed", "Email:Complained", "Contact:Updated", "Contact:Updated", "Contact:Updated", "Stage:Claimed",
}

// simulatedKeyed carry a business key, so that two tools may tell of one fact.
var simulatedKeyed = map[string]bool{
	"Order:Completed": true, "Order:Refunded": true, "Deal:Won": true, "Subscription:Started": true, "Subscription:Canceled": true,
	"Trial:Started": true, "Payment:Succeeded": true, "Referral:Made": true,
}
