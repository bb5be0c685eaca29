package salesforce_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/salesforce"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/secret"
)

func deliver(body string) *connectors.Request {
	return &connectors.Request{Method: http.MethodPost, Query: "key=webhook-secret-of-the-stand-in", Header: http.Header{}, Body: []byte(body), Received: now}
}

func receive(t *testing.T, c *salesforce.Connector, r *connectors.Request) *connectors.Receipt {
	t.Helper()
	got, err := c.Receive(r)
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	return got
}

// The acknowledgement is read by the vendor's SOAP parser; anything else makes
// Salesforce send the message again.
func TestReceiveAcknowledges(t *testing.T) {
	t.Parallel()
	c, _ := start(t, nil)
	for name, body := range map[string]string{"good": outbound("Lead"), "cut off": outbound("Lead")[:600], "with a mark": "\xef\xbb\xbf" + outbound("Lead")} {
		got := receive(t, c, deliver(body))
		var envelope struct {
			XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
			Body    struct {
				Response struct {
					Ack string `xml:"http://soap.sforce.com/2005/09/outbound Ack"`
				} `xml:"http://soap.sforce.com/2005/09/outbound notificationsResponse"`
			} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
		}
		if err := xml.Unmarshal(got.Reply.Body, &envelope); err != nil || envelope.Body.Response.Ack != "true" || got.Reply.Status != 0 ||
			got.Reply.Header.Get("Content-Type") != "text/xml; charset=utf-8" {
			t.Errorf("%s: reply %+v (%v)", name, got.Reply, err)
		}
		if len(got.Events) != 1 || (got.Events[0].Broken != "") != (name == "cut off") {
			t.Errorf("%s: events %+v", name, got.Events)
		}
	}
}

// A message is told apart by the notification's id alone, since the record may
// have changed before it is sent again.
func TestReceiveKnowsARetry(t *testing.T) {
	t.Parallel()
	c, _ := start(t, nil)
	first := receive(t, c, deliver(outbound("Lead"))).Events[0]
	later := receive(t, c, deliver(strings.Replace(outbound("Lead"), "dana@", "dana.new@", 1))).Events[0]
	other := receive(t, c, deliver(strings.Replace(outbound("Lead"), "04l5g00000QwErtAAK", "04l5g00009QwErtAAK", 1))).Events[0]
	if first.Dedupe != later.Dedupe || first.Dedupe == other.Dedupe {
		t.Error("the notification's id does not decide")
	}
	if !bytes.HasPrefix(first.Body, []byte("<sObject ")) || !bytes.HasSuffix(first.Body, []byte("</sObject>")) {
		t.Errorf("body %q", first.Body)
	}
	flows := [2]connectors.RawEvent{}
	for i, event := range []string{"created", "updated"} {
		flows[i] = receive(t, c, deliver(flow("Contact", event))).Events[0]
	}
	if flows[0].Dedupe == flows[1].Dedupe || flows[0].Type != "Contact" || flows[1].Type != "Contact" {
		t.Errorf("flows %+v", flows)
	}
}

func TestReceiveRefuses(t *testing.T) {
	t.Parallel()
	c, _ := start(t, func(cfg *connectors.Config) { cfg.Settings["organization_id"] = "00D5g00000AbCdE" })
	change := func(edit func(*connectors.Request)) *connectors.Request {
		r := deliver(outbound("Lead"))
		edit(r)
		return r
	}
	for name, r := range map[string]struct {
		request *connectors.Request
		want    error
	}{
		"another organization": {deliver(strings.Replace(outbound("Lead"), "00D5g00000AbCdEEAV", "00D5g00000AbCdFEAV", 1)), connectors.ErrSignature},
		"two secrets":          {change(func(r *connectors.Request) { r.Query += "&key=x" }), connectors.ErrSignature},
		"one more in a header": {change(func(r *connectors.Request) { r.Header.Set("X-Stagebridge-Key", "x") }), connectors.ErrSignature},
		"no secret":            {change(func(r *connectors.Request) { r.Query = "" }), connectors.ErrUnsigned},
		"a changed byte":       {change(func(r *connectors.Request) { r.Query += "x" }), connectors.ErrSignature},
		"another method":       {change(func(r *connectors.Request) { r.Method = http.MethodGet }), connectors.ErrUnsupported},
		"another path":         {change(func(r *connectors.Request) { r.Path = "/x" }), connectors.ErrUnsupported},
	} {
		if _, err := c.Receive(r.request); !errors.Is(err, r.want) {
			t.Errorf("%s: %v, want %v", name, err, r.want)
		}
	}
	receive(t, c, deliver(outbound("Lead"))) // 15 and 18 characters are one organization
}

