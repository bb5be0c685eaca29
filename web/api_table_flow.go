package web

import (
	"net/http"

	"github.com/stagebridge/stagebridge/reports/live"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web/openapi"
)

// inboxOperations are those of raw events.
func (w *Web) inboxOperations() operationGroup {
	return operationGroup{"inbox", "Inbox", "Every raw event as it came in, what became of it, and processing it again.", []*operation{
		get("/inbox", "listRawEvents", "List raw events, newest first", w.apiInbox).
			with(anyText("connection", "only of this connection", "hubspot-eu"), choice("status", "only of this status", "done", "pending", "ignored", "quarantined", "failed"),
				anyText("type", "only of this type", "news"), anyText("step", "only those that ended at this step", "map"), anyText("reason", "only those that ended for this reason", "expression"),
				anyText("rule", "only those of this rule", "news"), anyText("person", "only those of a person, by number or key", "email:ann@example.com"),
				moment("since", "received from then on"), moment("until", "received before")).
			paged().gives(http.StatusOK, listBody[rawBody]{}),
		get("/inbox/stats", "getInboxStats", "Count raw events by connection and status", w.apiInboxStats).
			gives(http.StatusOK, inboxStatsBody{}),
		get("/inbox/:id", "getRawEvent", "Show a raw event with its bytes", w.apiRawEvent).
			gives(http.StatusOK, rawWhole{}),
		get("/inbox/:id/trace", "traceRawEvent", "Follow a raw event to events, people, moves and deliveries", w.apiTrace).
			gives(http.StatusOK, traceBody{}),
		post("/inbox/replay", "replay", "Process raw events again", w.apiReplay).
			about("What they gave is replaced; nothing counts twice. With dry_run they are only counted. A small replay is answered when it is done, a larger one names the long work.").
			with(waitParameter()).
			takes(replayInput{}, `{"connection":"hubspot-eu","status":"failed","dry_run":true}`).
			gives(http.StatusOK, replayBody{}, "Location").
			refuses(http.StatusNotImplemented),
	}}
}

// syncOperations are those of what vendors hold.
func (w *Web) syncOperations() operationGroup {
	return operationGroup{"sync", "Sync", "Where each person stands at each connection that is written to.", []*operation{
		get("/sync", "listSync", "List people at connections", w.apiSync).
			with(anyText("connection", "only at this connection", "hubspot-eu"), choice("state", "only in this state", syncStates[:]...),
				anyText("reason", "only for this reason", "rate_limit"), anyText("profile", "only this person, by number", "1")).
			paged().gives(http.StatusOK, listBody[syncBody]{}),
		post("/sync/retry", "retrySync", "Send failed people again", w.apiRetrySync).
			about("With dry_run they are only counted.").
			takes(syncInput{}, `{"connection":"hubspot-eu","state":"failed","dry_run":true}`).
			gives(http.StatusOK, countBody{}),
	}}
}

// reportOperations are those of reports and scores.
func (w *Web) reportOperations() operationGroup {
	return operationGroup{"reports", "Reports", "How well the lifecycle works. docs/reports.md tells what each report counts and divides.", []*operation{
		get("/reports", "listReports", "List what reports there are", w.apiReports).
			gives(http.StatusOK, listBody[reportInfoBody]{}),
		get("/reports/:name", "getReport", "Compute a report", w.apiReport).
			about("One that takes too long, or whose summaries have to be made first, becomes long work: 202 names it, and its result is the report.").
			with(reportParameters()...).
			gives(http.StatusOK, live.Report{}).
			gives(http.StatusAccepted, jobBody{}, "Location").
			refuses(http.StatusConflict, http.StatusUnprocessableEntity, http.StatusGatewayTimeout),
		post("/scores", "computeScores", "Compute the scores of every customer, as long work", w.apiScore).
			gives(http.StatusAccepted, jobBody{}, "Location").ifWorks(),
	}}
}

// jobOperations are those of long work.
func (w *Web) jobOperations() operationGroup {
	return operationGroup{"jobs", "Long work", "Publishing, replays, pulls, erasures, reports and all else that takes its time: with progress, and a result at the end.", []*operation{
		get("/jobs", "listJobs", "List long work, newest first", w.apiJobs).
			with(anyText("kind", "only of this kind", "replay"),
				choice("state", "only in this state", string(store.WorkDone), string(store.WorkQueued), string(store.WorkRunning), string(store.WorkFailed), string(store.WorkCanceled))).
			paged().gives(http.StatusOK, listBody[jobBody]{}).ifWorks(),
		get("/jobs/:id", "getJob", "Show one with its result", w.apiJob).
			gives(http.StatusOK, jobBody{}).ifWorks(),
		post("/jobs/:id/cancel", "cancelJob", "Ask for one to be ended", w.apiCancelJob).
			about("What is under way ends within a second or two; what was done so far stays.").
			gives(http.StatusAccepted, jobBody{}).ifWorks(),
	}}
}

