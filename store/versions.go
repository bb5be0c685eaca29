package store

import (
	"context"
	"database/sql"
	"fmt"
)

func (t *Tx) addRules(ctx context.Context, connection string, v *Versioned) (int64, error) {
	var next int64
	if err := t.one(ctx, "select coalesce(max(version), 0) + 1 from rules where connection = ?", []any{connection}, &next); err != nil {
		return 0, err
	}
	_, err := t.exec(ctx, "insert into rules (connection, version, source, author, note, created_at) values (?, ?, ?, ?, ?, ?)",
		connection, next, v.Source, v.Author, v.Note, t.s.nowMicros())
	return next, err
}

// versionState is what the audit log tells of a version; its text is in the
// table of versions.
type versionState struct {
	Version int64  `json:"version"`
	Author  string `json:"author,omitempty"`
	Note    string `json:"note,omitempty"`
}

// PublishRules puts rules in force for a connection. was is the version they
// are based on; ErrStale when another one is in force by now.
func (s *Store) PublishRules(ctx context.Context, connection string, was int64, v Versioned) (int64, error) {
	version, _, err := s.PublishRulesWith(ctx, connection, was, v, nil)
	return version, err
}

// PublishRulesWith is PublishRules that adds long work in the same transaction,
// which with is told the new version for; nil adds none.
func (s *Store) PublishRulesWith(ctx context.Context, connection string, was int64, v Versioned, with func(version int64) Work) (int64, Work, error) {
	var version int64
	var added Work
	err := s.in(ctx, durable, func(t *Tx) error {
		if err := t.bumpConfig(ctx); err != nil {
			return err
		}
		var err error
		if version, err = t.addRules(ctx, connection, &v); err != nil {
			return err
		}
		n, err := t.exec(ctx, "update connections set rules = ?, updated_at = ? where id = ? and rules = ?", version, s.nowMicros(), connection, was)
		if err := orElse(n, err, ErrStale); err != nil {
			return err
		}
		if with != nil {
			if added, _, err = t.startWork(ctx, with(version)); err != nil {
				return err
			}
		}
		return t.Audit(ctx, "rules.publish", "connection:"+connection, versionState{Version: was}, versionState{Version: version, Author: v.Author, Note: v.Note})
	})
	if err != nil {
		return 0, Work{}, fmt.Errorf("store: rules of %s: %w", connection, err)
	}
	return version, added, nil
}

// RulesVersions lists the published rules of a connection, newest first.
func (s *Store) RulesVersions(ctx context.Context, connection string) ([]Versioned, error) {
	return s.versions(ctx, "select connection, version, source, author, note, created_at from rules where connection = ? order by version desc", connection)
}

// Rules gives one published version.
func (s *Store) Rules(ctx context.Context, connection string, version int64) (Versioned, error) {
	all, err := s.versions(ctx, "select connection, version, source, author, note, created_at from rules where connection = ? and version = ?", connection, version)
	return only(all, err)
}

// PublishPlan puts a tracking plan in force for everybody, as PublishRules does.
// Version zero stands for no plan yet.
func (s *Store) PublishPlan(ctx context.Context, was int64, v Versioned) (int64, error) {
	return s.RollOutPlan(ctx, was, v, WholeShare)
}

// RollOutPlan adds a version of the plan and puts a share of all people under
// it, the others staying where they are. was is the version that they are
// under; ErrStale when another one is in force by now, and ErrRollout while
// another version is being rolled out.
func (s *Store) RollOutPlan(ctx context.Context, was int64, v Versioned, share int64) (int64, error) {
	return s.addPlan(ctx, v, func(now Assignment) (Assigned, error) {
		switch {
		case now.Base != was:
			return Assigned{}, ErrStale
		case now.Next != 0:
			return Assigned{}, ErrRollout
		}
		return Assigned{Base: was, Share: share}, nil
	})
}

// RollBackPlan adds a version of the plan and puts everybody under it, those too
// who are under a version that is being rolled out, which is withdrawn by the
// same transaction. epoch is the assignment that the caller saw; ErrStale when
// it is another one by now.
func (s *Store) RollBackPlan(ctx context.Context, epoch int64, v Versioned) (int64, error) {
	return s.addPlan(ctx, v, func(now Assignment) (Assigned, error) {
		if now.Epoch != epoch {
			return Assigned{}, ErrStale
		}
		return Assigned{Base: now.Base, Share: WholeShare}, nil
	})
}

// addPlan adds a version and assigns people to it as to says, which is given
// the present assignment and leaves the version's number to be filled in.
func (s *Store) addPlan(ctx context.Context, v Versioned, to func(now Assignment) (Assigned, error)) (int64, error) {
	var version int64
	err := s.in(ctx, durable, func(t *Tx) error {
		if err := t.bumpConfig(ctx); err != nil {
			return err
		}
		now, err := assignment(ctx, t)
		if err != nil {
			return err
		}
		next, err := to(now)
		if err != nil {
			return err
		}
		if err := t.one(ctx, "select coalesce(max(version), 0) + 1 from plans", nil, &version); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "insert into plans (version, source, author, note, created_at) values (?, ?, ?, ?, ?)",
			version, v.Source, v.Author, v.Note, s.nowMicros()); err != nil {
			return err
		}
		if err := t.Audit(ctx, "plan.publish", "plan", versionState{Version: now.Base}, versionState{Version: version, Author: v.Author, Note: v.Note}); err != nil {
			return err
		}
		next.Next = version
		return t.assign(ctx, now, next)
	})
	if err != nil {
		return 0, fmt.Errorf("store: plan: %w", err)
	}
	return version, nil
}

func (t *Tx) setState(ctx context.Context, name, value string) error {
	_, err := t.exec(ctx, "insert into state (name, value) values (?, ?) on conflict (name) do update set value = excluded.value", name, value)
	return err
}

// Plan gives the tracking plan in force; ErrNotFound before the first.
func (s *Store) Plan(ctx context.Context) (Versioned, error) {
	all, err := s.versions(ctx, `select '', version, source, author, note, created_at from plans
		where version = (select cast(value as bigint) from state where name = 'plan_version')`)
	return only(all, err)
}

// PlanVersion gives one published plan; ErrNotFound when there is none.
func (s *Store) PlanVersion(ctx context.Context, version int64) (Versioned, error) {
	all, err := s.versions(ctx, "select '', version, source, author, note, created_at from plans where version = ?", version)
	return only(all, err)
}

// PlanVersions lists the published plans, newest first.
func (s *Store) PlanVersions(ctx context.Context) ([]Versioned, error) {
	return s.versions(ctx, "select '', version, source, author, note, created_at from plans order by version desc")
}

func (s *Store) versions(ctx context.Context, q string, args ...any) ([]Versioned, error) {
	var all []Versioned
	rows, err := s.query(ctx, q, args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var v Versioned
		err := rows.Scan(&v.Connection, &v.Version, &v.Source, &v.Author, &v.Note, &v.Created)
		all = append(all, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: versions: %w", away(err))
	}
	return all, nil
}

func only(all []Versioned, err error) (Versioned, error) {
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Versioned{}, err
	}
	return all[0], nil
}
