// Package plans holds the tracking plans that Stagebridge brings and the
// vocabulary that they are written in. All of it is text that is part of the
// binary; a user starts from a copy and changes what does not fit.
package plans

import (
	"embed"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

//go:embed *.yaml
var files embed.FS

// names lists the plans in the order in which they are offered; the first is
// what a new installation starts with.
var names = [...]string{"classic", "journey", "funnel", "hubspot", "pirate"}

// Default is the plan that a new installation starts with.
const Default = "classic"

// Names gives the ready-made plans, the default first.
func Names() []string { return append([]string(nil), names[:]...) }

// Source gives a plan's YAML; false when there is none of that name.
func Source(name string) ([]byte, bool) {
	for _, known := range names {
		if known == name {
			return read(name + ".yaml"), true
		}
	}
	return nil, false
}

// MustParse gives a ready-made plan, read with the vocabulary. It panics when
// there is none of that name.
func MustParse(name string) *lifecycle.Plan {
	src, ok := Source(name)
	if !ok {
		panic(fmt.Sprintf("plans: there is no plan %q", name))
	}
	plan, err := lifecycle.ParsePlan(name+".yaml", src, Vocabulary())
	if err != nil {
		panic(fmt.Sprintf("plans: %v", err))
	}
	return plan
}

// read gives an embedded file, a new copy each time.
func read(file string) []byte {
	src, err := files.ReadFile(file)
	if err != nil {
		panic(fmt.Sprintf("plans: %v", err))
	}
	return src
}
