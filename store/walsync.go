package store

import (
	"fmt"
	"os"
	"sync"
)

// walSync makes SQLite's commits durable from outside of SQLite. A commit with
// synchronous = full holds the one writer until the disk has answered; here
// the writer commits without waiting, and its write-ahead log is brought to
// the disk beside it, so that the next group is written and processing goes on
// meanwhile. What a person or vendor is promised is the same: the answer goes
// out after a flush that began after the commit. A power cut before it takes
// back whole transactions from the end of the log, as with synchronous =
// normal.
type walSync struct {
	path  string
	bring func(*os.File) error // brings the file to the disk; a test's own

	mu     sync.Mutex
	file   *os.File
	broken error
}

// flush returns when all that was committed before it is durable. After a
// failure it fails for good: the system may have dropped the bytes that it
// could not write, and a later flush that goes well would not say so.
func (w *walSync) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.broken
	}
	if w.file == nil {
		file, err := os.OpenFile(w.path, os.O_RDWR, 0)
		if err != nil {
			return fmt.Errorf("open the write-ahead log: %w", err)
		}
		w.file = file
	}
	if err := w.bring(w.file); err != nil {
		w.broken = fmt.Errorf("the disk did not take the write-ahead log; nothing more is taken until a restart: %w", err)
	}
	return w.broken
}

func (w *walSync) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}
