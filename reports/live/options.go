package live

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
)

// FieldError is an option that cannot be read.
type FieldError struct{ Field, Detail string }

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Detail }

// maxWeeks is how far ahead the report clv may look.
const maxWeeks = 520

// ParseOptions reads options from texts by name, as the command's flags and the
// API's query have them; an empty text is the default. Now and Progress are the
// caller's. The error is a *FieldError.
func ParseOptions(get func(name string) string) (Options, error) {
	var o Options
	var err error
	if name := get("zone"); name != "" {
		if o.Zone, err = time.LoadLocation(name); err != nil {
			return o, &FieldError{"zone", fmt.Sprintf("is %q, want a time zone such as Europe/Berlin", name)}
		}
	}
	o.firstDay, o.lastDay = get("from"), get("to")
	if err := o.readDays(); err != nil {
		return o, err
	}
	if o.Unit, err = stats.ParseUnit(otherwise(get("unit"), string(stats.Month))); err != nil {
		return o, &FieldError{"unit", fmt.Sprintf("is %q, want day, week or month", get("unit"))}
	}
	o.Kind = stats.RetentionKind(otherwise(get("kind"), string(stats.Bounded)))
	if o.Kind != stats.Bounded && o.Kind != stats.Rolling {
		return o, &FieldError{"kind", fmt.Sprintf("is %q, want bounded or rolling", o.Kind)}
	}
	window, err := whole("window", get("window"), 0, 0, 36500)
	if err != nil {
		return o, err
	}
	o.Window = time.Duration(window) * 24 * time.Hour
	if o.Horizon, err = whole("weeks", get("weeks"), 52, 1, maxWeeks); err != nil {
		return o, err
	}
	version, err := whole("plan", get("plan"), 0, 1, math.MaxInt32)
	if err != nil {
		return o, err
	}
	person, err := whole("person", get("person"), 0, 1, math.MaxInt)
	if err != nil {
		return o, err
	}
	o.Plan, o.Person = int64(version), lifecycle.ProfileID(person)
	o.Events = names[lifecycle.EventName](get("events"))
	o.Connection, o.Source = get("connection"), get("source")
	o.Currency, o.Segment = strings.ToUpper(get("currency")), lifecycle.Segment(get("segment"))
	if o.Account = get("account"); o.Account != "" && !accountKey(o.Account) {
		return o, &FieldError{"account", fmt.Sprintf("is %q, want an account's key, such as domain:example.com or group:CONNECTION:ID", o.Account)}
	}
	if o.Lifecycle = get("lifecycle"); o.Lifecycle == lifecycle.MainLifecycle {
		o.Lifecycle = ""
	}
	return o, o.Settings.parse(get)
}

// readDays gives the period that the days asked for are in the zone, or in UTC
// where there is none yet.
func (o *Options) readDays() (err error) {
	zone := cmp.Or(o.Zone, time.UTC)
	if o.From, err = day("from", o.firstDay, zone); err != nil {
		return err
	}
	o.To, err = day("to", o.lastDay, zone)
	return err
}

// under takes the plan's zone where none is named, for the days asked for as well.
func (o *Options) under(plan *lifecycle.Plan) error {
	if o.Zone != nil {
		return nil
	}
	o.Zone, o.planned = plan.Zone(), true
	if o.firstDay == "" && o.lastDay == "" {
		return nil // they may have been given as instants
	}
	return o.readDays()
}

// sayZone tells whose days are meant, unless they are those of UTC.
func (o *Options) sayZone(r *Report) {
	switch {
	case o.Zone.String() == "UTC":
	case o.planned:
		r.note("days, weeks and months are those of %s, the zone of the plan", o.Zone)
	default:
		r.note("days, weeks and months are those of %s", o.Zone)
	}
}

// accountKey tells whether a text may be the key of an account.
func accountKey(text string) bool {
	kind, name, value := lifecycle.AccountKey(text)
	return value != "" && (kind == "domain" || (kind == "group" || kind == "trait") && name != "")
}

func otherwise(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

func day(field, text string, zone *time.Location) (lifecycle.Instant, error) {
	if text == "" {
		return 0, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return 0, &FieldError{field, fmt.Sprintf("is %q, want a day such as 2026-01-31", text)}
	}
	return lifecycle.At(at), nil
}

func whole(field, text string, fallback, least, most int) (int, error) {
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, &FieldError{field, fmt.Sprintf("is %q, want a number from %d to %d", text, least, most)}
	}
	return n, nil
}
