package hubspot

import (
	"errors"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/stagebridge/stagebridge/secret"
)

// text is a JSON string, number or boolean as text. Numbers keep their
// literal, so an id above 2^53 keeps its digits; null is the empty text.
type text string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (t *text) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	if err != nil {
		return err
	}
	switch v.Kind() {
	case '"':
		plain, err := jsontext.AppendUnquote(nil, v)
		*t = text(plain)
		return err
	case '0', 't', 'f':
		*t = text(v)
		return nil
	case 'n':
		*t = ""
		return nil
	}
	return errors.New("not a text, a number or a boolean")
}

// loose is a text where there is one, and empty for any other value.
type loose string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (l *loose) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	if err != nil {
		return err
	}
	var t text
	if json.Unmarshal(v, &t) == nil {
		*l = loose(t)
	}
	return nil
}

// notice is what is read of a webhook element: of an app's event, or of the
// object that a workflow sends. Everything else travels in the body.
type notice struct {
	EventID          text `json:"eventId"`
	PortalID         text `json:"portalId"`
	OccurredAt       text `json:"occurredAt"`
	SubscriptionType text `json:"subscriptionType"`
	EventType        text `json:"eventType"`
	ObjectTypeID     text `json:"objectTypeId"`
	ObjectID         text `json:"objectId"`
	PropertyName     text `json:"propertyName"`
	PropertyValue    text `json:"propertyValue"`
	ChangeSource     text `json:"changeSource"`
	SourceID         text `json:"sourceId"`
	AssociationType  text `json:"associationType"`
	FromObjectID     text `json:"fromObjectId"`
	ToObjectID       text `json:"toObjectId"`

	// Of a workflow's object: the forms of its id and kind, and its time.
	VID        loose          `json:"vid"`
	CompanyID  loose          `json:"companyId"`
	DealID     loose          `json:"dealId"`
	ID         loose          `json:"id"`
	ObjectType loose          `json:"objectType"`
	UpdatedAt  loose          `json:"updatedAt"`
	Properties jsontext.Value `json:"properties"`
}

// milliseconds reads a number of milliseconds that a time can hold.
func milliseconds(s string) (int64, bool) {
	const last = 253402300799999 // the end of year 9999
	ms, err := strconv.ParseInt(s, 10, 64)
	return ms, err == nil && ms >= 0 && ms <= last
}

// apiError is HubSpot's error body, alone or inside a batch answer.
type apiError struct {
	Status     string              `json:"status"`
	Category   string              `json:"category"`
	Message    string              `json:"message"`
	PolicyName string              `json:"policyName"`
	Context    map[string][]string `json:"context"`
}

// object is a CRM record in an answer.
type object struct {
	ID         string             `json:"id"`
	TraceID    string             `json:"objectWriteTraceId"`
	Properties map[string]*string `json:"properties"`
	UpdatedAt  string             `json:"updatedAt"`
}

// property gives a value, "" for null and for not there.
func (o *object) property(name string) string {
	if v := o.Properties[name]; v != nil {
		return *v
	}
	return ""
}

// batchAnswer is the answer to every CRM batch call, 200, 201 and 207 alike.
type batchAnswer struct {
	Status  string     `json:"status"`
	Results []object   `json:"results"`
	Errors  []apiError `json:"errors"`
}

// batchRead asks for records. HubSpot's description requires all three lists.
type batchRead struct {
	Properties            []string  `json:"properties"`
	PropertiesWithHistory []string  `json:"propertiesWithHistory"`
	IDProperty            string    `json:"idProperty,omitempty"`
	Inputs                []inputID `json:"inputs"`
}

type inputID struct {
	ID string `json:"id"`
}

// batchWrite updates or upserts records.
type batchWrite struct {
	Inputs []writeInput `json:"inputs"`
}

type writeInput struct {
	IDProperty string            `json:"idProperty,omitempty"`
	ID         string            `json:"id,omitempty"`
	TraceID    string            `json:"objectWriteTraceId"`
	Properties map[string]string `json:"properties"`
}

