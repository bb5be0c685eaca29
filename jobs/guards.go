package jobs

import (
	"cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// guardsOf gives the guards of identity of a configuration: those of its plan,
// and of every connection whose vendor knows browsers and not people, its ids
// as devices.
func guardsOf(cfg *Config) lifecycle.Guards {
	g := cfg.Plan.Guards()
	for _, c := range cfg.Connections {
		if c.Vendor.Descriptor != nil && c.Vendor.Descriptor.DeviceKeys {
			g.AddDevice(c.namespace())
		}
	}
	return g
}

// namespace is that of the ids of a connection's vendor among the keys of
// people.
func (c *Conn) namespace() string { return cmp.Or(c.Settings["identity_scope"], c.ID) }
