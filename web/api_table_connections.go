package web

import (
	"net/http"

	"github.com/stagebridge/stagebridge/web/openapi"
)

// connectionOperations are those of connectors and connections.
func (w *Web) connectionOperations() operationGroup {
	const created = `{"id":"newsletter","connector":"mailchimp","settings":{"audience":"a1b2c3"},"secrets":{"api_key":"0123456789-us21"},"push":{"enabled":true,"create":false,"segments":["at_risk"]}}`
	return operationGroup{"connections", "Connections", "What is connected, and how it is doing. Secrets are write-only: an answer says of each only that it is there.", []*operation{
		get("/connectors", "listConnectors", "List what can be connected", w.apiConnectors).
			gives(http.StatusOK, listBody[connectorBody]{}),
		get("/connections", "listConnections", "List all connections", w.apiConnections).
			gives(http.StatusOK, listBody[connectionBody]{}),
		post("/connections", "createConnection", "Add a connection", w.apiCreateConnection).
			about("Which settings and secrets there are is in the list of connectors. Every mistake is told at once.").
			takes(connectionInput{}, created, "id", "connector").
			gives(http.StatusCreated, connectionBody{}, "ETag", "Location"),
		get("/connections/:id", "getConnection", "Show a connection", w.apiConnection).
			gives(http.StatusOK, connectionWhole{}, "ETag"),
		put("/connections/:id", "updateConnection", "Change a connection", w.apiUpdateConnection).
			about("A member that is missing stays as it is; settings and push are replaced as a whole where they are there. A secret given as null is removed, one given as [redacted] stays. A new secret works beside the one before it until forget_previous is asked for. A new host of base_url or url clears the secrets.").
			with(ifMatch()).
			takes(connectionInput{}, `{"settings":{"mode":"fast"}}`).
			gives(http.StatusOK, connectionBody{}, "ETag"),
		remove("/connections/:id", "deleteConnection", "Remove a connection", w.apiDeleteConnection).
			about("What it brought stays: raw events, events and people.").
			givesNothing(http.StatusNoContent),
		post("/connections/:id/check", "checkConnection", "Try the credentials at the vendor", w.apiCheck).
			gives(http.StatusOK, checkBody{}).
			refuses(http.StatusBadGateway),
		post("/connections/:id/register", "registerWebhook", "Make the webhook at the vendor", w.apiRegister).
			takes(registerInput{}, `{"types":[]}`).
			gives(http.StatusOK, registeredBody{}).
			refuses(http.StatusBadGateway),
		post("/connections/:id/pause", "pauseConnection", "Stop sending to the vendor", w.apiPause).
			about("What the vendor sends is still taken and kept.").
			gives(http.StatusOK, connectionBody{}, "ETag"),
		post("/connections/:id/resume", "resumeConnection", "Go on sending to the vendor", w.apiResume).
			gives(http.StatusOK, connectionBody{}, "ETag"),
		post("/connections/:id/resync", "resyncConnection", "Send everybody's whole state to the vendor again", w.apiResync).
			gives(http.StatusOK, resyncBody{}),
		post("/connections/:id/pull", "pullConnection", "Take over everybody whom the vendor holds, as long work", w.apiPull).
			gives(http.StatusAccepted, jobBody{}, "Location").
			refuses(http.StatusBadGateway),
	}}
}

// rulesOperations are those of a connection's mapping rules.
func (w *Web) rulesOperations() operationGroup {
	const rules = "rules:\n  - name: news\n    type: news\n    emit:\n      event: \"Newsletter:Subscribed\"\n      identity: { email: body.email }\n"
	const published = `{"rules":"rules:\n  - name: news\n    type: news\n    emit: { event: \"Newsletter:Subscribed\", identity: { email: body.email } }\n","note":"names","replay":{"status":"failed"}}`
	replay := choice("replay", "processes raw events of the connection again under what was published: those of a status, or all", "all", "done", "ignored", "quarantined", "failed")
	return operationGroup{"rules", "Mapping rules", "What becomes of a connection's raw events: YAML, of which every published version is kept. Version 0 is what the connector brings along.", []*operation{
		get("/connections/:id/rules", "getRules", "Read the rules in force", w.apiRules).
			with(query("version", "an earlier version instead", openapi.Whole(0, 1<<53), ""), ifNoneMatch()).
			givesText(http.StatusOK, "application/yaml", "the text of the rules", "ETag").
			gives(http.StatusOK, versionBody{}, "ETag").
			givesNothing(http.StatusNotModified, "ETag"),
		put("/connections/:id/rules", "putRules", "Publish rules", w.apiPutRules).
			about("With replay the answer also says how many raw events are processed again, and by which long work; with dry_run only whether the text is valid.").
			with(dryRunParameter(), anyText("note", "why, for the list of versions", "names of companies"), replay, waitParameter(), ifMatch()).
			takesYAML("the rules", rules).
			gives(http.StatusOK, publishedBody{}, "ETag", "Location").gives(http.StatusOK, textVersionBody{}).gives(http.StatusOK, validBody{}).
			refuses(http.StatusNotImplemented),
		post("/connections/:id/rules/publish", "publishRules", "Publish rules and process raw events again, in one step", w.apiPublishRules).
			with(waitParameter(), ifMatch()).
			takes(publishRulesInput{}, published, "rules").
			gives(http.StatusOK, publishedBody{}, "ETag", "Location").gives(http.StatusOK, textVersionBody{}).
			refuses(http.StatusNotImplemented),
		post("/connections/:id/rules/preview", "previewRules", "Try draft rules on the newest raw events", w.apiPreviewRules).
			about("Nothing is written. With all=true everything that fits the filter is compared with what it gave, as long work.").
			with(limitParameter(), choice("all", "true looks at everything that fits the filter", "true", "false"),
				choice("status", "only raw events of this status, with all", "done", "ignored", "quarantined", "failed"), anyText("type", "only raw events of this type, with all", "news"),
				anyText("step", "only those that ended at this step, with all", "map"), anyText("reason", "only those that ended for this reason, with all", "expression"),
				anyText("rule", "only those of this rule, with all", "news"), anyText("person", "only those of a person, by number or key, with all", "email:ann@example.com"),
				moment("since", "only raw events received from then on, with all"), moment("until", "only raw events received before, with all")).
			takesYAML("the draft", rules).
			gives(http.StatusOK, rulesPreviewBody{}).
			gives(http.StatusAccepted, jobBody{}, "Location").
			refuses(http.StatusNotImplemented),
		get("/connections/:id/rules/versions", "listRulesVersions", "List the published versions", w.apiRulesVersions).
			gives(http.StatusOK, listBody[versionBody]{}),
		get("/connections/:id/rules/versions/:from/diff/:to", "diffRules", "Compare two versions", w.apiDiffRules).
			gives(http.StatusOK, diffBody{}).refuses(http.StatusBadRequest, http.StatusUnprocessableEntity),
		post("/connections/:id/rules/rollback", "rollbackRules", "Publish an earlier version again", w.apiRollbackRules).
			takes(versionInput{}, `{"version":0,"note":"took the names of companies away"}`, "version").
			gives(http.StatusOK, textVersionBody{}, "ETag"),
	}}
}