// companySearch asks for companies by a property; After continues a long list.
type companySearch struct {
	FilterGroups []filterGroup `json:"filterGroups"`
	Properties   []string      `json:"properties"`
	Limit        int           `json:"limit"`
	After        string        `json:"after,omitempty"`
}

type filterGroup struct {
	Filters []filter `json:"filters"`
}

type filter struct {
	PropertyName string   `json:"propertyName"`
	Operator     string   `json:"operator"`
	Values       []string `json:"values"`
}

type searchAnswer struct {
	Results []object `json:"results"`
	Paging  struct {
		Next struct {
			After string `json:"after"`
		} `json:"next"`
	} `json:"paging"`
}

// associationRead asks for associations; After continues a long list.
type associationRead struct {
	Inputs []associationInput `json:"inputs"`
}

type associationInput struct {
	ID    string `json:"id"`
	After string `json:"after,omitempty"`
}

type associationAnswer struct {
	Results []struct {
		From inputID `json:"from"`
		To   []struct {
			// A number in some editions of the API and a text in others.
			ToObjectID flexibleID `json:"toObjectId"`
		} `json:"to"`
		Paging struct {
			Next struct {
				After string `json:"after"`
			} `json:"next"`
		} `json:"paging"`
	} `json:"results"`
}

// flexibleID is an id written as a text or as a number.
type flexibleID string

// UnmarshalJSON implements encoding/json.Unmarshaler.
func (f *flexibleID) UnmarshalJSON(b []byte) error {
	var t text
	if err := json.Unmarshal(b, &t); err != nil {
		return err
	}
	*f = flexibleID(t)
	return nil
}

// property is a contact property's definition.
type property struct {
	GroupName string   `json:"groupName,omitempty"`
	Name      string   `json:"name,omitempty"`
	Label     string   `json:"label,omitempty"`
	Type      string   `json:"type,omitempty"`
	FieldType string   `json:"fieldType,omitempty"`
	Options   []option `json:"options"`
}

type option struct {
	Label        string `json:"label"`
	Value        string `json:"value"`
	Hidden       bool   `json:"hidden"`
	DisplayOrder int    `json:"displayOrder"`
	Description  string `json:"description,omitempty"`
}

type group struct {
	Name  string `json:"name"`
	Label string `json:"label"`
}

type listCreate struct {
	Name           string `json:"name"`
	ObjectTypeID   string `json:"objectTypeId"`
	ProcessingType string `json:"processingType"`
}

type listAnswer struct {
	List struct {
		ListID         flexibleID `json:"listId"`
		Name           string     `json:"name"`
		ProcessingType string     `json:"processingType"`
	} `json:"list"`
}

type membershipChange struct {
	Add    []string `json:"recordIdsToAdd"`
	Remove []string `json:"recordIdsToRemove"`
}

type membershipAnswer struct {
	Added   []flexibleID `json:"recordsIdsAdded"`
	Removed []flexibleID `json:"recordIdsRemoved"`
	Missing []flexibleID `json:"recordIdsMissing"`
}

type recordMemberships struct {
	Results []struct {
		ListID flexibleID `json:"listId"`
	} `json:"results"`
}

type accountDetails struct {
	PortalID            int64  `json:"portalId"`
	AccountType         string `json:"accountType"`
	TimeZone            string `json:"timeZone"`
	CompanyCurrency     string `json:"companyCurrency"`
	DataHostingLocation string `json:"dataHostingLocation"`
}

type webhookSettings struct {
	TargetURL  string     `json:"targetUrl"`
	Throttling throttling `json:"throttling"`
}

type throttling struct {
	MaxConcurrentRequests int `json:"maxConcurrentRequests"`
}

type subscription struct {
	ID           flexibleID `json:"id,omitempty"`
	EventType    string     `json:"eventType"`
	PropertyName string     `json:"propertyName,omitempty"`
	Active       bool       `json:"active"`
}

type subscriptions struct {
	Results []subscription `json:"results"`
}

type tokenAnswer struct {
	AccessToken secret.Text `json:"access_token"`
	ExpiresIn   int64       `json:"expires_in"`
}
