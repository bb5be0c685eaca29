package jobs

import (
	"encoding/json"
	"fmt"

	"github.com/hibiken/asynq"
)

// Kinds of tasks. A kind is never renamed in one step, and none is a prefix of
// another, since asynq's mux matches by prefix.
const (
	KindProcess   = "ingest:process"
	KindEnrich    = "enrich:fetch"
	KindFetch     = "source:fetch"
	KindPush      = "push:send"
	KindRetry     = "push:retry"
	KindClock     = "clock:tick"
	KindReconcile = "maintenance:reconcile"
	KindRetention = "maintenance:retention"
	KindDerive    = "maintenance:derive"
)

// Queues that every replica works on. A connection has queues of its own: see
// pushQueue, enrichQueue and fetchQueue.
const (
	QueueIngest      = "ingest"
	QueueClock       = "clock"
	QueueMaintenance = "maintenance"
)

func pushQueue(connection string) string   { return "push:" + connection }
func enrichQueue(connection string) string { return "enrich:" + connection }
func fetchQueue(connection string) string  { return "fetch:" + connection }

// LaneArgs asks for one turn of a connection's lane. It names nobody: the
// handler takes whoever is due when it runs.
type LaneArgs struct {
	Connection string `json:"connection"`
}

func laneTask(kind, connection string) *asynq.Task {
	b, err := json.Marshal(LaneArgs{connection})
	if err != nil {
		return asynq.NewTask(kind, nil) // a text always encodes
	}
	return asynq.NewTask(kind, b)
}

func laneArgs(t *asynq.Task) (LaneArgs, error) {
	var a LaneArgs
	if err := json.Unmarshal(t.Payload(), &a); err != nil {
		return a, fmt.Errorf("jobs: %s: %w: %w", t.Type(), err, asynq.SkipRetry)
	}
	return a, nil
}
