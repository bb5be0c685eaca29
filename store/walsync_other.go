//go:build !linux

package store

import "os"

// flushFile brings a file's bytes to the disk.
func flushFile(f *os.File) error { return f.Sync() }
