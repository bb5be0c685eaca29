package genericwebhook

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// parser reads settings, falling back to the preset and the defaults.
type parser struct {
	settings, preset map[string]string
	mistakes         []*connectors.SettingError
}

func (p *parser) wrong(field, format string, args ...any) {
	p.mistakes = append(p.mistakes, &connectors.SettingError{Field: field, Detail: fmt.Sprintf(format, args...)})
}

// value of a setting. Two settings have a default in the form, which a preset
// must win over, since the form always sends it.
func (p *parser) value(name string) string {
	given, preset := p.settings[name], p.preset[name]
	if given == formDefault(name) && preset != "" {
		return preset
	}
	if given == "" {
		given = hmacDefaults[name]
		if preset != "" {
			given = preset
		}
	}
	return given
}

func formDefault(name string) string {
	switch name {
	case "type":
		return "path:type"
	case "time":
		return "path:timestamp"
	}
	return ""
}

// refuse names settings that the profile does not use.
func (p *parser) refuse(names []string, profile string) {
	for _, n := range names {
		if p.settings[n] != "" {
			p.wrong(n, "has no effect with the profile %s; choose custom or leave it out", profile)
		}
	}
}

func (p *parser) tolerance() time.Duration {
	text := p.value("tolerance")
	if text == "" {
		return standardTolerance
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 86400 {
		p.wrong("tolerance", "is %q, want seconds from 1 to 86400", text)
		return standardTolerance
	}
	return time.Duration(n) * time.Second
}

// networks reads addresses and networks, 203.0.113.7 and 198.51.100.0/24.
func (p *parser) networks(name string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range strings.FieldsFunc(p.value(name), func(r rune) bool { return r == ' ' || r == ',' || r == '\n' }) {
		n, err := netip.ParsePrefix(text)
		if a, wrong := netip.ParseAddr(text); err != nil && wrong == nil {
			n, err = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
		}
		if err != nil {
			p.wrong(name, "holds %q, want an address or a network, for example 198.51.100.0/24", text)
			continue
		}
		all = append(all, n.Masked())
	}
	return all
}

// place reads header:Name, param:name or path:a.b; a bare text is a path.
func (p *parser) place(name string) place {
	text := p.value(name)
	if text == "" {
		return place{}
	}
	where, what, ok := strings.Cut(text, ":")
	if !ok {
		where, what = "path", text
	}
	switch {
	case what == "":
	case where == "header":
		return place{header: http.CanonicalHeaderKey(what)}
	case where == "param" && name == "timestamp":
		return place{param: what + "="}
	case where == "path" && name != "timestamp" && !strings.Contains("."+what+".", ".."):
		return place{path: strings.Split(what, ".")}
	}
	allowed := "header:Name or path:a.b"
	if name == "timestamp" {
		allowed = "header:Name or param:name"
	}
	p.wrong(name, "is %q, want %s", text, allowed)
	return place{}
}

func (p *parser) headers() []string {
	var names []string
	for _, n := range strings.Fields(p.value("signature_header")) {
		names = append(names, http.CanonicalHeaderKey(n))
	}
	if len(names) == 0 {
		p.wrong("signature_header", "is required with this profile")
	}
	return names
}

func (p *parser) hash() func() hash.Hash {
	if h := hashes[p.value("algorithm")]; h != nil {
		return h
	}
	return sha256.New // the form's choices have refused the value already
}

func (p *parser) hmac(s *shape) {
	s.headers = p.headers()
	s.encoding, s.prefix, s.stampUnit = p.value("encoding"), p.value("prefix"), p.value("timestamp_unit")
	s.separator = p.value("separator")
	if s.separator == "space" {
		s.separator = " "
	}
	s.stamp = p.place("timestamp")
	if s.stamp.param != "" && s.separator == "" {
		p.wrong("separator", "is required when the timestamp is a part of the signature header")
	}
	s.base = p.template(s)
}

// template reads the signed text.
func (p *parser) template(s *shape) []basePart {
	var parts []basePart
	body, stamp := false, false
	for rest := p.value("base"); rest != ""; {
		literal, after, open := strings.Cut(rest, "{")
		if literal != "" {
			parts = append(parts, basePart{literal: literal})
		}
		if !open {
			break
		}
		name, after, closed := strings.Cut(after, "}")
		switch {
		case !closed || !strings.Contains(" body timestamp id url method ", " "+name+" "):
			p.wrong("base", "holds {%s, want {body}, {timestamp}, {id}, {url} or {method}", name)
			return nil
		case name == "timestamp" && s.stamp.none():
			p.wrong("timestamp", "is required when the signed text holds {timestamp}")
		case name == "id" && s.id.header == "":
			p.wrong("dedupe", "must be a header when the signed text holds {id}")
		}
		body, stamp = body || name == "body", stamp || name == "timestamp"
		parts = append(parts, basePart{name: name})
		rest = after
	}
	if !body {
		p.wrong("base", "does not hold {body}, so anybody could change it")
	}
	if !s.stamp.none() && !stamp {
		p.wrong("base", "does not hold {timestamp}, so anybody could change it; leave the timestamp out")
	}
	return parts
}
