package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestIngestPromisedBody: many senders that promise a large body and hang up
// get no memory for the promise, and nothing of what they sent is kept.
func TestIngestPromisedBody(t *testing.T) {
	d := newDoor(t, storetest.SQLite(t), nil)
	const senders, promise = 50, 7 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range senders {
		c, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(c, "POST /hooks/app HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n{\"cut\":", promise); err != nil {
			t.Fatal(err)
		}
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if words, _ := io.ReadAll(res.Body); res.StatusCode/100 != 4 {
			t.Errorf("%s %s", res.Status, words)
		}
		c.Close()
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > senders*promise/4 {
		t.Errorf("%d MB were set aside", used>>20)
	}
	if rows := d.inbox(); len(rows) != 0 {
		t.Errorf("%d rows are kept", len(rows))
	}
}
