package web

import (
	"net/http"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// planOperations are those of the tracking plan.
func (w *Web) planOperations() operationGroup {
	const plan = "name: ours\nstages:\n  - { name: Visit }\n  - { name: Subscriber, when: seen(\"Newsletter:Subscribed\") }\n  - { name: Customer, when: seen(\"Order:Completed\") }\nsegments:\n  at_risk: stage == \"Customer\" && inactive(\"30d\")\n"
	return operationGroup{"plan", "Tracking plan", "How people move: stages, conditions and segments, as YAML of which every published version is kept. Version 0 is the default.", []*operation{
		get("/plan", "getPlan", "Read the plan in force", w.apiPlan).
			with(ifNoneMatch()).
			givesText(http.StatusOK, "application/yaml", "the text of the plan", "ETag").
			gives(http.StatusOK, versionBody{}, "ETag").
			givesNothing(http.StatusNotModified, "ETag"),
		put("/plan", "putPlan", "Publish a plan, to everybody or to a share of all people", w.apiPutPlan).
			about("People are brought there by long work, which the answer names. With dry_run the answer is only whether the text is valid.").
			with(dryRunParameter(), percentParameter(), anyText("note", "why, for the list of versions", "churn after 60 days"), ifMatch()).
			takesYAML("the plan", plan).
			gives(http.StatusOK, planChangeBody{}, "ETag", "Location").gives(http.StatusOK, validBody{}),
		post("/plan/preview", "previewPlan", "Say who would move, and write nothing", w.apiPreviewPlan).
			about("Everybody, or the share of all people asked for, is derived under the plan in the body. The answer comes after 25 seconds at the latest, and says whether everybody was looked at. With all=true it is long work that looks at everybody, whose result is the same.").
			with(percentParameter(), choice("all", "true looks at everybody, as long work", "true", "false")).
			takesYAML("the draft", plan).
			gives(http.StatusOK, planPreviewBody{}).
			gives(http.StatusAccepted, jobBody{}, "Location").
			refuses(http.StatusNotImplemented),
		get("/plan/versions", "listPlanVersions", "List the published versions", w.apiPlanVersions).
			gives(http.StatusOK, listBody[versionBody]{}),
		get("/plan/versions/:from/diff/:to", "diffPlan", "Compare two versions", w.apiDiffPlan).
			gives(http.StatusOK, diffBody{}).refuses(http.StatusBadRequest, http.StatusUnprocessableEntity),
		post("/plan/rollback", "rollbackPlan", "Publish an earlier version again", w.apiRollbackPlan).
			about("What is being rolled out is withdrawn.").
			takes(planRollbackInput{}, `{"version":0,"note":"too many churned"}`).
			gives(http.StatusOK, planChangeBody{}, "ETag", "Location").
			refuses(http.StatusNotFound),
		get("/plan/rollout", "getRollout", "Show the version that a share of the people is under", w.apiRollout).
			gives(http.StatusOK, rolloutBody{}).refuses(http.StatusNotFound).ifWorks(),
		post("/plan/rollout", "shareRollout", "Widen, narrow or finish a rollout", w.apiShareRollout).
			takes(rolloutInput{}, `{"percent":50,"note":"looks well"}`, "percent").
			gives(http.StatusAccepted, jobBody{}, "Location").
			refuses(http.StatusNotFound).ifWorks(),
		remove("/plan/rollout", "withdrawRollout", "Put everybody back under the version before", w.apiWithdrawRollout).
			with(anyText("note", "why, for the list of versions", "too many churned")).
			gives(http.StatusAccepted, jobBody{}, "Location").
			refuses(http.StatusNotFound).ifWorks(),
		get("/plan/lint", "lintPlan", "Advice about the plan in force, and what came in", w.apiLintPlan).
			gives(http.StatusOK, lintBody{}),
		post("/plan/lint", "lintDraft", "Advice about a draft", w.apiLintDraft).
			takesYAML("the draft", plan).
			gives(http.StatusOK, lintBody{}),
		get("/plan/docs", "getPlanDocs", "The plan in force as a page that needs no YAML to be read", w.apiPlanDocs).
			with(choice("format", "markdown is the default, html that of browsers", jobs.PlanFormats()...)).
			givesText(http.StatusOK, "text/markdown", "the page").
			givesText(http.StatusOK, "text/html", "the page"),
	}}
}

// violationOperations are those of what does not fit the plan.
func (w *Web) violationOperations() operationGroup {
	var classes []string
	for _, class := range lifecycle.Classes() {
		classes = append(classes, string(class))
	}
	filter := func(o *operation) *operation {
		return o.with(anyText("connection", "only what it sent", "hubspot-eu"), choice("class", "only of this class", classes...), anyText("event", "only of this event", "Order:Completed"))
	}
	return operationGroup{"violations", "What does not fit the plan", "Events that the plan does not name, and properties that are missing or of another type, counted by where they come from.", []*operation{
		filter(get("/violations", "listViolations", "List them", w.apiViolations)).paged().
			gives(http.StatusOK, listBody[violationBody]{}),
		filter(remove("/violations", "forgetViolations", "Count from the start", w.apiForgetViolations)).
			gives(http.StatusOK, countBody{}),
		post("/violations/release", "releaseViolations", "Judge parked raw events again, as long work", w.apiReleaseViolations).
			takes(releaseInput{}, `{"connection":"hubspot-eu","dry_run":true}`).
			gives(http.StatusOK, countBody{}).
			gives(http.StatusAccepted, jobBody{}, "Location").ifWorks(),
	}}
}
