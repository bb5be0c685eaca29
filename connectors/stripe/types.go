package stripe

import (
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// loose is the text of a JSON string, and empty for any other value: older
// versions of the API wrote some members in another form.
type loose string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (l *loose) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	if err != nil || v.Kind() != '"' {
		return err
	}
	plain, err := jsontext.AppendUnquote(nil, v)
	*l = loose(plain)
	return err
}

// seconds is a Unix time; 0 for anything that is no whole number.
type seconds int64

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (s *seconds) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	if err != nil {
		return err
	}
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		*s = seconds(n)
	}
	return nil
}

// truth is a JSON boolean, or neither where it is not there.
type truth byte

// What a truth may be beside not told.
const (
	isFalse truth = 1 + iota
	isTrue
)

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (b *truth) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	switch {
	case err != nil:
	case v.Kind() == 't':
		*b = isTrue
	case v.Kind() == 'f':
		*b = isFalse
	}
	return err
}

// envelope is what is read of an event.
type envelope struct {
	ID       loose   `json:"id"`
	Type     loose   `json:"type"`
	Account  loose   `json:"account"`
	Created  seconds `json:"created"`
	Livemode truth   `json:"livemode"`
	Request  request `json:"request"`
	Data     data    `json:"data"`
}

// request is what caused an event. Before 2017 it was the request's id alone.
type request struct {
	IdempotencyKey loose
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (r *request) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var in struct {
		IdempotencyKey loose `json:"idempotency_key"`
	}
	err := object(d, &in)
	r.IdempotencyKey = in.IdempotencyKey
	return err
}

// data holds the object that an event is about.
type data struct {
	Object subject
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (x *data) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var in struct {
		Object subject `json:"object"`
	}
	err := object(d, &in)
	x.Object = in.Object
	return err
}

// subject is what is read of that object: whom it belongs to.
type subject struct {
	Customer jsontext.Value
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (s *subject) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var in struct {
		Customer jsontext.Value `json:"customer"`
	}
	err := object(d, &in)
	s.Customer = in.Customer
	return err
}

// customerID gives the id of the customer, also where the customer is expanded.
func (s *subject) customerID() string {
	switch s.Customer.Kind() {
	case '"':
		var id loose
		if json.Unmarshal(s.Customer, &id) == nil {
			return string(id)
		}
	case '{':
		var in struct {
			ID loose `json:"id"`
		}
		if json.Unmarshal(s.Customer, &in) == nil {
			return string(in.ID)
		}
	}
	return ""
}

// object decodes the next value where it is an object, and passes over any
// other.
func object(d *jsontext.Decoder, into any) error {
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	return json.UnmarshalDecode(d, into)
}

// customer is what is read of a customer in an answer.
type customer struct {
	ID       string            `json:"id"`
	Object   string            `json:"object"`
	Deleted  bool              `json:"deleted"`
	Email    string            `json:"email"`
	Name     string            `json:"name"`
	Phone    string            `json:"phone"`
	Created  int64             `json:"created"`
	Metadata map[string]string `json:"metadata"`
	Address  *struct {
		Country string `json:"country"`
	} `json:"address"`
}

// customerList is one page of customers, newest first.
type customerList struct {
	Object  string     `json:"object"`
	Data    []customer `json:"data"`
	HasMore bool       `json:"has_more"`
}

// endpoint is a webhook endpoint.
type endpoint struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Types  []string `json:"enabled_events"`
	Status string   `json:"status"`
	// Secret is in the answer to the creation and nowhere else.
	Secret string `json:"secret"`
}

// problem is an error answer.
type problem struct {
	Error struct {
		Type    string `json:"type"`
		Code    string `json:"code"`
		Message string `json:"message"`
		Param   string `json:"param"`
	} `json:"error"`
}
