package web

import (
	"net/http"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// peopleOperations are those of profiles.
func (w *Web) peopleOperations() operationGroup {
	return operationGroup{"profiles", "People", "Who somebody is, where they stand, and why.", []*operation{
		get("/profiles", "listProfiles", "Find people", w.apiProfiles).
			about("By a key, a stage, a segment or the beginning of a key; one of them, or none for everybody.").
			with(anyText("key", "who has this key", "email:ann@example.com"), anyText("stage", "who is in this stage", "Customer"), anyText("segment", "who is in this segment", "at_risk"),
				anyText("q", "the beginning of a key, with or without its kind", "ann@"), anyText("lifecycle", "which lifecycle the stage is of; the main one where it is missing", "")).
			paged().gives(http.StatusOK, listBody[profileBody]{}),
		get("/profiles/:id", "getProfile", "Show a person", w.apiProfile).
			gives(http.StatusOK, profileBody{}),
		get("/profiles/:id/timeline", "getTimeline", "What happened to a person, newest first", w.apiTimeline).
			paged().gives(http.StatusOK, listBody[timelineBody]{}),
		get("/profiles/:id/explain", "explainProfile", "Say why a person has a stage, and what is missing for others", w.apiExplain).
			gives(http.StatusOK, explainBody{}),
		post("/profiles/:id/pin", "pinProfile", "Set a person's stage by hand", w.apiPin).
			takes(pinBody{}, `{"stage":"Customer","reason":"signed on paper"}`, "stage", "reason").
			gives(http.StatusOK, profileBody{}),
		remove("/profiles/:id/pin", "unpinProfile", "Release a stage that was set by hand", w.apiUnpin).
			takes(unpinInput{}, `{"reason":"paid since"}`, "reason").
			gives(http.StatusOK, profileBody{}),
		get("/profiles/:id/export", "exportProfile", "All that is held about a person", w.apiExportProfile).
			gives(http.StatusOK, map[string]any{}, "Content-Disposition"),
		remove("/profiles/:id", "eraseProfile", "Open a request for erasure", w.apiEraseProfile).
			about("Nothing is erased before somebody confirms it.").
			gives(http.StatusAccepted, erasureBody{}, "Location"),
	}}
}

// identityOperations are those of whose keys are whose.
func (w *Web) identityOperations() operationGroup {
	return operationGroup{"identity", "Identity", "Which keys are one person's: why, what was kept apart, and what people decided about it. Conflicts are claims and pins that did not have their way.", []*operation{
		get("/profiles/:id/identity", "getIdentity", "Say where a person's keys come from and what joined them", w.apiIdentity).
			gives(http.StatusOK, identityBody{}),
		post("/profiles/:id/split", "splitProfile", "Part keys from a person", w.apiSplit).
			takes(splitBody{}, `{"keys":["email:bo@example.com"],"reason":"two people at one desk"}`, "keys", "reason").
			gives(http.StatusOK, partedBody{}),
		post("/profiles/:id/join", "joinProfiles", "Make the person and the owner of a key one", w.apiJoin).
			takes(joinInput{}, `{"key":"email:cy@example.com","reason":"married"}`, "key", "reason").
			gives(http.StatusOK, personRefBody{}),
		post("/profiles/:id/join/preview", "previewJoin", "Say what joining would do, and write nothing", w.apiPreviewJoin).
			takes(joinPreviewInput{}, `{"key":"email:cy@example.com"}`, "key").
			gives(http.StatusOK, joinPreviewBody{}),
		get("/profiles/:id/conflicts", "listProfileConflicts", "List a person's conflicts, newest first", w.apiProfileConflicts).
			paged().gives(http.StatusOK, listBody[conflictBody]{}),
		get("/conflicts", "listConflicts", "List a connection's conflicts, newest first", w.apiConflicts).
			with(required(anyText("connection", "whose claims", "hubspot-eu"))).
			paged().gives(http.StatusOK, listBody[conflictBody]{}),
		get("/merges", "listReviews", "List what the guards of identity kept apart", w.apiReviews).
			with(choice("state", "open is the default", store.ReviewOpen, store.ReviewRejected, "all")).
			paged().gives(http.StatusOK, listBody[reviewBody]{}),
		get("/merges/doubtful", "listDoubts", "List joins that rest on weaker evidence than others", w.apiDoubts).
			about("For each page a bounded number of people is looked at: a page may be empty and not the last.").
			with(choice("state", "open is the default", store.ReviewOpen, "all"), anyText("next", "the cursor that the page before gave", "")).
			gives(http.StatusOK, listBody[doubtBody]{}),
		post("/merges/doubtful/confirm", "confirmJoin", "Say that a join is right, so that nobody is asked about it again", w.apiConfirmJoin).
			takes(confirmInput{}, `{"key":"anonymous:d1","with":"user:u1","reason":"asked her"}`, "key", "with").
			gives(http.StatusOK, reviewStateBody{}).
			refuses(http.StatusNotFound, http.StatusUnprocessableEntity),
		post("/merges/:id/approve", "approveReview", "Join what was kept apart", w.apiApprove).
			takes(reviewInput{}, `{"reason":"the same person"}`).
			gives(http.StatusOK, personRefBody{}),
		post("/merges/:id/reject", "rejectReview", "Keep it apart for good", w.apiReject).
			takes(reviewInput{}, `{"reason":"a shared inbox"}`).
			gives(http.StatusOK, reviewStateBody{}),
	}}
}

// erasureOperations are those of requests for erasure.
func (w *Web) erasureOperations() operationGroup {
	return operationGroup{"erasures", "Erasure", "Requests that somebody be forgotten. A person confirms each; then it is carried out here and at every vendor that can, with a certificate each.", []*operation{
		get("/erasures", "listErasures", "List requests, newest first", w.apiErasures).
			with(choice("state", "only of this state", "open", "confirmed", "done", "rejected")).
			paged().gives(http.StatusOK, listBody[erasureBody]{}),
		post("/erasures", "openErasure", "Open a request", w.apiOpenErasure).
			takes(erasureInput{}, `{"key":"email:ann@example.com","reason":"asked by letter"}`).
			gives(http.StatusAccepted, erasureBody{}, "Location").
			refuses(http.StatusNotFound),
		get("/erasures/export", "exportErased", "The list of what was erased, to be kept beside the backups", w.apiErased).
			gives(http.StatusOK, listBody[jobs.ErasedEntry]{}),
		post("/erasures/import", "importErased", "Hold what is stored against such a list", w.apiApplyErased).
			about("It is for a restored backup: whoever is in the list is erased again.").
			takes(erasedInput{}, `{"items":[],"next":""}`).
			gives(http.StatusAccepted, appliedBody{}),
		get("/erasures/:id", "getErasure", "Show a request with its certificates", w.apiErasure).
			gives(http.StatusOK, erasureBody{}),
		post("/erasures/:id/confirm", "confirmErasure", "Have a request carried out", w.apiConfirmErasure).
			gives(http.StatusAccepted, erasureBody{}),
		post("/erasures/:id/reject", "rejectErasure", "Leave everything as it is", w.apiRejectErasure).
			gives(http.StatusOK, erasureBody{}),
		post("/erasures/:id/retry", "retryErasure", "Ask the vendors again that refused or were away", w.apiRetryErasure).
			gives(http.StatusAccepted, erasureBody{}),
	}}
}

// accountOperations are those of accounts.
func (w *Web) accountOperations() operationGroup {
	return operationGroup{"accounts", "Accounts", "Companies and groups, as sums of their people.", []*operation{
		get("/accounts", "listAccounts", "Find accounts", w.apiAccounts).
			with(anyText("stage", "only in this stage", "Customer"), anyText("q", "a part of key or name; an answer looks at some ten thousand accounts, so follow next also where it is short", "example")).
			paged().gives(http.StatusOK, listBody[accountBody]{}),
		post("/accounts/retry", "retryAccounts", "Send failed accounts again", w.apiRetryAccounts).
			takes(accountRetryInput{}, `{"connection":"hubspot-eu","dry_run":true}`).
			gives(http.StatusOK, countBody{}).
			refuses(http.StatusNotFound),
		get("/accounts/:key", "getAccount", "Show an account", w.apiAccount).
			gives(http.StatusOK, accountBody{}),
		get("/accounts/:key/people", "listAccountPeople", "List its people", w.apiAccountPeople).
			paged().gives(http.StatusOK, listBody[profileBody]{}),
		get("/accounts/:key/timeline", "getAccountTimeline", "List its moves, newest first", w.apiAccountTimeline).
			paged().gives(http.StatusOK, listBody[accountMoveBody]{}),
		get("/accounts/:key/explain", "explainAccount", "Say why it has a stage", w.apiExplainAccount).
			gives(http.StatusOK, accountWhyBody{}).
			refuses(http.StatusUnprocessableEntity),
	}}
}

// segmentOperations are those of segments.
func (w *Web) segmentOperations() operationGroup {
	return operationGroup{"segments", "Segments", "The segments of the plan in force. Who is in one is a list of people: GET /profiles?segment=.", []*operation{
		get("/segments", "listSegments", "List them with their sizes", w.apiSegments).
			gives(http.StatusOK, listBody[segmentBody]{}),
	}}
}
