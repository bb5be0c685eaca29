package salesforce

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Namespaces of an outbound message (Metadata API Developer Guide, "Outbound
// Messaging WSDL"). Prefixes mean nothing.
const (
	nsSOAP     = "http://schemas.xmlsoap.org/soap/envelope/"
	nsOutbound = "http://soap.sforce.com/2005/09/outbound"
	nsInstance = "http://www.w3.org/2001/XMLSchema-instance"
)

// maxDepth bounds the nesting of a message; a real one has six levels.
const maxDepth = 30

// message is one outbound message: up to 100 notifications of one action.
type message struct {
	organization  string
	notifications []notification
}

// notification is one record as it was when the message was sent.
type notification struct {
	id         string
	object     string // empty: it cannot be told
	modifiedAt lifecycle.Instant
	modifiedBy string
	body       []byte // the sObject element, as it came; without an object, all of the notification
}

var objectForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,79}$`)

var (
	errTooDeep = fmt.Errorf("nested more than %d deep", maxDepth)
	errNoSOAP  = errors.New("the XML is not an outbound message")
)

// readMessage splits an outbound message. The error says what is wrong with it.
func readMessage(body []byte) (*message, error) {
	body = bytes.TrimPrefix(body, byteOrderMark)
	if !utf8.Valid(body) {
		return nil, errors.New("a text is not valid UTF-8")
	}
	x := &xmlReader{d: xml.NewDecoder(bytes.NewReader(body)), body: body}
	// The bytes are UTF-8, whatever the declaration calls them.
	x.d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	m := &message{}
	roots := 0
	for {
		token, err := x.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if roots++; roots > 1 || start.Name != (xml.Name{Space: nsSOAP, Local: "Envelope"}) {
			return nil, errNoSOAP
		}
		if err := x.envelope(m); err != nil {
			return nil, err
		}
	}
	if len(m.notifications) == 0 {
		return nil, errNoSOAP
	}
	return m, nil
}

// xmlReader walks through a message and remembers where elements begin.
type xmlReader struct {
	d      *xml.Decoder
	body   []byte
	before int64 // offset of the last token
	depth  int
}

func (x *xmlReader) next() (xml.Token, error) {
	x.before = x.d.InputOffset()
	token, err := x.d.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil:
		return nil, errors.New("not XML, or cut off")
	}
	if _, ok := token.(xml.Directive); ok {
		return nil, errors.New("the XML holds a document type, which is not read")
	}
	return token, nil
}

// each visits the children of the element that was just begun; visit has to
// read its element to the end.
func (x *xmlReader) each(visit func(xml.StartElement) error) error {
	if x.depth++; x.depth > maxDepth {
		return errTooDeep
	}
	defer func() { x.depth-- }()
	for {
		token, err := x.next()
		if err != nil {
			return errors.New("not XML, or cut off")
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := visit(token); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

func (x *xmlReader) skip() error {
	return x.each(func(xml.StartElement) error { return x.skip() })
}

// text reads the text of an element without children.
func (x *xmlReader) text() (string, error) {
	if x.depth++; x.depth > maxDepth {
		return "", errTooDeep
	}
	defer func() { x.depth-- }()
	var text strings.Builder
	for {
		token, err := x.next()
		if err != nil {
			return "", errors.New("not XML, or cut off")
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := x.skip(); err != nil {
				return "", err
			}
		case xml.CharData:
			text.Write(token)
		case xml.EndElement:
			return strings.TrimSpace(text.String()), nil
		}
	}
}

func (x *xmlReader) envelope(m *message) error {
	return x.each(func(start xml.StartElement) error {
		if start.Name != (xml.Name{Space: nsSOAP, Local: "Body"}) {
			return x.skip()
		}
		return x.each(func(start xml.StartElement) error {
			if start.Name != (xml.Name{Space: nsOutbound, Local: "notifications"}) {
				return x.skip()
			}
			return x.message(m)
		})
	})
}

func (x *xmlReader) message(m *message) error {
	return x.each(func(start xml.StartElement) error {
		switch {
		case start.Name.Space != nsOutbound:
			return x.skip()
		case start.Name.Local == "OrganizationId":
			text, err := x.text()
			m.organization = text
			return err
		case start.Name.Local == "Notification":
			n, from := notification{}, x.before
			if err := x.notification(&n); err != nil {
				return err
			}
			if !objectForm.MatchString(n.object) || n.body == nil {
				// Its neighbours are good.
				n.object, n.body = "", x.body[from:x.d.InputOffset()]
			}
			m.notifications = append(m.notifications, n)
			return nil
		}
		return x.skip()
	})
}

func (x *xmlReader) notification(n *notification) error {
	return x.each(func(start xml.StartElement) error {
		switch {
		case start.Name.Space == nsOutbound && start.Name.Local == "Id":
			text, err := x.text()
			n.id = text
			return err
		case start.Name.Space == nsOutbound && start.Name.Local == "sObject":
			return x.sObject(n, start)
		}
		return x.skip()
	})
}

// sObject reads of a record what a raw event needs; the rest is for the rules.
func (x *xmlReader) sObject(n *notification, start xml.StartElement) error {
	from := x.before
	for _, a := range start.Attr {
		if a.Name.Space == nsInstance && a.Name.Local == "type" {
			_, local, prefixed := strings.Cut(a.Value, ":")
			if !prefixed {
				local = a.Value
			}
			n.object = strings.TrimSpace(local)
		}
	}
	var modified, stamp string
	err := x.each(func(start xml.StartElement) error {
		var into *string
		switch start.Name.Local {
		case "LastModifiedDate":
			into = &modified
		case "SystemModstamp":
			into = &stamp
		case "LastModifiedById":
			into = &n.modifiedBy
		default:
			return x.skip()
		}
		text, err := x.text()
		*into = text
		return err
	})
	n.body = x.body[from:x.d.InputOffset()]
	if n.modifiedAt = instant(modified); n.modifiedAt == 0 {
		n.modifiedAt = instant(stamp)
	}
	return err
}

// instant reads a time of Salesforce's, ISO 8601 with milliseconds; zero where
// it cannot be read.
func instant(text string) lifecycle.Instant {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.000Z0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return lifecycle.At(t)
		}
	}
	return 0
}
