package lifecycle

// Limits of one person. They bound memory and the cost of an event whatever a
// vendor sends; what the plan's conditions read is always kept.
const (
	// MaxEventNames is how many distinct event names a person has facts about,
	// beside those that the plan reads.
	MaxEventNames = 256
	// MaxCurrencies is how many currencies are summed per event name.
	MaxCurrencies = 8
	// MaxTraits is how many traits a person has, beside those that the plan reads.
	MaxTraits = 256
	// MaxTraitBytes is the size of one trait value; a longer text is cut at a
	// rune, a larger list or map becomes nil.
	MaxTraitBytes = 4096
	// MaxNameBytes is the length of an event name, trait name or currency; what
	// is longer is not kept.
	MaxNameBytes = 128
	// MaxClaims is how many connections hold a claim on a person at once.
	MaxClaims = 16
	// MaxConflicts is how many of the newest conflicts a person's log holds.
	MaxConflicts = 16
)

// Limits of a plan.
const (
	// MaxStages is how many stages a plan has.
	MaxStages = 64
	// MaxLifecycles is how many lifecycles a plan has besides its main one.
	MaxLifecycles = 8
	// MaxSegments is how many segments a plan has.
	MaxSegments = 256
	// MaxConditionBytes is the length of one condition.
	MaxConditionBytes = 4000
	// MaxConditionLeaves is how many functions and comparisons all conditions
	// of a plan have together.
	MaxConditionLeaves = 2000
	// MaxKeep is the largest n of at_least: that many times are kept per person.
	MaxKeep = 1000
	// MaxPlanEvents is how many events a plan or vocabulary describes.
	MaxPlanEvents = 2000
)

const (
	// maxTraitDepth bounds lists and maps inside a trait value.
	maxTraitDepth = 8
	// maxIdleMoves is how often timers alone may move a person from stage to
	// stage between two events. Only a plan whose stages chase each other gets
	// there; the person then rests until the next event, at the same place
	// however the calls were cut.
	maxIdleMoves = 16
	// maxProfileBytes bounds what DecodeProfile looks at.
	maxProfileBytes = 16 << 20
)
