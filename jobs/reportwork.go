package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/live"
	"github.com/stagebridge/stagebridge/store"
)

// WorkReport is the kind of long work that computes one report.
const WorkReport = "report"

// maxReport bounds what is kept of a report, in bytes.
const maxReport = 8 << 20

// reportArgs say which report; Options are as live.ParseOptions reads them, by
// name.
type reportArgs struct {
	Name    string            `json:"name"`
	Options map[string]string `json:"options,omitempty"`
}

// ReportKind is the kind WorkReport. What comes of it is the live.Report, as the
// API gives it. People are summed up first where that was never done.
func ReportKind(s *store.Store, r *Registry, now func() time.Time) WorkKind {
	return WorkKind{Name: WorkReport, Unit: "people", Run: func(ctx context.Context, t *Task) (any, error) {
		var args reportArgs
		if err := t.Args(&args); err != nil {
			return nil, err
		}
		o, err := live.ParseOptions(func(name string) string { return args.Options[name] })
		if err != nil {
			return nil, errors.Join(ErrPermanent, err)
		}
		if err := keeper(s, r, now).Build(ctx, func(done, total int64) error { return t.At(done, total, nil) }); err != nil {
			return nil, err
		}
		last, err := s.LastPerson(ctx)
		if err != nil {
			return nil, err
		}
		cfg := r.Config()
		o.Now, o.PlanOf = lifecycle.At(now()).Add(time.Microsecond), cfg.PlanOf // what happens now is in it
		// Whoever takes the work away ends the context, too.
		o.Progress = func(people int64) { _ = t.At(people, max(people, int64(last)), nil) }
		report, err := live.Run(ctx, s, cfg.Plan, args.Name, o)
		var wrong *live.FieldError
		if errors.Is(err, live.ErrUnknown) || errors.As(err, &wrong) {
			return nil, errors.Join(ErrPermanent, err)
		}
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(report)
		if err == nil && len(text) > maxReport {
			err = errors.Join(ErrPermanent, fmt.Errorf("jobs: report: %d bytes are more than is kept; use the command stagebridge report", len(text)))
		}
		if err != nil {
			return nil, err
		}
		return json.RawMessage(text), t.At(report.People, report.People, nil)
	}}
}

// StartReport adds the work of computing a report, unless the same one is under
// way already. Name and options have been checked.
func (w *Works) StartReport(ctx context.Context, name string, options map[string]string, author string) (store.Work, error) {
	query := url.Values{}
	for k, v := range options {
		query.Set(k, v)
	}
	subject := name
	if text := query.Encode(); len(text) > 100 {
		sum := sha256.Sum256([]byte(text))
		subject += " " + hex.EncodeToString(sum[:8])
	} else if text != "" {
		subject += " " + text
	}
	one, _, err := w.Start(ctx, WorkReport, subject, reportArgs{name, options}, author, "")
	return one, err
}
