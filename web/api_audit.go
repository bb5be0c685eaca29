package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// auditBody is one change, or look at what is guarded, and who did it.
type auditBody struct {
	At      string `json:"at"`
	Author  string `json:"author"`
	Address string `json:"address"`
	Request string `json:"request_id"`
	Action  string `json:"action"`
	Subject string `json:"subject"`
	// Before and After are null where there was or is nothing.
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

func (w *Web) apiAudit(c echo.Context) error {
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	place, err := auditPlace(c.QueryParam("after"))
	if err != nil {
		return err
	}
	all, err := w.store.AuditLog(c.Request().Context(), store.AuditFilter{
		Subject: c.QueryParam("subject"), Author: c.QueryParam("author"), Action: c.QueryParam("action"), Before: place, Limit: limit + 1,
	})
	if err != nil {
		return err
	}
	next := ""
	if len(all) > limit {
		all = all[:limit]
		next = fmt.Sprintf("%d-%s", all[limit-1].At, all[limit-1].ID)
	}
	items := make([]auditBody, len(all))
	for i, e := range all {
		items[i] = auditBody{At: when(e.At), Author: e.Name, Address: e.Address, Request: e.Request, Action: e.Action, Subject: e.Subject, Before: jsonOr(e.Before), After: jsonOr(e.After)}
	}
	return c.JSON(http.StatusOK, list(items, next))
}

func jsonOr(text string) json.RawMessage {
	if text == "" {
		return json.RawMessage("null")
	}
	return json.RawMessage(text)
}

// auditPlace reads the cursor of the audit log.
func auditPlace(text string) (store.AuditPlace, error) {
	if text == "" {
		return store.AuditPlace{}, nil
	}
	at, id, ok := strings.Cut(text, "-")
	n, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || n <= 0 {
		return store.AuditPlace{}, badRequest("after", "is not a cursor of this list")
	}
	return store.AuditPlace{At: lifecycle.Instant(n), ID: id}, nil
}
