package web

import (
	"fmt"
	"testing"
)

// Who has a whole /64 of addresses is still one sender.
func TestFailuresCountPerNetwork(t *testing.T) {
	t.Parallel()
	var l limits
	for i := range 3 {
		l.failed(fmt.Sprintf("2001:db8:1:2::%x", i+1))
		l.failed("192.0.2.1")
	}
	for address, may := range map[string]bool{
		"2001:db8:1:2:ffff::1": false,
		"2001:db8:1:3::1":      true,
		"192.0.2.1":            false,
		"::ffff:192.0.2.1":     false,
		"192.0.2.2":            true,
	} {
		if got := l.mayFail(address, 3); got != may {
			t.Errorf("%s may fail: %t, want %t", address, got, may)
		}
	}
}
