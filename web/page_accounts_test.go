package web_test

import (
	"fmt"
	"html"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
)

func TestAccountPages(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.Simulated = true })
	checkPage(t, l, "/accounts", "The plan has no accounts yet")
	if _, err := l.admin.PublishPlan(t.Context(), 0, store.Versioned{Source: accountsPlan}); err != nil {
		t.Fatal(err)
	}
	checkPage(t, l, "/accounts", "No account is known yet")
	l.connect("crm", nil)
	l.connect("sales", &connectors.PushConfig{Enabled: true, Accounts: &connectors.PushConfig{Enabled: true}})
	l.tell("crm", "news", `{"email":"ann@example.com","company":"Acme"}`)
	l.tell("crm", "order", `{"email":"bo@example.com","amount":"12.50"}`)
	for i := range 30 {
		l.tell("crm", "news", fmt.Sprintf(`{"email":"p%d@b.example.com","company":"Bolt"}`, i))
	}
	l.process()
	leased, err := l.store.LeaseAccounts(t.Context(), "sales", 10, 1<<60)
	if err != nil || len(leased) != 2 {
		t.Fatal(leased, err)
	}
	back := leased[1].AccountSync
	if back.Account != "domain:example.com" {
		back = leased[0].AccountSync
	}
	back.State, back.Reason, back.Message, back.VendorID, back.Attempts = store.SyncFailed, "invalid", "no such company", "v-77", 3
	if err := l.store.WriteBackAccounts(t.Context(), []store.AccountWriteBack{{AccountSync: back}}, nil); err != nil {
		t.Fatal(err)
	}
	l.now = l.now.Add(time.Minute)
	for _, c := range []struct{ path, has string }{
		{"/accounts", `<a href="/accounts/domain:b.example.com">Bolt</a>`},
		{"/accounts", `<a href="/accounts" aria-current="page">Accounts</a>`},
		{"/accounts?stage=Client", "Acme"},
		{"/accounts?q=b.ex", "Bolt"},
		{"/accounts?q=ACM", "Acme"},
		{"/accounts?q=nobody", "No account fits this"},
		{"/accounts?next=z", "There are no more"},
		{"/accounts/domain:example.com", `<strong>Client</strong>`},
		{"/accounts/domain:example.com", `now 12.50 EUR`},
		{"/accounts/domain:example.com", `now 1 person`},
		{"/accounts/domain:example.com", `<code>any(stage == &#34;Customer&#34;) &amp;&amp; sum(&#34;Order:Completed&#34;, &#34;EUR&#34;) &gt;= 10</code>`},
		{"/accounts/domain:example.com", "is true as well"},
		{"/accounts/domain:example.com", "no such company"},
		{"/accounts/domain:example.com", "v-77"},
		{"/accounts/domain:example.com", "bo@example.com"},
		{"/accounts/domain:example.com", `<strong>Client</strong> <span class="soft">because`},
		{"/accounts/domain:example.com", `<li><a href="/accounts">Accounts</a></li>`},
		{"/accounts/domain:b.example.com", "Every account begins here"},
		{"/accounts/domain:b.example.com", `class="unmet"><code>any(stage == &#34;Customer&#34;)</code> <span class="soft">now 0 people`},
		{"/accounts/domain:b.example.com?next=27", "p9@b.example.com"},
	} {
		checkPage(t, l, c.path, c.has)
	}
	if first := l.get("/accounts/domain:b.example.com"); !strings.Contains(first.Body, `href="/accounts/domain:b.example.com?next=27#people"`) || strings.Contains(first.Body, "p9@") {
		t.Errorf("the people of an account are not shown a page at a time: %s", first.Body)
	}
	for path, status := range map[string]int{"/accounts/domain:none.example.com": 404, "/accounts/domain:example.com?next=x": 400, "/accounts/domain:example.com?before=-1": 400} {
		if a := l.get(path); a.Status != status {
			t.Errorf("%s: %d, want %d", path, a.Status, status)
		}
	}
	// Whose people all moved to another company has a past, and nothing else.
	l.tell("crm", "news", `{"email":"q@gone.example.com"}`)
	l.process()
	err = l.store.Derived(t.Context(), func(tx *store.Tx) error {
		locked, err := tx.LockAccountsTx(t.Context(), []string{"domain:gone.example.com"})
		if err != nil {
			return err
		}
		a := locked["domain:gone.example.com"]
		a.People = 0
		return tx.SaveAccountsTx(t.Context(), []*store.Account{a})
	})
	if err != nil {
		t.Fatal(err)
	}
	checkPage(t, l, "/accounts/domain:gone.example.com", "Nobody belongs to this account any more")
	checkPage(t, l, "/accounts/domain:gone.example.com", `<strong>Known</strong>`)
	if a := l.send("GET", "/accounts", "", l.as("viewer")...); a.Status != 200 {
		t.Errorf("a viewer: %d", a.Status)
	}
	if a := l.send("GET", "/accounts/domain:example.com", "", "Accept: text/html"); a.Status != 303 {
		t.Errorf("without a login: %d", a.Status)
	}
}

// TestKeysOfAccountsInAddresses finds accounts by keys that addresses have to
// escape, by page and API.
func TestKeysOfAccountsInAddresses(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	plan := "name: x\nstages: [ { name: A } ]\naccounts: { by: ['trait:company'], stages: [ { name: Known } ] }\n"
	if _, err := l.admin.PublishPlan(t.Context(), 0, store.Versioned{Source: plan}); err != nil {
		t.Fatal(err)
	}
	l.connect("crm", nil)
	for i, name := range []string{"a/b", "50% off?", "#1 & co", "..", "müller"} {
		l.tell("crm", "news", fmt.Sprintf(`{"email":"p%d@example.com","company":%q}`, i, name))
	}
	l.process()
	links := strings.Split(l.get("/accounts").Body, `<td><a href="`)[1:]
	if len(links) != 5 {
		t.Fatalf("%d accounts", len(links))
	}
	for _, rest := range links {
		path, _, _ := strings.Cut(rest, `"`)
		path = html.UnescapeString(path)
		if a := l.get(path); a.Status != 200 {
			t.Errorf("%s: %d", path, a.Status)
		}
		if a := l.api("GET", path, ""); a.Status != 200 {
			t.Errorf("%s by the API: %d %s", path, a.Status, a.Body)
		}
	}
}
