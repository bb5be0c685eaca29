package lint

import (
	"slices"
	"strings"
)

// irregular participles that business events end with. Those in -ed need no
// list.
var irregular = []string{
	"begun", "beaten", "become", "bought", "broken", "brought", "built", "caught", "chosen", "cut", "done", "drawn", "driven", "fallen", "felt", "found",
	"forgotten", "frozen", "given", "gone", "gotten", "grown", "heard", "held", "hidden", "hit", "kept", "known", "laid", "learnt", "led", "left", "lent",
	"let", "lost", "made", "meant", "met", "overdue", "paid", "proven", "put", "quit", "read", "reset", "resent", "rewritten", "run", "said", "seen", "sent",
	"set", "shown", "shut", "sold", "spent", "split", "spoken", "spun", "stolen", "sworn", "taken", "taught", "thought", "thrown", "told", "undone",
	"understood", "unread", "unsent", "unpaid", "upheld", "won", "withdrawn", "withheld", "worn", "written",
}

// pasts of verbs that are often written in another form.
var pasts = map[string]string{
	"buy": "bought", "send": "sent", "pay": "paid", "make": "made", "win": "won", "lose": "lost", "sell": "sold", "begin": "begun", "see": "seen",
	"leave": "left", "take": "taken", "give": "given", "build": "built", "write": "written", "find": "found", "get": "received", "signup": "created",
	"sign": "signed", "login": "started", "cancellation": "canceled", "purchase": "purchased", "order": "ordered", "payment": "paid", "view": "viewed",
	"start": "started", "end": "ended", "stop": "stopped", "cancel": "canceled", "submit": "submitted", "ship": "shipped", "upgrade": "upgraded",
}

// participleOf gives the past participle that a word was probably meant to be;
// empty when that cannot be told.
func participleOf(word string) string {
	if past := pasts[word]; past != "" {
		return past
	}
	switch {
	case len(word) < 3:
		return ""
	case strings.HasSuffix(word, "ing"):
		stem := strings.TrimSuffix(word, "ing")
		if past := pasts[stem]; past != "" {
			return past
		}
		return stem + "ed"
	case strings.HasSuffix(word, "tion"), strings.HasSuffix(word, "ment"), strings.HasSuffix(word, "ness"), strings.HasSuffix(word, "er"):
		return "" // a thing, not a deed
	case strings.HasSuffix(word, "e"):
		return word + "d"
	case strings.HasSuffix(word, "y") && !strings.ContainsRune("aeiou", rune(word[len(word)-2])):
		return strings.TrimSuffix(word, "y") + "ied"
	}
	return word + "ed"
}

// isParticiple tells whether a word ends as a past participle does.
func isParticiple(word string) bool {
	word = strings.ToLower(word)
	if slices.Contains([]string{"feed", "seed", "need", "speed", "deed", "red", "bed", "shed", "embed"}, word) {
		return false
	}
	return strings.HasSuffix(word, "ed") && len(word) > 3 || slices.Contains(irregular, word)
}

// particles may follow a participle: SignedUp, OptedOut.
var particles = []string{"away", "back", "down", "in", "off", "on", "out", "over", "through", "up"}

// tellsDeed tells whether a name's last word is a past participle, or one with
// its particle.
func tellsDeed(words []string) bool {
	last := len(words) - 1
	if last > 0 && slices.Contains(particles, strings.ToLower(words[last])) {
		last--
	}
	return isParticiple(words[last])
}

// calendar words are dates in letters.
var calendar = []string{
	"january", "february", "april", "june", "july", "august", "september", "october", "november", "december",
	"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "today", "yesterday",
}

func isCalendar(word string) bool { return slices.Contains(calendar, strings.ToLower(word)) }

// interfaceWords are parts of pages and what fingers do with them.
var interfaceWords = []string{
	"button", "buttons", "checkbox", "clicked", "dialog", "dropdown", "focused", "hovered", "icon", "menu", "modal", "mouse", "navbar", "popup", "radio",
	"screen", "scrolled", "sidebar", "slider", "swiped", "tab", "tapped", "textbox", "toggle", "toggled", "tooltip", "widget",
}

func firstUI(words []string) string {
	for _, w := range words {
		if slices.Contains(interfaceWords, strings.ToLower(w)) {
			return w
		}
	}
	return ""
}

// synonyms are the stems of names that mean an event of the vocabulary. The
// thing may stand in front: User:SignedUp and Customer:Registered are both a
// new account.
var synonyms = []struct{ deed, event string }{
	{"sign up", "Account:Created"}, {"signup", "Account:Created"}, {"register", "Account:Created"}, {"join", "Account:Created"},
	{"account open", "Account:Created"}, {"user creat", "Account:Created"}, {"customer creat", "Account:Created"},
	{"log in", "Session:Started"}, {"login", "Session:Started"}, {"sign in", "Session:Started"}, {"visit", "Session:Started"},
	{"purchas", "Order:Completed"}, {"bought", "Order:Completed"}, {"order plac", "Order:Completed"}, {"order paid", "Order:Completed"},
	{"checkout complet", "Order:Completed"}, {"order refund", "Order:Refunded"}, {"payment refund", "Order:Refunded"},
	{"payment receiv", "Payment:Succeeded"}, {"invoic paid", "Payment:Succeeded"}, {"payment complet", "Payment:Succeeded"}, {"payment declin", "Payment:Failed"},
	{"subscription end", "Subscription:Canceled"}, {"subscription terminat", "Subscription:Canceled"}, {"subscription delet", "Subscription:Canceled"},
	{"churn", "Subscription:Canceled"}, {"subscription creat", "Subscription:Started"}, {"subscription activat", "Subscription:Started"},
	{"subscription extend", "Subscription:Renewed"}, {"trial begun", "Trial:Started"}, {"trial creat", "Trial:Started"}, {"trial expir", "Trial:Ended"},
	{"unsubscrib", "Newsletter:Unsubscribed"}, {"opt out", "Newsletter:Unsubscribed"}, {"opt in", "Newsletter:Subscribed"},
	{"meet schedul", "Meeting:Booked"}, {"demo book", "Demo:Requested"}, {"deal clos", "Deal:Won"}, {"opportunity won", "Deal:Won"}, {"opportunity lost", "Deal:Lost"},
	{"opportunity creat", "Deal:Created"}, {"ticket creat", "Ticket:Opened"}, {"ticket clos", "Ticket:Solved"}, {"ticket resolv", "Ticket:Solved"},
	{"survey complet", "Survey:Answered"}, {"survey submit", "Survey:Answered"}, {"friend invit", "Referral:Made"}, {"review submit", "Review:Posted"},
}
