package lifecycle

// historyPrint sums up the transitions of a person in their order, so that two
// profiles tell whether the ways to them were the same without anybody reading
// the ways. Zero before the first. It is FNV-1a over what a transition says was
// true: the time it was found at, its number and the plan's version say nothing
// about that.
type historyPrint uint64

const (
	printBasis = 14695981039346656037
	printPrime = 1099511628211
)

// History is a print of the history so far: equal for two profiles that came
// the same way. Profiles kept before it was kept have one that no way gives.
func (prof *Profile) History() uint64 { return uint64(prof.history) }

func (h *historyPrint) add(tr *Transition) {
	if *h == 0 {
		*h = printBasis
	}
	h.text(tr.Lifecycle)
	h.text(string(tr.From))
	h.text(string(tr.To))
	h.text(string(tr.Kind))
	h.number(uint64(tr.At))
	for _, b := range tr.Event {
		h.byte(b)
	}
	for _, list := range [...][]Segment{tr.Entered, tr.Exited} {
		h.number(uint64(len(list)))
		for _, s := range list {
			h.text(string(s))
		}
	}
}

func (h *historyPrint) byte(b byte) { *h = (*h ^ historyPrint(b)) * printPrime }

func (h *historyPrint) number(n uint64) {
	for range 8 {
		h.byte(byte(n))
		n >>= 8
	}
}

// text ends with its length, so that of two texts no part changes sides.
func (h *historyPrint) text(s string) {
	for i := range len(s) {
		h.byte(s[i])
	}
	h.number(uint64(len(s)))
}
