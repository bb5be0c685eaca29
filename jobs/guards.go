package jobs

import "github.com/stagebridge/stagebridge/lifecycle"

// guardsOf gives the guards of identity of a configuration: those of its plan,
// and of every connection whose vendor knows browsers and not people, its ids
// as devices.
func guardsOf(cfg *Config) lifecycle.Guards {
	g := cfg.Plan.Guards()
	for id, c := range cfg.Connections {
		if c.Vendor.Descriptor == nil || !c.Vendor.Descriptor.DeviceKeys {
			continue
		}
		if scope := c.Settings["identity_scope"]; scope != "" {
			id = scope
		}
		g.AddDevice(id)
	}
	return g
}
