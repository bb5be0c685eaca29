package lifecycle_test

import (
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

func ExampleGuards_Partition() {
	key := func(namespace, value string) lifecycle.Key {
		k, _ := lifecycle.NormaliseKey(namespace, value)
		return k
	}
	ann, bob, tablet := key("email", "Ann@Example.com"), key("email", "bob@example.com"), key("anonymous", "tablet")
	people := lifecycle.DefaultGuards().Partition([]lifecycle.Edge{
		{At: 1, ID: lifecycle.EventID{1}, Keys: []lifecycle.Key{ann, tablet}},
		{At: 2, ID: lifecycle.EventID{2}, Keys: []lifecycle.Key{ann, key("hubspot-eu", "51")}},
		{At: 3, ID: lifecycle.EventID{3}, Keys: []lifecycle.Key{bob, tablet}},
	})
	for _, keys := range people.Groups {
		fmt.Println(keys)
	}
	for _, r := range people.Refused {
		fmt.Println(r.Key, "not with", r.With, "because", r.Reason)
	}
	// Output:
	// [email:ann@example.com hubspot-eu:51 anonymous:tablet]
	// [email:bob@example.com]
	// anonymous:tablet not with email:bob@example.com because shared_device
}
