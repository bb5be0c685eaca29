package apply

import "testing"

func TestQuoted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"hubspot-eu": "hubspot-eu", "sb_stage": "sb_stage", "": `""`, "true": `"true"`, "51": `"51"`, "1e3": `"1e3"`, "-a": `"-a"`,
		"a: b": `"a: b"`, "a #b": `"a #b"`, "${A}": `"${A}"`, "<&>": `"<&>"`, "a\nb": `"a\nb"`, "é": `"é"`,
	} {
		if got := quoted(text); got != want {
			t.Errorf("quoted(%q) = %s, want %s", text, got, want)
		}
	}
}