// An opportunity names no people; without credentials nothing can be looked up.
func TestReceiveAsksForPeople(t *testing.T) {
	t.Parallel()
	c, _ := start(t, nil)
	if e := receive(t, c, deliver(outbound("Opportunity"))).Events[0]; !e.NeedsRecord {
		t.Error("an opportunity was to be looked up")
	}
	if e := receive(t, c, deliver(flow("Opportunity", "deleted"))).Events[0]; e.NeedsRecord || e.Type != "Opportunity.deleted" {
		t.Errorf("a deletion was to be left alone: %+v", e)
	}
	bare, err := salesforce.Vendor().Open(connectors.Config{Secrets: map[string][]secret.Text{"webhook_secret": {secret.New("webhook-secret-of-the-stand-in")}}})
	if err != nil {
		t.Fatal(err)
	}
	if e := receive(t, bare.(*salesforce.Connector), deliver(outbound("Opportunity"))).Events[0]; e.NeedsRecord {
		t.Error("nothing can be looked up without credentials")
	}
}

func TestRulesNameKnownTypes(t *testing.T) {
	t.Parallel()
	d := salesforce.Vendor().Descriptor
	rs, err := mapping.Compile("rules.yaml", d.Rules, mapping.Options{Connection: "crm", Connector: d.ID})
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	var known []string
	for _, e := range d.Events {
		known = append(known, e.Type)
	}
	for _, typ := range rs.Types() {
		if !slices.Contains(known, typ) {
			t.Errorf("a rule names %s, the descriptor does not", typ)
		}
	}
}

// FuzzReceive gives authentic bytes of both kinds: always a receipt, and every
// raw event fits the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		outbound("Lead", "Contact"), outbound(), flow("Contact", "deleted"), "<", "<a/>", "{}", "null", "[]",
		`<x xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>`, strings.Repeat("<a>", 200), outbound("Lead")[:500],
	} {
		f.Add([]byte(seed))
	}
	conn, err := salesforce.Vendor().Open(connectors.Config{
		Settings: map[string]string{"base_url": "https://acme.my.salesforce.com", "client_id": "id"},
		Secrets:  map[string][]secret.Text{"webhook_secret": {secret.New("webhook-secret-of-the-stand-in")}, "client_secret": {secret.New("s")}},
	})
	if err != nil {
		f.Fatal(err)
	}
	c := conn.(*salesforce.Connector)
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := c.Receive(deliver(string(body)))
		if err != nil {
			t.Fatalf("an authentic request was refused: %v", err)
		}
		if len(r.Events) == 0 {
			t.Fatal("nothing was kept")
		}
		for _, e := range r.Events {
			if e.Type == "" || len(e.Type) > 130 || e.Dedupe == [32]byte{} || len(e.Body) > len(body) {
				t.Errorf("raw event %+v", e)
			}
			if e.Broken == "" && e.Format == connectors.FormatXML {
				if v, err := mapping.Decode(e.Format, e.Body); err == nil && v.(map[string]any)["sObject"] == nil {
					t.Errorf("the slice %q is not a record", e.Body)
				}
			}
		}
	})
}
