package bench

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"net/url"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// databases makes what each run gets for itself.
type databases struct {
	postgres string // the server's address; empty: there is none
	redis    string
}

// env is the environment of a server on a database of its own, and what drops
// that again.
func (d *databases) env(ctx context.Context, postgres bool) ([]string, func(), error) {
	if !postgres {
		return nil, func() {}, nil
	}
	address, drop, err := d.fresh(ctx)
	if err != nil {
		return nil, nil, err
	}
	env := []string{"STAGEBRIDGE_DATABASE_URL=" + address, "STAGEBRIDGE_SECRET_KEY=bench-key-bench-key-bench-key-0123"}
	if d.redis != "" {
		env = append(env, "STAGEBRIDGE_REDIS_URL="+d.redis)
	}
	return env, drop, nil
}

// Database is the environment of a program on a database of its own, by name,
// and what drops that again. An empty address of a PostgreSQL server: SQLite.
func Database(ctx context.Context, postgres string) (map[string]string, func(), error) {
	all, drop, err := (&databases{postgres: postgres}).env(ctx, postgres != "")
	env := map[string]string{}
	for _, one := range all {
		name, value, _ := strings.Cut(one, "=")
		env[name] = value
	}
	return env, drop, err
}

// fresh makes an empty PostgreSQL database.
func (d *databases) fresh(ctx context.Context) (string, func(), error) {
	u, err := url.Parse(d.postgres)
	if err != nil {
		return "", nil, err
	}
	var raw [6]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", nil, err
	}
	name := "bench_" + hex.EncodeToString(raw[:])
	db, err := sql.Open("pgx", d.postgres)
	if err != nil {
		return "", nil, err
	}
	if _, err := db.ExecContext(ctx, "create database "+name); err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, _ = db.ExecContext(ctx, "drop database "+name+" with (force)")
		_ = db.Close()
	}, nil
}