// notificationOperations are those of who is told what.
func (w *Web) notificationOperations() operationGroup {
	return operationGroup{"notifications", "Notifications", "Who is told by e-mail, Slack or webhook when something needs a person.", []*operation{
		get("/notifications", "getNotifications", "Show channels and what there is to tell", w.apiNotifications).
			gives(http.StatusOK, notificationsBody{}).ifNotices(),
		put("/notifications", "putNotifications", "Replace all channels", w.apiSetNotifications).
			about("A secret that is not given stays as it is, unless it would go to another host.").
			takes(notificationsInput{}, `{"channels":[{"name":"ops","kind":"webhook","url":"https://ops.example.com/alerts"}]}`, "channels").
			gives(http.StatusOK, notificationsBody{}).ifNotices(),
		post("/notifications/test", "testNotification", "Send a message to one channel", w.apiTestNotification).
			takes(channelTestInput{}, `{"channel":"ops"}`, "channel").
			gives(http.StatusOK, channelTestBody{}).
			refuses(http.StatusNotFound, http.StatusBadGateway).ifNotices(),
	}}
}

// accessOperations are those of who may do what.
func (w *Web) accessOperations() operationGroup {
	return operationGroup{"access", "Access", "Users, API tokens, sessions, and who changed what.", []*operation{
		get("/users", "listUsers", "List who may log in", w.apiUsers).
			gives(http.StatusOK, listBody[userBody]{}),
		post("/users", "addUser", "Make a user", w.apiAddUser).
			about("The answer has the link by which the user sets a password; it is shown this once.").
			takes(userInput{}, `{"name":"cy@example.com","role":"editor"}`, "name", "role").
			gives(http.StatusCreated, setupLinkBody{}),
		put("/users/:name", "setRole", "Change what a user may do", w.apiSetRole).
			takes(roleInput{}, `{"role":"viewer"}`, "role").
			gives(http.StatusOK, userBody{}),
		post("/users/:name/link", "newLink", "Make a new link that sets a user's password", w.apiUserLink).
			gives(http.StatusOK, setupLinkBody{}),
		remove("/users/:name", "removeUser", "Take a user away", w.apiRemoveUser).
			givesNothing(http.StatusNoContent),
		get("/users/:name/sessions", "listSessions", "List where a user is logged in", w.apiSessions).
			gives(http.StatusOK, listBody[sessionBody]{}),
		remove("/users/:name/sessions", "endSessions", "Log a user out everywhere", w.apiEndSessions).
			gives(http.StatusOK, endedBody{}),
		remove("/users/:name/sessions/:id", "endSession", "Log a user out on one browser", w.apiEndSessions).
			gives(http.StatusOK, endedBody{}),
		get("/audit", "listAudit", "List who changed what, newest first", w.apiAudit).
			with(anyText("subject", "only about this", "plan"), anyText("author", "only by this one", "api"), anyText("action", "only this act", "plan.publish"),
				limitParameter(), anyText("after", "the cursor that the page before gave as next", "")).
			gives(http.StatusOK, listBody[auditBody]{}),
		get("/tokens", "listTokens", "List the API tokens", w.apiTokens).
			gives(http.StatusOK, listBody[tokenBody]{}),
		post("/tokens", "addToken", "Make an API token", w.apiAddToken).
			about("The answer has its text; it is shown this once.").
			takes(tokenInput{}, `{"id":"looker","role":"viewer","areas":["reports"],"days":90}`, "id", "role").
			gives(http.StatusCreated, tokenBody{}),
		remove("/tokens/:id", "removeToken", "End an API token", w.apiRemoveToken).
			givesNothing(http.StatusNoContent),
	}}
}

// descriptionOperations are those of the description itself.
func (w *Web) descriptionOperations() operationGroup {
	return operationGroup{"openapi", "This description", "The same as a document for machines.", []*operation{
		get("/openapi.json", "getDescription", "This description as OpenAPI "+openapi.Version, w.apiDescription).
			with(ifNoneMatch()).
			gives(http.StatusOK, map[string]any{}, "ETag").
			givesNothing(http.StatusNotModified, "ETag"),
	}}
}
