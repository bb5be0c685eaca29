package jobs

import (
	"context"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// ErasurePlan is what erasing a person would do, for whoever is to confirm it.
type ErasurePlan struct {
	Person *store.Person
	store.Holdings
	// Vendors is a line per connection, by its id.
	Vendors []VendorErasure
}

// VendorErasure is what would happen at one connection's vendor.
type VendorErasure struct {
	Connection, Connector string
	// Asked: the vendor is asked by API, once the connection is not paused. Else
	// it is to be done by hand, and Words say how.
	Asked, Paused bool
	Words         string
}

// ErasurePlan says what erasing a person would take away and who else would be
// asked. Nothing is changed. The error is store.ErrNotFound for nobody.
func (a *Admin) ErasurePlan(ctx context.Context, id lifecycle.ProfileID) (*ErasurePlan, error) {
	s := a.Registry.o.Store
	p, err := s.Person(ctx, id)
	if err != nil {
		return nil, err
	}
	plan := &ErasurePlan{Person: p}
	if plan.Holdings, err = s.Holdings(ctx, p.ID); err != nil {
		return nil, err
	}
	all := a.Registry.Config().Connections
	for _, id := range slices.Sorted(maps.Keys(all)) {
		conn := all[id]
		one := VendorErasure{Connection: id, Connector: conn.Connector, Paused: conn.Paused}
		if _, one.Asked = conn.Open.(connectors.Eraser); !one.Asked {
			one.Words = byHand(conn)
		}
		plan.Vendors = append(plan.Vendors, one)
	}
	return plan, nil
}
