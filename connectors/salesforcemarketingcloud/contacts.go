package salesforcemarketingcloud

import (
	"context"
	"net/http"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxSearch is how many addresses one search names.
const maxSearch = 50

// keysOf finds the contact keys of addresses, in lower case. Of several contacts
// with one address the first named is taken. The call and its answer are from
// general knowledge of the API (Contacts, "search contacts by email"); the
// setting find_contacts does without it. Whether the count asked for is that of
// one address or of all is not known, so it is enough for both.
func (c *Connector) keysOf(ctx context.Context, emails []string) (map[string]string, error) {
	found := map[string]string{}
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
			if len(e.Details) > 0 && e.Details[0].Key != "" {
				found[strings.ToLower(e.Address)] = e.Details[0].Key
			}
		}
		emails = emails[n:]
	}
	return found, nil
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
