package mailchimpsim

import (
	"encoding/json"
	"net/http"
)

// problem is an error answer in the vendor's form.
type problem struct {
	Type     string         `json:"type"`
	Title    string         `json:"title"`
	Status   int            `json:"status"`
	Detail   string         `json:"detail"`
	Instance string         `json:"instance"`
	Errors   []fieldProblem `json:"errors,omitempty"`
}

type fieldProblem struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func (p *problem) write(w http.ResponseWriter) {
	p.Type, p.Instance = "https://mailchimp.com/developer/marketing/docs/errors/", "00000000-0000-0000-0000-000000000000"
	w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

func notFound() *problem {
	return &problem{Status: http.StatusNotFound, Title: "Resource Not Found", Detail: "The requested resource could not be found."}
}

func badRequest(title, detail string, errors ...fieldProblem) *problem {
	return &problem{Status: http.StatusBadRequest, Title: title, Detail: detail, Errors: errors}
}

// inCompliance is how an address that opted out or bounced is protected.
func inCompliance(email string) *problem {
	return badRequest("Member In Compliance State", email+" is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed.")
}

// forgotten is the answer for an address that was deleted for good.
func forgotten(email string) *problem {
	return badRequest("Forgotten Email Not Subscribed", email+" was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list.")
}
