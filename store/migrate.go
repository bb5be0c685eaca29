package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema up to date. On PostgreSQL replicas that start
// together wait for each other.
func (s *Store) migrate(ctx context.Context, db *sql.DB) error {
	plain, err := s.migrations(db)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	// Most starts find nothing to do, and then no lock is taken, so that a
	// process killed while it starts cannot leave one behind.
	have, err := s.known(ctx, plain)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	want := newest(plain)
	if s.schema != 0 {
		if s.schema > want {
			return fmt.Errorf("%w: it has schema %d, this version knows schemas up to %d", ErrNewer, s.schema, want)
		}
		want = s.schema
	}
	pending, err := plain.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if !pending || s.schema != 0 && have >= want {
		return nil
	}
	var opts []goose.ProviderOption
	if s.d.postgres {
		// A lock in a table: session locks do not work through PgBouncer.
		locker, err := lock.NewPostgresTableLocker()
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		opts = append(opts, goose.WithLocker(locker))
	}
	p, err := s.migrations(db, opts...)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := p.UpTo(ctx, want); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (s *Store) migrations(db *sql.DB, opts ...goose.ProviderOption) (*goose.Provider, error) {
	folder, kind := "migrations/sqlite", goose.DialectSQLite3
	if s.d.postgres {
		folder, kind = "migrations/postgres", goose.DialectPostgres
	}
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(kind, db, files, opts...)
}

// newest is the version of the last migration that this program has.
func newest(p *goose.Provider) int64 {
	sources := p.ListSources()
	return sources[len(sources)-1].Version
}

// oldestState names, in the table state, the oldest schema that a program must
// know to use the data. A migration that takes something away raises it; one
// that only adds leaves it, so that the version before works on beside the new
// one while replicas are replaced.
const oldestState = "schema_oldest"

// known refuses data that only a newer program can use, and gives the version
// of the database's schema.
func (s *Store) known(ctx context.Context, p *goose.Provider) (int64, error) {
	have, err := p.GetDBVersion(ctx)
	if err != nil || have <= newest(p) {
		return have, err
	}
	db := s.db
	if s.writer != nil {
		db = s.writer.db
	}
	var oldest int64
	err = db.QueryRowContext(ctx, "select cast(value as bigint) from state where name = '"+oldestState+"'").Scan(&oldest)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return have, err
	}
	if oldest > newest(p) {
		return have, fmt.Errorf("%w: it has schema %d and wants a program that knows schema %d, this one knows schemas up to %d. Nothing was changed; start the newer version, or restore a backup made with this one",
			ErrNewer, have, oldest, newest(p))
	}
	s.log.Warn("the database was brought to a newer schema by another version; this one can still use it", "schema", have, "known", newest(p))
	return have, nil
}
