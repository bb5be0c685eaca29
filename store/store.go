package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Sentinels a caller branches on.
var (
	ErrNotFound = errors.New("not found")
	// ErrStale: the row changed since the version the caller names.
	ErrStale = errors.New("changed meanwhile")
	// ErrExists: something of that name is there already.
	ErrExists = errors.New("exists already")
	// ErrAway: the database cannot be reached now; nothing was written.
	ErrAway = errors.New("database away")
)

// Options of Open.
type Options struct {
	// URL is postgres://…; empty uses SQLite in Dir.
	URL string
	// Dir holds stagebridge.db; it is made when missing.
	Dir string
	// Connections bounds the PostgreSQL pool; zero is 16.
	Connections int
	// Committed is told of every commit: whether it was durable, derived or of
	// ingest (see Store.Derived), and how long the commit itself took; "flush"
	// is the write-ahead log on its way to the disk. It must return at once.
	Committed func(kind string, took time.Duration)
	// Asked is told of every statement before it is sent, with the context that it
	// is sent under, so that a test may count what one request costs. It must
	// return at once.
	Asked func(ctx context.Context, text string)
	// Now is the clock; nil is PostgreSQL's own, or on SQLite this machine's.
	Now func() time.Time
	Log *slog.Logger
	// MovedAtMost is with how many events somebody is moved who is merged; zero
	// is a thousand. A test that has few events wants it lower.
	MovedAtMost int
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	d      dialect
	db     *sql.DB // PostgreSQL: everything; SQLite: readers
	writer *writer // SQLite only
	now    func() time.Time
	log    *slog.Logger
	// committed hears of every commit; never nil.
	committed func(kind string, took time.Duration)
	// asked hears of every statement; never nil.
	asked func(ctx context.Context, text string)

	movedAtMost int // see movedAtMost

	schema int64 // that migrate stops at; zero: the newest
	ids    sequences

	append    appender
	recent    recentHashes
	claimed   claims
	rejected  rejections
	arrived   arriving
	audited   atomic.Int64 // the time of the newest entry in the audit log
	leases    atomic.Int64 // how often Lease was asked for a few
	closeOnce sync.Once
	closed    chan struct{}
	wg        sync.WaitGroup
}

// Open connects, brings the schema up to date and starts the group commit. The
// error is ErrNewer when the data cannot be used by this version any more.
func Open(ctx context.Context, o Options) (*Store, error) { return openAt(ctx, o, 0) }

// openAt is Open with the schema of a version, zero being the newest.
func openAt(ctx context.Context, o Options, schema int64) (*Store, error) {
	s := &Store{now: o.Now, log: o.Log, committed: o.Committed, asked: o.Asked, movedAtMost: cmp.Or(o.MovedAtMost, movedAtMost), schema: schema, closed: make(chan struct{})}
	if s.committed == nil {
		s.committed = func(string, time.Duration) {}
	}
	if s.asked == nil {
		s.asked = func(context.Context, string) {}
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if o.URL != "" {
		err = s.openPostgres(ctx, o)
	} else {
		err = s.openSQLite(ctx, o)
	}
	if err != nil {
		return nil, fmt.Errorf("store: open: %w", err)
	}
	s.claimed.taken = map[int64]bool{}
	if err := s.openDedupe(o.Dir); err != nil {
		return nil, errors.Join(fmt.Errorf("store: open: %w", err), s.db.Close())
	}
	s.append.start(s)
	return s, nil
}

// Postgres reports which of the two databases this is.
func (s *Store) Postgres() bool { return s.d.postgres }

// Close waits for the group commit to end and closes the database.
func (s *Store) Close() error {
	var err error
	s.closeOnce.Do(func() {
		close(s.closed)
		s.append.stop()
		s.wg.Wait()
		if s.writer != nil {
			err = s.writer.close()
		}
		err = errors.Join(err, s.db.Close())
	})
	return err
}

// Ping answers whether the database can be reached.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return fmt.Errorf("store: ping: %w: %w", ErrAway, err)
	}
	return nil
}

func (s *Store) openPostgres(ctx context.Context, o Options) error {
	s.d = postgresDialect()
	cfg, err := pgx.ParseConfig(o.URL)
	if err != nil {
		return errors.New("DATABASE_URL is not a PostgreSQL address (postgres://user:password@host:5432/name)")
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "stagebridge"
	}
	s.db = stdlib.OpenDB(*cfg)
	most := o.Connections
	if most == 0 {
		most = 16
	}
	s.db.SetMaxOpenConns(most)
	s.db.SetMaxIdleConns(most)
	if err := s.migrate(ctx, s.db); err != nil {
		return errors.Join(err, s.db.Close())
	}
	if o.Now != nil {
		return nil
	}
	if err := s.followDatabase(ctx); err != nil {
		return errors.Join(err, s.db.Close())
	}
	return nil
}

// sqliteReaders is how many SQLite readers may run beside the one writer.
const sqliteReaders = 4

func (s *Store) openSQLite(ctx context.Context, o Options) error {
	s.d = sqliteDialect()
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(o.Dir, "stagebridge.db")
	pragmas := "?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=temp_store(memory)&_pragma=foreign_keys(0)"
	w, err := openWriter(ctx, "file:"+path+pragmas+"&_pragma=synchronous(full)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(0)")
	if err != nil {
		return err
	}
	s.writer, w.log.path, w.log.bring = w, path+"-wal", flushFile
	if err := s.migrate(ctx, w.db); err != nil {
		return errors.Join(err, w.close())
	}
	s.db, err = sql.Open("sqlite", "file:"+path+pragmas+"&_pragma=query_only(1)&_pragma=cache_size(-4096)")
	if err != nil {
		return errors.Join(err, w.close())
	}
	s.db.SetMaxOpenConns(sqliteReaders)
	s.db.SetMaxIdleConns(sqliteReaders)
	s.wg.Go(func() { s.checkpoint(w.log.path) })
	return nil
}
