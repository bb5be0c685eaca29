package standin

import "net/http"

// Simulated is the stand-in of one vendor.
type Simulated interface {
	http.Handler
	// Connection gives the settings and secrets under which a connection works
	// with the stand-in at an address.
	Connection(url string) (settings, secrets map[string]string)
	// Held lists the people it holds a stage or segments of, in any order.
	Held() []Held
	// Writes counts the requests that changed something and went through.
	Writes() int
}

// Held is what a simulated vendor holds about one person.
type Held struct {
	// Person is the e-mail address, or what the vendor knows people by.
	Person   string
	Stage    string
	Segments []string
}
