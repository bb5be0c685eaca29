package connectors

// Descriptor is a vendor's connector.yaml: the only source of its form, its
// page in the docs and its row in the tables.
type Descriptor struct {
	ID       string `yaml:"id" json:"id"`
	Name     string `yaml:"name" json:"name"`
	Category string `yaml:"category" json:"category"`
	// Summary is one sentence: what connecting it gives.
	Summary string `yaml:"summary" json:"summary"`
	// Secrets and Settings are the fields of the form.
	Secrets  []FieldSpec `yaml:"secrets" json:"secrets"`
	Settings []FieldSpec `yaml:"settings" json:"settings"`
	// Events are the raw event types a source may tell of.
	Events []EventSpec `yaml:"events" json:"events"`
	// Limits are sentences for the docs: what the vendor allows, with numbers.
	Limits []string `yaml:"limits" json:"limits"`
	Links  []Link   `yaml:"links" json:"links"`
	// DeviceKeys: the ids under the connector's own name are those of browsers
	// or devices, which several people may use, and not of a person's record.
	DeviceKeys bool `yaml:"device_keys,omitempty" json:"device_keys,omitempty"`
	// CarriesConsent: a push tells somebody's own system what is known and
	// changes no vendor's consent by it, so that a trait may be brought into a
	// field that is named like consent, see ConsentField.
	CarriesConsent bool `yaml:"carries_consent,omitempty" json:"carries_consent,omitempty"`

	// Rules is the default mapping (rules.yaml), Guide the set-up text (guide.md).
	Rules []byte `yaml:"-" json:"-"`
	Guide []byte `yaml:"-" json:"-"`
}

// FieldSpec is one field of a connection's form.
type FieldSpec struct {
	Name    string `yaml:"name" json:"name"`
	Label   string `yaml:"label" json:"label"`
	Help    string `yaml:"help" json:"help"`
	Default string `yaml:"default,omitempty" json:"default,omitempty"`
	Example string `yaml:"example,omitempty" json:"example,omitempty"`
	// Required: "" (optional), "source", "destination" or "always".
	Required string `yaml:"required,omitempty" json:"required,omitempty"`
	// Choices, when not empty, lists the only values allowed.
	Choices []string `yaml:"choices,omitempty" json:"choices,omitempty"`
	// Advanced fields are folded away in the form.
	Advanced bool `yaml:"advanced,omitempty" json:"advanced,omitempty"`
}

// EventSpec is one raw event type.
type EventSpec struct {
	Type string `yaml:"type" json:"type"`
	Help string `yaml:"help" json:"help"`
}

// Link is a page of the vendor's.
type Link struct {
	Title string `yaml:"title" json:"title"`
	URL   string `yaml:"url" json:"url"`
}
