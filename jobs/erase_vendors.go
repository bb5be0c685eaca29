package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// whom is the person as one vendor knows them. It is kept sealed until the
// vendor has answered for good.
type whom struct {
	Keys    []string `json:"keys"`
	Email   string   `json:"email,omitempty"`
	Records []string `json:"records,omitempty"`
}

func whomPlace(erasure int64, connection string) string {
	return fmt.Sprintf("erasure %d %s", erasure, connection)
}

// certify writes a certificate per connection: to be asked, or to be done by
// hand. A vendor is asked only after a push under way must have ended.
func (v *victim) certify(ctx context.Context, erasure int64) error {
	prof, err := lifecycle.DecodeProfile(v.row.State)
	if err != nil {
		return fmt.Errorf("jobs: profile %d: %w", v.row.ID, err)
	}
	sync, err := v.t.SyncOfTx(ctx, v.gone[:1])
	if err != nil {
		return err
	}
	at := map[string]store.Sync{}
	for _, x := range sync[v.row.ID] {
		at[x.Connection] = x
	}
	keys := parseKeys(v.row.Keys)
	var all []store.Certificate
	for _, id := range slices.Sorted(maps.Keys(v.w.cfg.Connections)) {
		conn := v.w.cfg.Connections[id]
		c := store.Certificate{Erasure: erasure, Connection: id, Connector: conn.Connector, At: v.w.now}
		if _, can := conn.Open.(connectors.Eraser); !can {
			c.State, c.Message = store.CertificateByHand, byHand(conn)
			all = append(all, c)
			continue
		}
		who := whom{Keys: v.row.Keys, Email: prof.Email(), Records: recordIDs(conn, keys)}
		if x := at[id]; x.VendorID != "" && !slices.Contains(who.Records, x.VendorID) {
			who.Records = append(who.Records, x.VendorID)
		}
		c.State, c.Due = store.CertificateWaiting, v.w.now
		if x := at[id]; x.Lease > 0 {
			c.Due = max(c.Due, x.Due)
		}
		b, err := json.Marshal(who)
		if err != nil {
			return fmt.Errorf("jobs: erasure %d: %w", erasure, err)
		}
		if c.Who, err = v.p.Registry.o.Vault.Seal(b, whomPlace(erasure, id)); err != nil {
			return err
		}
		all = append(all, c)
	}
	return v.t.AddCertificatesTx(ctx, all)
}

// byHand says what to do where a vendor cannot be asked by API, in the words
// of the connector's guide where it has some.
func byHand(conn *Conn) string {
	if conn.Open == nil {
		return "this connection's settings are not complete, so its vendor cannot be asked; erase the person there by hand"
	}
	d := conn.Open.Descriptor()
	words := d.Name + " cannot be asked by API; erase the person there by hand"
	if said := section(string(d.Guide), "Erasure"); said != "" {
		words += ". " + said
	}
	return words
}

// section gives the first paragraph below a heading of a guide.
func section(guide, heading string) string {
	_, rest, ok := strings.Cut(guide, "\n## "+heading+"\n")
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	for paragraph := range strings.SplitSeq(rest, "\n\n") {
		if paragraph = strings.TrimSpace(paragraph); paragraph != "" {
			return paragraph
		}
	}
	return ""
}

