package lifecycle

import "strings"

// personalDomains are those under which providers give addresses to anybody,
// so that two people of one have nothing to do with each other. The list is of
// the widely used ones; a plan adds its own under personal_domains.
func personalDomains(domain string) bool {
	switch domain {
	case "gmail.com", "googlemail.com",
		"outlook.com", "outlook.de", "outlook.fr", "outlook.es", "outlook.it", "outlook.jp", "hotmail.com", "hotmail.co.uk", "hotmail.de", "hotmail.fr",
		"hotmail.it", "hotmail.es", "live.com", "live.co.uk", "live.de", "live.fr", "live.nl", "msn.com", "passport.com",
		"yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "yahoo.it", "yahoo.es", "yahoo.ca", "yahoo.in", "yahoo.co.in", "yahoo.co.jp", "yahoo.com.br",
		"yahoo.com.au", "ymail.com", "rocketmail.com", "aol.com", "aim.com",
		"icloud.com", "me.com", "mac.com", "privaterelay.appleid.com",
		"proton.me", "protonmail.com", "protonmail.ch", "pm.me", "tutanota.com", "tutanota.de", "tuta.io", "tuta.com", "hey.com", "fastmail.com", "fastmail.fm",
		"hushmail.com", "posteo.de", "posteo.net", "mailbox.org", "zohomail.com", "zoho.com", "mail.com", "email.com", "usa.com", "gmx.com", "gmx.de", "gmx.net",
		"gmx.at", "gmx.ch", "web.de", "freenet.de", "t-online.de", "arcor.de", "1und1.de", "freemail.hu",
		"orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "sfr.fr", "neuf.fr", "libero.it", "virgilio.it", "tiscali.it", "alice.it", "tin.it",
		"btinternet.com", "sky.com", "talktalk.net", "virginmedia.com", "ntlworld.com", "bluewin.ch", "hispeed.ch", "ziggo.nl", "kpnmail.nl", "planet.nl", "telenet.be", "skynet.be",
		"comcast.net", "verizon.net", "att.net", "sbcglobal.net", "bellsouth.net", "cox.net", "charter.net", "earthlink.net", "juno.com", "optonline.net",
		"shaw.ca", "rogers.com", "sympatico.ca", "bigpond.com", "bigpond.net.au", "optusnet.com.au", "xtra.co.nz",
		"uol.com.br", "bol.com.br", "terra.com.br", "ig.com.br", "wp.pl", "o2.pl", "onet.pl", "interia.pl", "seznam.cz", "centrum.cz", "abv.bg",
		"mail.ru", "inbox.ru", "list.ru", "bk.ru", "yandex.ru", "yandex.com", "rambler.ru", "ukr.net",
		"qq.com", "163.com", "126.com", "sina.com", "sohu.com", "foxmail.com", "yeah.net", "naver.com", "daum.net", "hanmail.net", "nate.com", "docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp",
		"rediffmail.com", "mailinator.com", "guerrillamail.com", "10minutemail.com", "temp-mail.org", "yopmail.com", "duck.com", "simplelogin.com":
		return true
	}
	return false
}

// domain gives the domain of an address if it can stand for a company.
func (a *accountPlan) domain(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return ""
	}
	domain, ok := cleanDomain(email[at+1:])
	if !ok {
		return ""
	}
	personal, told := a.personal[domain]
	if personal || !told && personalDomains(domain) {
		return ""
	}
	return domain
}

// cleanDomain gives a domain in lower case; false for what is none.
func cleanDomain(s string) (string, bool) {
	s, ok := cleanKeyValue(s)
	s = strings.TrimSuffix(strings.ToLower(s), ".")
	if !ok || !strings.Contains(s, ".") || strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, "..") ||
		strings.ContainsAny(s, " /:@,;<>[]()\"'\\") {
		return "", false
	}
	return s, true
}
