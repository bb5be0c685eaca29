package web

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// said tells in a sentence with numbers what came of work that is done; empty
// for work that is not, and for kinds whose numbers are their progress.
func said(one *store.Work) string {
	if one.State != store.WorkDone {
		return ""
	}
	switch one.Kind {
	case jobs.WorkReplay:
		if r, ok := resultOf[jobs.Replayed](one); ok && r.Summary != "" {
			return r.Summary + "."
		}
	case jobs.WorkResync:
		if r, ok := resultOf[jobs.Resynced](one); ok {
			return counted(r.People, "person was", "people were") + " brought there; who could not be reached is listed under Sync."
		}
	case jobs.WorkPull:
		if r, ok := resultOf[jobs.Pulled](one); ok {
			return counted(r.People, "person", "people") + " listed, " + thousands(r.New) + " of them new or changed."
		}
	case jobs.WorkPublish:
		if r, ok := resultOf[jobs.Published](one); ok {
			return saidPublished(&r)
		}
	case jobs.WorkPlanPreview:
		if r, ok := resultOf[jobs.PlanPreview](one); ok {
			return thousands(r.Changed) + " of " + counted(r.People, "person", "people") + " would change. Nothing was written."
		}
	case jobs.WorkRulesPreview:
		if r, ok := resultOf[jobs.RulesPreview](one); ok {
			return thousands(r.Differ) + " of " + counted(r.RawEvents, "raw event", "raw events") + " would give something else. Nothing was written."
		}
	}
	return ""
}

func saidPublished(r *jobs.Published) string {
	to := "version " + number(r.To.Base)
	if r.To.Base == 0 {
		to = "the default plan"
	}
	if r.To.Next != 0 {
		to = "version " + number(r.To.Next) + " for " + shareText(r.To.Share) + " of all, " + to + " for the others"
	}
	text := counted(r.People, "person was", "people were") + " brought to " + to
	if r.Overtaken {
		text += "; then the plan was changed again, and that goes on for the rest"
	}
	return text + "."
}

func shareText(share int64) string {
	return strconv.FormatFloat(percentText(share), 'f', -1, 64) + " %"
}

// resultOf reads what came of work; false where it cannot be read.
func resultOf[T any](one *store.Work) (T, bool) {
	var r T
	return r, one.Result != "" && json.Unmarshal([]byte(one.Result), &r) == nil
}

// argsOf reads what work was started with; false where it cannot be read.
func argsOf[T any](one *store.Work) (T, bool) {
	var a T
	return a, json.Unmarshal([]byte(one.Args), &a) == nil
}

// pageOfWork gives the address at which the result of work is shown in full.
func pageOfWork(one *store.Work) string {
	switch one.Kind {
	case jobs.WorkPlanPreview:
		return link("/plan", "job", number(one.ID))
	case jobs.WorkPublish:
		return "/plan"
	case jobs.WorkRulesPreview:
		return rulesJob(connectionOf(one), one.ID)
	case jobs.WorkReplay:
		if id := connectionOf(one); id != "" && id != "everything" {
			return rulesJob(id, one.ID)
		}
	}
	return ""
}

// connectionOf gives the connection that a replay or a preview of rules is
// about: their subjects begin with it.
func connectionOf(one *store.Work) string {
	id, _, _ := strings.Cut(one.Subject, " ")
	return id
}

func rulesJob(connection string, job int64) string {
	return link("/connections/"+connection+"/rules", "job", number(job))
}
