// Package catalog lists every vendor that Stagebridge can connect, with its
// stand-in, and writes their pages in the docs out of the descriptors. The list
// is generated out of the folders' names.
package catalog

import (
	"cmp"
	"slices"
	"sync"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/standin"
)

//go:generate go run ./genvendors .. zz_vendors.go
//go:generate go run ./gendocs ../../docs/connectors

// entry is what one vendor's folder brings.
type entry struct {
	vendor func() connectors.Vendor
	// standIn makes a fresh one; nil where the folder has none.
	standIn func() standin.Simulated
}

// listed is an entry with its vendor read.
type listed struct {
	connectors.Vendor
	standIn func() standin.Simulated
}

// vendors are read from their embedded folders once, and are in order of id.
var vendors = sync.OnceValue(func() []listed {
	var all []listed
	for _, e := range entries() {
		all = append(all, listed{e.vendor(), e.standIn})
	}
	slices.SortFunc(all, func(a, b listed) int { return cmp.Compare(a.Descriptor.ID, b.Descriptor.ID) })
	return all
})

// All gives every vendor, by id. The list is the caller's; the descriptors in
// it are shared and must not be changed.
func All() []connectors.Vendor {
	all := make([]connectors.Vendor, 0, len(vendors()))
	for _, v := range vendors() {
		all = append(all, v.Vendor)
	}
	return all
}

// Find gives the vendor of an id; false when there is none.
func Find(id string) (connectors.Vendor, bool) {
	for _, v := range vendors() {
		if v.Descriptor.ID == id {
			return v.Vendor, true
		}
	}
	return connectors.Vendor{}, false
}

// StandIns makes a fresh stand-in of every vendor that has one, by the vendor's
// id.
func StandIns() map[string]standin.Simulated {
	all := map[string]standin.Simulated{}
	for _, v := range vendors() {
		if v.standIn != nil {
			all[v.Descriptor.ID] = v.standIn()
		}
	}
	return all
}
