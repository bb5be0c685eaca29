package salesforcemarketingcloud

import (
	"context"
	"net/http"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxSearch is how many addresses one search names.
const maxSearch = 50

// keysOf finds the contact keys of addresses, in lower case; several contacts may
// have one address. The call and its answer are from
// general knowledge of the API (Contacts, "search contacts by email"); the
// setting find_contacts does without it. Whether the count asked for is that of
// one address or of all is not known, so it is enough for both.
func (c *Connector) keysOf(ctx context.Context, emails []string) (keys, error) {
	found := keys{}
	for len(emails) > 0 {
		n := min(maxSearch, len(emails))
		var answer struct {
			Entities []struct {
				Address string `json:"channelAddress"`
				Details []struct {
					Key string `json:"contactKey"`
				} `json:"contactKeyDetails"`
			} `json:"channelAddressResponseEntities"`
		}
		in := map[string]any{"channelAddressList": emails[:n], "maximumCount": maxSearch}
		if err := c.api.call(ctx, "find contacts", http.MethodPost, "/contacts/v1/addresses/email/search", in, &answer); err != nil {
			return nil, err
		}
		for _, e := range answer.Entities {
			for _, contact := range e.Details {
				if address := strings.ToLower(e.Address); contact.Key != "" {
					found[address] = append(found[address], contact.Key)
				}
			}
		}
		emails = emails[n:]
	}
	return found, nil
}

// keys are contact keys by address.
type keys map[string][]string

// first gives the key to write to: of several contacts with one address the
// first named.
func (k keys) first(email string) string {
	if all := k[normalEmail(email)]; len(all) > 0 {
		return all[0]
	}
	return ""
}

// ownKey is the key that a contact made for this person would get.
func (c *Connector) ownKey(u *connectors.Update) string {
	if c.contactKey == keyIsEmail {
		return normalEmail(u.Email)
	}
	for _, k := range u.Keys {
		if k.Namespace == "user" {
			return k.Value
		}
	}
	return ""
}

func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
