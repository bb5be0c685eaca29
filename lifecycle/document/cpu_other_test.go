//go:build !unix

package document

import "time"

var started = time.Now()

// cpuTime is the clock where the system does not tell.
func cpuTime() time.Duration { return time.Since(started) }
