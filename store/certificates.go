package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// States of a certificate, as the API spells them.
const (
	CertificateWaiting     = "waiting"     // the vendor is to be asked, or to be asked again
	CertificateErased      = "erased"      // the vendor holds the person no longer
	CertificateAccepted    = "accepted"    // the vendor took the request and carries it out later
	CertificateUnconfirmed = "unconfirmed" // asked, but the answer proves nothing
	CertificateUnknown     = "not_known"   // nothing by which this vendor knows people
	CertificateFailed      = "failed"      // refused, or away too long
	CertificateByHand      = "by_hand"     // cannot be asked by API: Message says what to do
)

// Certificate is what one connection's vendor did about an erasure.
type Certificate struct {
	Erasure    int64
	Connection string
	Connector  string
	State      string
	Attempts   int64
	// Due is when the vendor is asked next; zero: no more.
	Due lifecycle.Instant
	// Who is the person as the vendor knows them, sealed by whoever stores it;
	// nil once the certificate is final.
	Who []byte
	// Reason and Message are as of a push; Proof is what the vendor answered,
	// such as the number of its own request.
	Reason, Message, Proof string
	// At is when it came to this state.
	At lifecycle.Instant
}

const certificateColumns = "erasure, connection, connector, state, attempts, due_at, who, reason, message, proof, at"

func allCertificates(rows *sql.Rows, err error) ([]Certificate, error) {
	var all []Certificate
	err = each(rows, err, func(rows *sql.Rows) error {
		var c Certificate
		err := rows.Scan(&c.Erasure, &c.Connection, &c.Connector, &c.State, &c.Attempts, &c.Due, &c.Who, &c.Reason, &c.Message, &c.Proof, &c.At)
		all = append(all, c)
		return err
	})
	return all, err
}

// AddCertificatesTx writes the certificates of an erasure; one that is there
// stays.
func (t *Tx) AddCertificatesTx(ctx context.Context, all []Certificate) error {
	for i := range all {
		c := &all[i]
		if _, err := t.exec(ctx, "insert into certificates ("+certificateColumns+") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing", c.Erasure, c.Connection,
			c.Connector, c.State, c.Attempts, int64(c.Due), c.Who, clean(c.Reason, 100), clean(c.Message, 2000), clean(c.Proof, 2000), int64(c.At)); err != nil {
			return err
		}
	}
	return nil
}

// Certificates lists those of erasures, by connection.
func (s *Store) Certificates(ctx context.Context, erasures []int64) (map[int64][]Certificate, error) {
	rows, err := s.query(ctx, "select "+certificateColumns+" from certificates where "+s.d.oneOf("erasure", "bigint")+" order by erasure, connection", list(s.d, erasures))
	all, err := allCertificates(rows, err)
	if err != nil {
		return nil, fmt.Errorf("store: certificates: %w", away(err))
	}
	by := map[int64][]Certificate{}
	for _, c := range all {
		by[c.Erasure] = append(by[c.Erasure], c)
	}
	return by, nil
}

// CertificatesDue names the connections whose vendors are to be asked now.
func (s *Store) CertificatesDue(ctx context.Context) ([]string, error) {
	var all []string
	rows, err := s.query(ctx, "select distinct connection from certificates where due_at > 0 and due_at <= ? order by connection", s.nowMicros())
	err = each(rows, err, func(rows *sql.Rows) error {
		var c string
		err := rows.Scan(&c)
		all = append(all, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: certificates: %w", away(err))
	}
	return all, nil
}

// TakeCertificate takes one whose vendor is to be asked, until an instant, when
// it is due again by itself. ErrNotFound: there is none.
func (s *Store) TakeCertificate(ctx context.Context, connection string, until lifecycle.Instant) (*Certificate, error) {
	var all []Certificate
	err := s.in(ctx, durable, func(t *Tx) error {
		rows, err := t.query(ctx, `update certificates set due_at = ? where connection = ? and erasure = (select erasure from certificates
			where connection = ? and due_at > 0 and due_at <= ? order by due_at, erasure limit 1`+t.s.d.skipLocked+") returning "+certificateColumns,
			int64(until), connection, connection, s.nowMicros())
		all, err = allCertificates(rows, err)
		return err
	})
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("store: take certificate: %w", err)
	}
	return &all[0], nil
}

// WriteCertificate notes what came of asking.
func (s *Store) WriteCertificate(ctx context.Context, c *Certificate) error {
	c.At = lifecycle.Instant(s.nowMicros())
	err := s.in(ctx, durable, func(t *Tx) error {
		_, err := t.exec(ctx, "update certificates set state = ?, attempts = ?, due_at = ?, who = ?, reason = ?, message = ?, proof = ?, at = ? where erasure = ? and connection = ?",
			c.State, c.Attempts, int64(c.Due), c.Who, clean(c.Reason, 100), clean(c.Message, 2000), clean(c.Proof, 2000), int64(c.At), c.Erasure, c.Connection)
		if err != nil || c.Due > 0 {
			return err
		}
		return t.Audit(ctx, "erasure.vendor", fmt.Sprint("erasure:", c.Erasure), nil, map[string]any{"connection": c.Connection, "state": c.State, "proof": c.Proof})
	})
	if err != nil {
		return fmt.Errorf("store: certificate: %w", err)
	}
	return nil
}

// RetryCertificates makes the failed certificates of an erasure due again and
// answers the connections.
func (s *Store) RetryCertificates(ctx context.Context, erasure int64) ([]string, error) {
	var all []string
	err := s.in(ctx, durable, func(t *Tx) error {
		all = nil
		rows, err := t.query(ctx, "update certificates set state = 'waiting', attempts = 0, due_at = ? where erasure = ? and state in ('failed', 'unconfirmed') and who is not null returning connection",
			s.nowMicros(), erasure)
		return each(rows, err, func(rows *sql.Rows) error {
			var c string
			err := rows.Scan(&c)
			all = append(all, c)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("store: retry certificates: %w", err)
	}
	return all, nil
}

// ForgetCertificates drops who a failed certificate is about when nobody asked
// for another try since an instant, so that an erasure that a vendor refuses
// does not keep the person for ever.
func (s *Store) ForgetCertificates(ctx context.Context, before lifecycle.Instant) error {
	err := s.in(ctx, derived, func(t *Tx) error {
		_, err := t.exec(ctx, "update certificates set who = null, due_at = 0 where who is not null and due_at = 0 and at < ?", int64(before))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: certificates: %w", err)
	}
	return nil
}
