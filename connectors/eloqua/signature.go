package eloqua

import (
	"cmp"
	"crypto/sha1"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// signatureTolerance is how old, or how far ahead, a signed call may be
// ("Validating a call signature", read 2026-11). The nonce is not kept: a call
// repeated within that time has the same dedupe keys.
const signatureTolerance = 5 * time.Minute

// parameter is one of the query, decoded.
type parameter struct{ name, value string }

// verify proves the sender by OAuth 1.0a: HMAC-SHA1 over method, address and
// query, with the app's client secret. The body is not covered.
func (c *Connector) verify(r *connectors.Request) error {
	var keys []secret.Text
	for _, key := range c.cfg.Secrets[secretClient] {
		if !key.Empty() {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 || c.clientID == "" {
		return connectors.Reject(connectors.ErrUnconfigured, "set client_id and client_secret, so that the sender can be proved")
	}
	params, err := parameters(r.Query)
	if err != nil {
		return connectors.Reject(connectors.ErrSignature, "the query of the URL cannot be read")
	}
	given, twice := map[string]string{}, ""
	for _, p := range params {
		if _, there := given[p.name]; there && strings.HasPrefix(p.name, "oauth_") {
			twice = p.name
		}
		given[p.name] = p.value
	}
	switch {
	case given["oauth_signature"] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the URL carries no oauth_signature; only Eloqua's own calls are taken")
	case twice != "":
		return connectors.Reject(connectors.ErrSignature, "the URL carries an OAuth parameter twice")
	case given["oauth_signature_method"] != "HMAC-SHA1":
		return connectors.Reject(connectors.ErrSignature, "the signature's method is not HMAC-SHA1")
	case !secret.New(given["oauth_consumer_key"]).Equal(c.clientID):
		return connectors.Reject(connectors.ErrSignature, "the call names another app than client_id")
	}
	address, _, _ := strings.Cut(r.URL, "?")
	signed := false
	for _, key := range keys {
		// One public implementation signs form posts as GET.
		for _, method := range []string{r.Method, other(r.Method)} {
			mac := connectors.MAC(sha1.New, []byte(key.Reveal()+"&"), baseString(method, address, params))
			signed = connectors.EqualBase64(given["oauth_signature"], mac) || signed
		}
	}
	if !signed {
		return connectors.Reject(connectors.ErrSignature, "the signature fits no client_secret of this connection; it covers the address as it is entered at Eloqua")
	}
	seconds, err := strconv.ParseInt(given["oauth_timestamp"], 10, 64)
	if err != nil || !connectors.Fresh(time.Unix(seconds, 0), r.When(c.cfg.Now), signatureTolerance) {
		return connectors.Reject(connectors.ErrStale, "the call's time is more than %d s away from this server's", int(signatureTolerance.Seconds()))
	}
	return nil
}

func other(method string) string {
	if method == http.MethodGet {
		return http.MethodPost
	}
	return http.MethodGet
}

// parameters reads a query in its order.
func parameters(query string) ([]parameter, error) {
	var all []parameter
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, err := url.QueryUnescape(name)
		if err != nil {
			return nil, err
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			return nil, err
		}
		all = append(all, parameter{n, v})
	}
	return all, nil
}

// baseString is what is signed. Names are sorted without regard to case, which
// OAuth does not do: of Oracle's two published samples the one with a name in
// capitals fits only so.
func baseString(method, address string, params []parameter) []byte {
	sorted := slices.DeleteFunc(slices.Clone(params), func(p parameter) bool { return p.name == "oauth_signature" })
	slices.SortStableFunc(sorted, func(a, b parameter) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.name), strings.ToLower(b.name)), cmp.Compare(a.value, b.value))
	})
	var joined []string
	for _, p := range sorted {
		joined = append(joined, encode(p.name)+"="+encode(p.value))
	}
	return []byte(method + "&" + encode(address) + "&" + encode(strings.Join(joined, "&")))
}

// encode is percent-encoding by RFC 3986: all but letters, digits and -._~.
func encode(s string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		switch b := s[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-', b == '.', b == '_', b == '~':
			out.WriteByte(b)
		default:
			out.WriteByte('%')
			out.WriteByte(hex[b>>4])
			out.WriteByte(hex[b&15])
		}
	}
	return out.String()
}
