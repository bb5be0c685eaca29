package store

import (
	"errors"
	"os"
	"syscall"
)

// flushFile brings a file's bytes to the disk, and its size where that has
// grown, but not its times, which would cost a second write per commit.
func flushFile(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
