package store

import (
	"context"
	"database/sql"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// AccountStage is an account in a stage.
type AccountStage struct {
	Account string
	Stage   lifecycle.Stage
}

// AccountStagesTx gives all stages that accounts have moved to so far.
func (t *Tx) AccountStagesTx(ctx context.Context, keys []string) (map[AccountStage]bool, error) {
	been := map[AccountStage]bool{}
	rows, err := t.query(ctx, "select distinct account, to_stage from account_moves where "+t.s.d.oneOf("account", "text"), list(t.s.d, keys))
	err = each(rows, err, func(rows *sql.Rows) error {
		var x AccountStage
		err := rows.Scan(&x.Account, &x.Stage)
		been[x] = true
		return err
	})
	return been, err
}
