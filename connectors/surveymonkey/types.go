package surveymonkey

import "encoding/json"

// The bodies of webhooks, requests and answers that this package reads and
// writes, cut to the members it uses.

// notice is a webhook's body: what happened, and ids.
type notice struct {
	EventType  string    `json:"event_type"`
	EventID    text      `json:"event_id"`
	At         string    `json:"event_datetime"`
	ObjectType string    `json:"object_type"`
	ObjectID   text      `json:"object_id"`
	Resources  resources `json:"resources"`
}

type resources struct {
	RespondentID text `json:"respondent_id,omitempty"`
	RecipientID  text `json:"recipient_id,omitempty"`
	CollectorID  text `json:"collector_id,omitempty"`
	SurveyID     text `json:"survey_id,omitempty"`
	UserID       text `json:"user_id,omitempty"`
}

// text is an id that may come as a text or as a number; null is empty.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = ""
		return nil
	}
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(t))
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*t = text(n)
	return nil
}

// response is one person's answers to a survey.
type response struct {
	ID          text           `json:"id"`
	SurveyID    text           `json:"survey_id"`
	CollectorID text           `json:"collector_id"`
	RecipientID text           `json:"recipient_id"`
	Status      string         `json:"response_status"`
	Created     string         `json:"date_created"`
	Modified    string         `json:"date_modified"`
	Variables   map[string]any `json:"custom_variables"`
	Pages       []struct {
		Questions []answered `json:"questions"`
	} `json:"pages"`
}

// answered is one question's answers.
type answered struct {
	ID      text `json:"id"`
	Answers []struct {
		ChoiceID text   `json:"choice_id"`
		RowID    text   `json:"row_id"`
		OtherID  text   `json:"other_id"`
		Text     string `json:"text"`
	} `json:"answers"`
}

// recipient is somebody who was invited by an e-mail collector.
type recipient struct {
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

// contact is a person of the account's address book.
type contact struct {
	ID        text            `json:"id,omitempty"`
	FirstName string          `json:"first_name"`
	LastName  string          `json:"last_name"`
	Email     string          `json:"email"`
	Custom    map[string]text `json:"custom_fields,omitempty"`
}

// bulkWrite is the body of POST /contacts/bulk. There is no status in it on
// purpose: an opted-out contact stays opted out.
type bulkWrite struct {
	UpdateExisting bool      `json:"update_existing"`
	Contacts       []contact `json:"contacts"`
}

// bulkAnswer sorts the contacts of a bulk write; any list may hold empty objects.
type bulkAnswer struct {
	Succeeded []contact `json:"succeeded"`
	Existing  []contact `json:"existing"`
	Invalids  []contact `json:"invalids"`
}

// contactPatch changes one contact.
type contactPatch struct {
	FirstName *string         `json:"first_name,omitempty"`
	LastName  *string         `json:"last_name,omitempty"`
	Email     string          `json:"email,omitempty"`
	Custom    map[string]text `json:"custom_fields,omitempty"`
}

// webhook is one subscription.
type webhook struct {
	ID            text     `json:"id,omitempty"`
	Name          string   `json:"name"`
	EventType     string   `json:"event_type"`
	ObjectType    string   `json:"object_type,omitempty"`
	ObjectIDs     []string `json:"object_ids,omitempty"`
	URL           string   `json:"subscription_url"`
	Authorization string   `json:"authorization,omitempty"`
}
