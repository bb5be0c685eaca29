package apply

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Names of the store's notes about what was applied last.
const (
	notePlan       = "applied plan"
	noteRules      = "applied rules "
	noteConnection = SealedNotes
)

// SealedNotes begins the names of notes that are sealed for their name.
const SealedNotes = "applied connection "

// past is what was applied last.
type past struct {
	plan        *string
	rules       map[string]string
	connections map[string]*meaning
}

// past reads the notes.
func (a *Applier) past(ctx context.Context) (*past, error) {
	p := &past{rules: map[string]string{}, connections: map[string]*meaning{}}
	notes, err := a.Store.Notes(ctx, "applied ")
	if err != nil {
		return nil, err
	}
	for name, text := range notes {
		if id, ok := strings.CutPrefix(name, noteRules); ok {
			p.rules[id] = text
		}
		if id, ok := strings.CutPrefix(name, noteConnection); ok {
			if p.connections[id], err = a.openNote(name, text); err != nil {
				return nil, err
			}
		}
		if name == notePlan {
			p.plan = &text
		}
	}
	return p, nil
}

// sealed is the form in which a connection's meaning is remembered. It holds
// credentials, so that one changed in the environment is told from one changed
// in the pages, and is encrypted as the connection's own are.
type sealed struct {
	Connector string
	Settings  map[string]string
	Secrets   map[string][]string
	Push      connectors.PushConfig
}

func (a *Applier) sealNote(name string, m *meaning) (string, error) {
	s := sealed{Connector: m.connector, Settings: m.settings, Secrets: map[string][]string{}, Push: m.push}
	for field, values := range m.secrets {
		for _, v := range values {
			s.Secrets[field] = append(s.Secrets[field], v.Reveal())
		}
	}
	plain, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("apply: %s: %w", name, err)
	}
	box, err := a.Vault.Seal(plain, name)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(box), nil
}

// openNote reads what sealNote wrote.
func (a *Applier) openNote(name, text string) (*meaning, error) {
	box, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("apply: %s: %w", name, err)
	}
	plain, err := a.Vault.Open(box, name)
	if err != nil {
		return nil, fmt.Errorf("apply: %s: %w", name, err)
	}
	var s sealed
	if err := json.Unmarshal(plain, &s); err != nil {
		return nil, fmt.Errorf("apply: %s: %w", name, err)
	}
	m := &meaning{connector: s.Connector, settings: s.Settings, secrets: map[string][]secret.Text{}, push: s.Push}
	for field, values := range s.Secrets {
		for _, v := range values {
			m.secrets[field] = append(m.secrets[field], secret.New(v))
		}
	}
	return m, nil
}
