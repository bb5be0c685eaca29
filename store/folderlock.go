package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"

	"modernc.org/sqlite"
)

// folderLock is a lock on the data folder among processes: a transaction on a
// file of its own, which ends with the process on every system, however that
// ends.
type folderLock struct {
	mu   sync.Mutex
	db   *sql.DB
	held *sql.Conn
}

// sqliteBusy is SQLite's primary result code for "somebody else holds it".
const sqliteBusy = 5

func (l *folderLock) open(dir, name string) (err error) {
	l.db, err = sql.Open("sqlite", "file:"+filepath.Join(dir, name)+"?_pragma=busy_timeout(0)")
	return err
}

// take takes the lock, or answers at once that somebody else holds it.
func (l *folderLock) take(ctx context.Context) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil {
		return true, nil
	}
	conn, err := l.db.Conn(ctx)
	if err == nil {
		if _, err = conn.ExecContext(ctx, "begin exclusive"); err == nil {
			l.held = conn
			return true, nil
		}
		err = errors.Join(err, conn.Close())
	}
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == sqliteBusy {
		return false, nil
	}
	return false, err
}

// release gives the lock back.
func (l *folderLock) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil {
		_, _ = l.held.ExecContext(context.Background(), "rollback") // it ends with the connection else
		_ = l.held.Close()
		l.held = nil
	}
}

func (l *folderLock) close() {
	l.release()
	_ = l.db.Close()
}
