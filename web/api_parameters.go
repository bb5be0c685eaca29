package web

import (
	"encoding/json"
	"strings"

	"github.com/stagebridge/stagebridge/reports/live"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web/openapi"
)

// query is a parameter behind the question mark. An empty example is none.
func query(name, about string, s *openapi.Schema, example any) openapi.Parameter {
	p := openapi.Parameter{Name: name, In: "query", Description: about, Schema: s}
	if example != "" {
		p.Example = example
	}
	return p
}

// anyText is a query parameter that may be any text.
func anyText(name, about, example string) openapi.Parameter {
	return query(name, about, openapi.Text(), example)
}

// choice is a query parameter that has one of a few values.
func choice(name, about string, values ...string) openapi.Parameter {
	return query(name, about, openapi.Text(values...), values[0])
}

// moment is a query parameter that is a time.
func moment(name, about string) openapi.Parameter {
	return query(name, about, &openapi.Schema{Type: "string", Format: "date-time"}, "2026-01-31T10:00:00Z")
}

// required says that a parameter may not be missing.
func required(p openapi.Parameter) openapi.Parameter {
	p.Required = true
	return p
}

func limitParameter() openapi.Parameter {
	return query("limit", "how many a page holds at most", withDefault(openapi.Whole(1, store.MaxPage), store.DefaultPage), 10)
}

func withDefault(s *openapi.Schema, value any) *openapi.Schema {
	s.Default = value
	return s
}

func percentParameter() openapi.Parameter {
	return query("percent", "a share of all people; everybody where it is missing", openapi.Number(0.01, 100), 100)
}

func dryRunParameter() openapi.Parameter {
	return query("dry_run", "true only looks for mistakes and changes nothing", openapi.Text("true", "false"), "true")
}

func waitParameter() openapi.Parameter {
	return query("wait", "how many seconds to wait for a replay to be over before it is answered; 2 for up to 1,000 raw events", openapi.Number(0, maxReplayRun.Seconds()), 0)
}

// ifMatch is the header that a change of a versioned thing may carry.
func ifMatch() openapi.Parameter {
	return openapi.Parameter{Name: "If-Match", In: "header", Description: "the ETag of the version that the change is based on; where it is not the one in force any more, nothing is changed (412)", Schema: openapi.Text()}
}

// ifNoneMatch is the header by which a client says what it has already.
func ifNoneMatch() openapi.Parameter {
	return openapi.Parameter{Name: "If-None-Match", In: "header", Description: "the ETag of the version that the client has; 304 where it is still in force", Schema: openapi.Text()}
}

// reportParameters are the options of reports, and the header that prefers an
// answer at once.
func reportParameters() []openapi.Parameter {
	numbers := map[string]*openapi.Schema{
		"plan": openapi.Whole(1, 1<<31-1), "person": openapi.Whole(1, 1<<53), "window": openapi.Whole(0, 36500), "weeks": openapi.Whole(1, 520),
		"lookback": openapi.Whole(1, 3650), "halflife": openapi.Whole(1, 3650), "score": openapi.Number(0, 1e9), "margin": openapi.Number(0, 1), "discount": openapi.Number(0, 10),
	}
	var all []openapi.Parameter
	for _, x := range live.OptionInfos() {
		s := openapi.Text(x.Choices...)
		var example any = x.Example
		if n := numbers[x.Name]; n != nil {
			s = n
			example = json.Number(x.Example)
		}
		all = append(all, query(x.Name, x.Help, s, example))
	}
	return append(all, openapi.Parameter{Name: "Prefer", In: "header", Description: "respond-async (RFC 7240) has the report computed as long work", Schema: openapi.Text()})
}

// pathParameters are those that a path names.
func pathParameters(path string) []openapi.Parameter {
	var all []openapi.Parameter
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for _, part := range parts {
		name, ok := strings.CutPrefix(part, ":")
		if !ok {
			continue
		}
		p := openapi.Parameter{Name: name, In: "path", Required: true, Schema: openapi.Text()}
		place := parts[0] + "." + name
		if name != "from" && name != "to" && len(all) > 0 {
			place = parts[2] + "." + name // the second thing that the path names
		}
		p.Description, p.Example = pathParameter(place)
		if name == "from" || name == "to" {
			p.Schema = openapi.Whole(0, 1<<53)
			p.Example = json.Number(p.Example.(string))
		}
		all = append(all, p)
	}
	return all
}

// pathParameter says what a part of a path stands for, with an example.
func pathParameter(place string) (about string, example any) {
	switch place {
	case "connections.id":
		return "the connection's id", "hubspot-eu"
	case "profiles.id":
		return "the person's number; of somebody who was merged, it leads to the survivor", "1"
	case "accounts.key":
		return "the account's key: domain:NAME, group:CONNECTION:ID or trait:NAME:VALUE", "domain:example.com"
	case "erasures.id":
		return "the number of the request for erasure", "1"
	case "merges.id":
		return "the id of the review, as its list has it", "YWJjZGVmZ2hpamtsbW5vcGVtYWlsOmFubkBleGFtcGxlLmNvbQ"
	case "inbox.id":
		return "the number of the raw event", "1"
	case "jobs.id":
		return "the number of the long work", "1"
	case "users.name":
		return "the user's name", "ann@example.com"
	case "sessions.id":
		return "the session's id, as the list of sessions has it", "1f0a9c3e"
	case "tokens.id":
		return "the token's name", "dashboard"
	case "reports.name":
		return "the report's name, as the list of reports has it", "funnel"
	case "plan.from", "connections.from":
		return "the version that is compared; 0 is the default", "0"
	case "plan.to", "connections.to":
		return "the version that it is compared with", "1"
	}
	return "", nil
}
