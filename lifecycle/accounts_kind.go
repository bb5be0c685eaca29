package lifecycle

import "slices"

// KindEmptied takes an account out of every stage, since nobody belongs to it
// any more.
const KindEmptied Kind = "emptied"

// AccountMoveKind says what sort of move leads an account from one stage to
// another, by their places in the plan's list, and which stages it jumped over.
// been tells whether the account has been in the new stage before. A stage that
// the plan does not have, and none, stand before the first.
func (p *Plan) AccountMoveKind(from, to Stage, been bool) (Kind, []Stage) {
	if from == to {
		return KindSegments, nil
	}
	stages := p.AccountStages()
	place := func(name Stage) int {
		return slices.IndexFunc(stages, func(s AccountStageInfo) bool { return Stage(s.Name) == name })
	}
	was, is := place(from), place(to)
	switch {
	case to == "":
		return KindEmptied, nil
	case is < was:
		return KindBack, nil
	case been:
		return KindReEntry, nil
	case is <= was+1:
		return KindForward, nil
	}
	skipped := make([]Stage, 0, is-was-1)
	for _, s := range stages[was+1 : is] {
		skipped = append(skipped, Stage(s.Name))
	}
	return KindSkip, skipped
}
