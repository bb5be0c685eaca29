package genericwebhook

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// xmlDepth is how deep a wanted element may stand; mapping takes no more.
const xmlDepth = 60

// scanXML looks for the wanted elements by their local names, from the root on,
// and gives the root's name: it is the type of a message that names none. The
// whole body is read, so that one that is cut off is known for it.
func scanXML(body []byte, wants []want) (root string, err error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var path []string
	var text strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && root != "" {
			return root, nil
		}
		if err != nil {
			return root, errors.New("it is empty, cut off or not XML")
		}
		switch token := token.(type) {
		case xml.StartElement:
			if len(path) == 0 && root != "" {
				return root, errors.New("there is something after the end of the XML")
			}
			if path = append(path, token.Name.Local); len(path) > xmlDepth {
				return root, errors.New("it is nested too deeply")
			}
			root = path[0]
			text.Reset()
		case xml.CharData:
			text.Write(token)
		case xml.EndElement:
			for i := range wants {
				if w := &wants[i]; !w.found && slices.Equal(w.path, path) {
					w.value, w.found = strings.TrimSpace(text.String()), true
				}
			}
			path = path[:len(path)-1]
			text.Reset()
		}
	}
}
