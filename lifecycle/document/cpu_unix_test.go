//go:build unix

package document

import (
	"syscall"
	"time"
)

// cpuTime is what the process has used of the processors, which, unlike the
// clock, another busy process does not change.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
