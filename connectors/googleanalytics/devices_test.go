package googleanalytics

import "testing"

// TestClientIDsAreDevices: a browser that two people use must not make one of
// them.
func TestClientIDsAreDevices(t *testing.T) {
	t.Parallel()
	if !Vendor().Descriptor.DeviceKeys {
		t.Error("client ids count as records of people")
	}
}
