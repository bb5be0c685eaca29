package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// Shares of people, as Assignment.Share counts them.
const (
	// WholeShare is everybody: shares are hundredths of a percent.
	WholeShare = 10_000
)

// ErrRollout says that a version of the plan is being rolled out, so that no
// other can be published before it is finished or withdrawn.
var ErrRollout = errors.New("a plan is being rolled out")

// Assigned says which plan people are under: Base, but for the Share of them
// that is under Next. Next and Share are zero where no version is rolled out.
type Assigned struct {
	Base int64 `json:"base"`
	Next int64 `json:"next,omitempty"`
	// Share in hundredths of a percent, below WholeShare.
	Share int64 `json:"share,omitempty"`
}

// Assignment is what people are assigned to now. Epoch grows with every
// change, and Before is what the newest one replaced.
type Assignment struct {
	Epoch int64
	Assigned
	Before Assigned
}

const assignmentRow = "plan_assignment"

// Assignment gives the versions of the plan in force. All is zero before the
// first was published.
func (s *Store) Assignment(ctx context.Context) (Assignment, error) {
	a, err := assignment(ctx, s)
	if err != nil {
		return a, fmt.Errorf("store: plan in force: %w", away(err))
	}
	return a, nil
}

func assignment(ctx context.Context, q querier) (Assignment, error) {
	var a Assignment
	var text string
	rows, err := q.query(ctx, "select value from state where name = ?", assignmentRow)
	if err == nil {
		err = scanOne(rows, &text)
	}
	if errors.Is(err, ErrNotFound) {
		// A plan published before versions were rolled out by shares.
		a.Base, err = stateInt(ctx, q, "plan_version")
		a.Epoch = a.Base
		return a, err
	}
	if err != nil {
		return a, err
	}
	_, err = fmt.Sscan(text, &a.Epoch, &a.Base, &a.Next, &a.Share, &a.Before.Base, &a.Before.Next, &a.Before.Share)
	return a, err
}

// Assign changes which plan people are under, if epoch is still the present
// one; ErrStale when it is not. It answers the new epoch.
func (s *Store) Assign(ctx context.Context, epoch int64, to Assigned) (int64, error) {
	err := s.in(ctx, durable, func(t *Tx) error {
		if err := t.bumpConfig(ctx); err != nil {
			return err
		}
		now, err := assignment(ctx, t)
		if err == nil && now.Epoch != epoch {
			err = ErrStale
		}
		if err != nil {
			return err
		}
		return t.assign(ctx, now, to)
	})
	if err != nil {
		return 0, fmt.Errorf("store: plan: %w", err)
	}
	return epoch + 1, nil
}

// assign runs behind bumpConfig, whose row is the lock.
func (t *Tx) assign(ctx context.Context, now Assignment, to Assigned) error {
	if to.Next == 0 || to.Share <= 0 {
		to.Next, to.Share = 0, 0
	}
	if to.Share >= WholeShare {
		to = Assigned{Base: to.Next}
	}
	was := now.Assigned
	text := fmt.Sprint(now.Epoch+1, to.Base, to.Next, to.Share, was.Base, was.Next, was.Share)
	if err := t.setState(ctx, assignmentRow, text); err != nil {
		return err
	}
	if err := t.Audit(ctx, "plan.assign", "plan", was, to); err != nil {
		return err
	}
	return t.setState(ctx, "plan_version", strconv.FormatInt(to.Base, 10))
}

// DerivedEpoch gives the newest assignment that everybody was brought to.
func (s *Store) DerivedEpoch(ctx context.Context) (int64, error) {
	epoch, err := stateInt(ctx, s, "derived_epoch")
	if err != nil {
		return 0, fmt.Errorf("store: derivation: %w", away(err))
	}
	return epoch, nil
}

// NoteDerived notes that everybody was brought to an assignment.
func (s *Store) NoteDerived(ctx context.Context, epoch int64) error {
	err := s.in(ctx, durable, func(t *Tx) error { return t.setState(ctx, "derived_epoch", strconv.FormatInt(epoch, 10)) })
	if err != nil {
		return fmt.Errorf("store: derivation: %w", err)
	}
	return nil
}