// Erase asks the vendor of a connection to erase whoever it is due for. The
// error is the last failure of the vendor's, or of the store's; the next try is
// in the store already.
func (p *Pusher) Erase(ctx context.Context, connection string) error {
	conn := p.Registry.Config().Connections[connection]
	if conn != nil && conn.Paused {
		return nil // the certificates wait, and say so
	}
	var failure error
	for ctx.Err() == nil {
		c, err := p.Store.TakeCertificate(ctx, connection, lifecycle.At(p.Now().Add(p.lease())))
		if errors.Is(err, store.ErrNotFound) {
			return failure
		}
		if err != nil {
			return err
		}
		worst, err := p.eraseOne(ctx, conn, c)
		if err != nil {
			return err
		}
		if worst != nil {
			failure = worst
		}
		if err := p.Store.WriteCertificate(context.WithoutCancel(ctx), c); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// eraseOne asks for one person and brings the certificate to what came of it.
func (p *Pusher) eraseOne(ctx context.Context, conn *Conn, c *store.Certificate) (worst, err error) {
	var eraser connectors.Eraser
	if conn != nil {
		eraser, _ = conn.Open.(connectors.Eraser)
	}
	if eraser == nil {
		c.State, c.Due, c.Message = store.CertificateFailed, 0, "the connection is gone or its settings are not complete; erase the person there by hand"
		return nil, nil
	}
	b, err := p.Registry.o.Vault.Open(c.Who, whomPlace(c.Erasure, c.Connection))
	if err != nil {
		c.State, c.Due, c.Message = store.CertificateFailed, 0, "who it is about cannot be read any more; erase the person there by hand"
		return nil, nil
	}
	var who whom
	if err := json.Unmarshal(b, &who); err != nil {
		return nil, fmt.Errorf("jobs: erasure %d at %s: %w", c.Erasure, c.Connection, err)
	}
	done, err := p.Breakers.Allow(conn.ID)
	if err != nil {
		c.Due = lifecycle.At(p.Now().Add(retryDelay(0, err, nil)))
		return err, nil
	}
	limits := connectors.Limits{}
	if d, ok := conn.Open.(connectors.Destination); ok {
		limits = d.Limits()
	}
	if err := p.Limiter.Wait(ctx, conn.ID, limits); err != nil {
		done(nil)
		return nil, err
	}
	call, cancel := context.WithTimeout(ctx, p.timeout())
	r := ask(call, eraser, c, &who)
	cancel()
	worst = failureOf(connectors.Result{Outcome: r.Outcome, Reason: r.Reason, Message: r.Message, Delay: r.delay})
	done(worst)
	p.certified(conn, c, r)
	return worst, nil
}

// answer is what a vendor said about all records of a person.
type answer struct {
	connectors.Erased
	delay time.Duration
}

// ask asks for every record that is known, or once by the person's keys. The
// worst answer counts, the proofs add up.
func ask(ctx context.Context, eraser connectors.Eraser, c *store.Certificate, who *whom) answer {
	records := who.Records
	if len(records) == 0 {
		records = []string{""}
	}
	var all answer
	var proofs []string
	for i, record := range records {
		u := connectors.Update{ID: stableID(c.Connection, 0, c.Erasure), Keys: parseKeys(who.Keys), Email: who.Email, VendorID: record}
		one := answer{}
		done, err := eraser.Erase(ctx, u)
		var pe *connectors.PushError
		switch {
		case err == nil && done != nil:
			one.Erased = *done
		case errors.As(err, &pe):
			r := pe.Result()
			one.Outcome, one.Reason, one.Message, one.delay = r.Outcome, r.Reason, r.Message, r.Delay
		default:
			one.Outcome, one.Reason, one.Message = connectors.Retry, connectors.ReasonBadAnswer, "no answer that can be understood"
		}
		if one.Proof != "" && !slices.Contains(proofs, one.Proof) {
			proofs = append(proofs, one.Proof)
		}
		if i == 0 || badness(one.Outcome) > badness(all.Outcome) {
			all = one
		}
	}
	all.Proof = strings.Join(proofs, "; ")
	return all
}

// badness orders outcomes by what is left to do about them.
func badness(o connectors.Outcome) int {
	switch o {
	case connectors.Skipped:
		return 0
	case connectors.OK:
		return 1
	case connectors.Submitted:
		return 2
	case connectors.Unconfirmed:
		return 3
	case connectors.Permanent:
		return 4
	}
	return 5
}

// certified brings a certificate to a vendor's answer. What the vendor said is
// kept without the person.
func (p *Pusher) certified(conn *Conn, c *store.Certificate, r answer) {
	b := p.Registry.Config().Blocks
	clean := func(text string) string {
		if b.names([]byte(text), conn.ID, 0) {
			return "(the vendor's words named the person and are left out)"
		}
		return text
	}
	c.Reason, c.Message, c.Proof, c.Due = string(r.Reason), clean(r.Message), clean(r.Proof), 0
	switch r.Outcome {
	case connectors.OK:
		c.State = store.CertificateErased
	case connectors.Submitted:
		c.State = store.CertificateAccepted
	case connectors.Skipped:
		c.State = store.CertificateUnknown
	case connectors.Unconfirmed:
		c.State = store.CertificateUnconfirmed
		return
	case connectors.Permanent:
		c.State = store.CertificateFailed
		return
	default:
		if c.Attempts++; c.Attempts >= mostAttempts {
			c.State = store.CertificateFailed
			return
		}
		c.State, c.Due = store.CertificateWaiting, lifecycle.At(p.Now().Add(max(r.delay, backoff(c.Attempts))))
		return
	}
	c.Who = nil
}

// certificateKept is how long it is remembered whom a vendor refused to erase,
// so that somebody may have it tried again.
const certificateKept = 30 * 24 * time.Hour
