package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// jobVendor takes pushes as jobs that end when the test says so.
type jobVendor struct {
	limits    connectors.Limits
	submitted map[string][]connectors.Update // by job, in the order sent
	held      map[string]string              // stage by e-mail
	ended     map[string]connectors.Result   // by job; what it says of everybody
	failure   error
	log       []string
}

func (v *jobVendor) Descriptor() *connectors.Descriptor { return labDescriptor }
func (v *jobVendor) Limits() connectors.Limits          { return v.limits }

func (v *jobVendor) Push(_ context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	job := fmt.Sprint("job", len(v.submitted)+1)
	v.submitted[job] = slices.Clone(updates)
	results := make([]connectors.Result, len(updates))
	for i, u := range updates {
		v.log = append(v.log, fmt.Sprintf("%s %s known %v", job, u.Want.Stage, u.Known != nil))
		results[i] = connectors.Result{Outcome: connectors.Submitted, Job: job}
	}
	return results, nil
}

func (v *jobVendor) Poll(_ context.Context, job string, people []connectors.Update) ([]connectors.Result, error) {
	if v.failure != nil {
		return nil, v.failure
	}
	end, ok := v.ended[job]
	if !ok {
		return nil, nil
	}
	for _, u := range v.submitted[job] {
		if end.Outcome == connectors.OK {
			v.held[u.Email] = u.Want.Stage
		}
	}
	return slices.Repeat([]connectors.Result{end}, len(people)), nil
}

// jobLab is one person who is pushed to a vendor of jobs.
type jobLab struct {
	*lab
	v      *jobVendor
	pusher *jobs.Pusher
}

func newJobLab(t *testing.T, s *store.Store) *jobLab {
	t.Helper()
	j := &jobLab{lab: newLab(t, s), v: &jobVendor{limits: connectors.Limits{Batch: 50, Concurrency: 1, Takes: connectors.TakesState}, submitted: map[string][]connectors.Update{}, held: map[string]string{}, ended: map[string]connectors.Result{}}}
	vault, err := secret.NewVault(secret.New("0123456789abcdef0123"))
	if err != nil {
		t.Fatal(err)
	}
	classic, _ := plans.Source("classic")
	j.now = time.Now().Add(-time.Hour)
	j.registry, err = jobs.NewRegistry(t.Context(), jobs.RegistryOptions{
		Store: s, Vault: vault, Instance: "lab", PublicURL: "http://lab.example.com", DefaultPlan: classic,
		Catalog: []connectors.Vendor{{Descriptor: labDescriptor, Open: func(connectors.Config) (connectors.Connector, error) { return j.v, nil }}},
		Parse: func(file string, src []byte) (*lifecycle.Plan, error) {
			return lifecycle.ParsePlan(file, src, plans.Vocabulary())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	j.processor.Registry = j.registry
	j.connect("crm", connectors.PushConfig{Enabled: true})
	j.pusher = &jobs.Pusher{Store: s, Registry: j.registry, Limiter: jobs.NewLimiter(nil), Breakers: &jobs.Breakers{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	return j
}

// push sends what is due, and gives the person's row.
func (j *jobLab) push() store.Sync {
	j.t.Helper()
	if _, err := j.store.RetrySync(j.t.Context(), store.SyncFilter{Connections: []string{"crm"}, State: store.SyncSubmitted}, false); err != nil {
		j.t.Fatal(err)
	}
	// A vendor's failure is told as well as stored.
	if err := j.pusher.Send(j.t.Context(), "crm"); err != nil {
		j.t.Logf("send: %v", err)
	}
	p, _ := j.person("email:ann@example.com")
	all, err := j.store.SyncOf(j.t.Context(), []lifecycle.ProfileID{p.ID})
	if err != nil || len(all[p.ID]) != 1 {
		j.t.Fatalf("%v, %v", all, err)
	}
	return all[p.ID][0]
}

// TestJobsAreFollowed: a submitted person waits until the job ends; what changes
// meanwhile goes out after it, and nothing is taken for held that is not.
func TestJobsAreFollowed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		j := newJobLab(t, s)
		happen := func(kind, body string) {
			j.now = j.now.Add(time.Minute)
			j.tell("crm", told{kind, j.now, body})
			j.process()
		}
		want := func(step, state, held string, jobs int) {
			t.Helper()
			row := j.push()
			if row.State != state || j.v.held["ann@example.com"] != held || len(j.v.submitted) != jobs {
				t.Errorf("%s: %s (%s), held %q after %d jobs; want %s, %q, %d\n%v", step, row.State, row.Message, j.v.held["ann@example.com"], len(j.v.submitted), state, held, jobs, j.v.log)
			}
		}
		happen("signup", `{"email":"ann@example.com"}`)
		want("submitted", store.SyncSubmitted, "", 1)
		want("still running", store.SyncSubmitted, "", 1)
		happen("order", `{"email":"ann@example.com","order":"o1","amount":"5"}`)
		want("changed while it runs", store.SyncSubmitted, "", 1)
		j.v.ended["job1"] = connectors.Result{Outcome: connectors.OK}
		want("the first has ended, the second goes", store.SyncSubmitted, "Subscriber", 2)
		j.v.ended["job2"] = connectors.Result{Outcome: connectors.OK}
		want("both", store.SyncSynced, "Customer", 2)
		happen("praise", `{"email":"ann@example.com"}`)
		want("a third", store.SyncSubmitted, "Customer", 3)
		j.v.ended["job3"] = connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: "row refused"}
		want("refused", store.SyncFailed, "Customer", 3)
		if _, err := s.RetrySync(t.Context(), store.SyncFilter{Connections: []string{"crm"}, State: store.SyncFailed}, false); err != nil {
			t.Fatal(err)
		}
		want("tried again, with everything", store.SyncSubmitted, "Customer", 4)
		if last := j.v.log[len(j.v.log)-1]; last != "job4 Advocate known false" {
			t.Errorf("the last push was %s", last)
		}
		j.v.failure = &connectors.PushError{Reason: connectors.ReasonNotFound, Message: "no such job"}
		if row := j.push(); row.State != store.SyncPending || row.Job != "" || row.Known != "" {
			t.Errorf("a job that is gone: %+v", row)
		}
	})
}

// TestNobodyDueSpendsNoTurn: looking whether there is work takes nothing of a
// vendor's rate, so that a small one is there when somebody is due.
func TestNobodyDueSpendsNoTurn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		j := newJobLab(t, s)
		j.v.limits.Rate, j.v.limits.Per = 2, time.Hour
		for range 5 {
			if err := j.pusher.Send(t.Context(), "crm"); err != nil {
				t.Fatal(err)
			}
		}
		j.tell("crm", told{"signup", j.now, `{"email":"ann@example.com"}`})
		j.process()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := j.pusher.Send(ctx, "crm"); err != nil || len(j.v.submitted) != 1 {
			t.Errorf("%v, %d pushes", err, len(j.v.submitted))
		}
	})
}
