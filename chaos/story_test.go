//go:build !race

package chaos_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// signingSecret signs what the clients send; sinkSecret what the sink gets.
const (
	signingSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	sinkSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// event is one delivery of a vendor's: its id stays over all attempts.
type event struct {
	id   string
	body []byte
}

// tell makes a story: every person is known by a user id, an address and a
// device, of which most events name a part only, so that people begin as
// several and are joined later; some share a device, which the guards refuse to
// join. No event is near an age of 30 or 60 days, at which timers would fire
// between two runs.
func tell(r *rand.Rand, now time.Time, events, people int) []event {
	all := make([]event, 0, events)
	for i := range events {
		who, kind := i%people, "user.updated" // the first round joins everybody's keys
		if i >= people {
			kinds := []string{"user.created", "newsletter.subscribed", "demo.requested", "order.completed", "order.completed", "product.used", "lead.qualified", "Review:Posted"}
			who, kind = r.IntN(people), kinds[r.IntN(len(kinds))]
		}
		all = append(all, event{fmt.Sprintf("msg_%d_%08x", i, r.Uint32()), bodyOf(r, now, i, who, kind)})
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func bodyOf(r *rand.Rand, now time.Time, i, who int, kind string) []byte {
	ages := [][2]int{{1, 25}, {35, 55}, {65, 88}}
	age := ages[r.IntN(len(ages))]
	at := now.Add(-time.Duration(age[0])*24*time.Hour - time.Duration(r.Int64N(int64(age[1]-age[0])*24*3600_000))*time.Millisecond)
	data := map[string]any{"user_id": fmt.Sprintf("u%05d", who), "email": address(who), "anonymous_id": fmt.Sprintf("d%05d", who)}
	if kind != "user.updated" {
		for _, drop := range []string{"user_id", "email", "anonymous_id"} {
			if len(data) > 1 && r.IntN(2) == 0 {
				delete(data, drop)
			}
		}
	}
	// Two of fifty use one device together, never without saying who they are:
	// an address seen with it alone would belong to either.
	if _, named := data["user_id"]; named && who%50 < 2 && kind != "user.updated" {
		data["anonymous_id"] = fmt.Sprintf("shared%05d", who/50)
	}
	switch kind {
	case "order.completed": // a fifth of the orders is told twice, under two deliveries
		data["order_id"], data["amount"], data["currency"] = fmt.Sprintf("o%d-%d", who, r.IntN(5)), fmt.Sprintf("%d.%02d", 5+r.IntN(300), r.IntN(100)), "EUR"
	case "user.updated", "user.created":
		data["company"], data["lead_score"] = fmt.Sprintf("Company %d", r.IntN(40)), r.IntN(70)
	case "Review:Posted":
		data["review_id"] = fmt.Sprintf("r%d", i)
	}
	b, err := json.Marshal(map[string]any{"type": kind, "timestamp": at.UTC().Format("2006-01-02T15:04:05.000Z"), "data": data})
	if err != nil {
		panic(err) // texts and numbers always encode
	}
	return b
}

func address(who int) string { return fmt.Sprintf("person%05d@example.com", who) }

// sign gives the headers of a Standard Webhook.
func sign(e *event, at time.Time) http.Header {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(signingSecret, "whsec_"))
	if err != nil {
		panic(err)
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(e.id + "." + stamp + "."))
	mac.Write(e.body)
	return http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {e.id}, "Webhook-Timestamp": {stamp},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
}
