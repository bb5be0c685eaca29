package workspace

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
)

func TestPushOfAccounts(t *testing.T) {
	t.Parallel()
	const connection = `id: a
connector: acme
secrets: { token: x }
settings: { account: 1 }
push:
  enabled: true
  accounts: { enabled: true, create: true, stages: { Client: customer }, unmapped: keep, segments: [large] }
`
	const accounts = `accounts:
  stages: [ { name: Known }, { name: Client, when: 'people > 1' } ]
  segments: { large: people > 9 }
`
	files := map[string]string{"connections/a.yaml": connection, "plan.yaml": plan + accounts}
	got, err := Load(folder(files), options())
	if err != nil {
		t.Fatal(err)
	}
	want := &connectors.PushConfig{Enabled: true, Create: true, Stages: map[string]string{"Client": "customer"}, Unmapped: "keep", SegmentNames: []string{"large"}}
	if diff := cmp.Diff(want, got.Connections[0].Push.Accounts); diff != "" {
		t.Error(diff)
	}
	files["plan.yaml"] = plan
	if _, err = Load(folder(files), options()); err == nil || err.Error() != "ws/connections/a.yaml:7:15: push.accounts: pushes accounts, of which plan.yaml says nothing" {
		t.Errorf("without accounts in the plan: %v", err)
	}
	files["plan.yaml"] = plan + accounts
	files["connections/a.yaml"] = `id: a
connector: acme
secrets: { token: x }
settings: { account: 1 }
push:
  accounts: { enabled: true, stages: { Clint: customer }, unmapped: drop, segments: [huge], audience: paying }
`
	_, err = Load(folder(files), options())
	mistakes := `ws/connections/a.yaml:6:47: push.accounts.stages.Clint: names Clint, which is no stage of accounts of plan.yaml; did you mean Client?
ws/connections/a.yaml:6:69: push.accounts.unmapped: is drop, want skip or keep
ws/connections/a.yaml:6:86: push.accounts.segments[0]: names huge, which is no segment of accounts of plan.yaml
ws/connections/a.yaml:6:93: push.accounts.audience: is not a field here`
	if diff := cmp.Diff(mistakes, fmt.Sprint(err)); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}
