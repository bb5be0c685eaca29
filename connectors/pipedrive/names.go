package pipedrive

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// namesFresh is how long the names of stages and pipelines are remembered.
const namesFresh = time.Hour

// names knows the names of the stages and pipelines of deals, which events and
// records only number.
type names struct {
	api *api
	now func() time.Time

	mu        sync.Mutex
	until     time.Time
	stages    map[int64]string
	pipelines map[int64]string
}

// refresh reads both lists where they are old. A token that may not read deals
// leaves the names empty: an event without the name of its stage is better
// than none.
func (n *names) refresh(ctx context.Context) *connectors.PushError {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.now().Before(n.until) {
		return nil
	}
	read := map[string]map[int64]string{"stages": {}, "pipelines": {}}
	for kind, byID := range read {
		var all []struct {
			ID   int64  `json:"id"`
			Name string `json:"name"`
		}
		_, err := n.api.call(ctx, "list "+kind, http.MethodGet, v2+"/"+kind+"?limit=500", nil, &all)
		if err != nil && connectors.AsPushError(err).Retryable {
			return connectors.AsPushError(err)
		}
		for _, one := range all {
			byID[one.ID] = one.Name
		}
	}
	n.stages, n.pipelines, n.until = read["stages"], read["pipelines"], n.now().Add(namesFresh)
	return nil
}

func (n *names) of(stage, pipeline int64) (stageName, pipelineName string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stages[stage], n.pipelines[pipeline]
}
