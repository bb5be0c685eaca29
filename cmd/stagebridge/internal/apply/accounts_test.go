package apply

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
)

func TestPushOfAccountsIsWritten(t *testing.T) {
	t.Parallel()
	p := connectors.PushConfig{Enabled: true, Accounts: &connectors.PushConfig{Enabled: true, Create: true, Stages: map[string]string{"Client": "customer"}, SegmentNames: []string{"large"}}}
	var b strings.Builder
	writePush(&b, p)
	want := `push:
  enabled: true
  create: false
  segments: all
  accounts:
    enabled: true
    create: true
    stages:
      Client: customer
    segments: [large]
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	none := connectors.PushConfig{Enabled: true, Segments: "all", Accounts: &connectors.PushConfig{Segments: "all"}}
	if got := pushDifferences(connectors.PushConfig{Enabled: true, Segments: "all"}, none); len(got) > 0 {
		t.Errorf("accounts that are not pushed differ from none: %v", got)
	}
	if got := pushDifferences(p, connectors.PushConfig{Enabled: true}); !slices.Equal(got, []string{"push.accounts"}) {
		t.Errorf("got %v", got)
	}
}
