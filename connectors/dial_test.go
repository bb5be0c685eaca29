package connectors

import (
	"net/http"
	"net/netip"
	"testing"
	"time"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true, "64:ff9b::808:808": true, "2002:808:808::1": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false,
		"10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false,
		"100.64.0.1": false, "100.100.100.200": false, "168.63.129.16": false,
		"0.0.0.0": false, "0.1.2.3": false, "::": false,
		"224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "250.1.1.1": false,
		"fd00:ec2::254": false, "fc00::1": false, "fec0::1": false,
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false,
		"64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "2002:7f00:1::": false, "2002:a00:1::": false,
		"192.0.2.1": false, "198.51.100.1": false, "203.0.113.1": false, "2001:db8::1": false,
		"2001:0:1::1": false, "198.18.0.1": false, "192.0.0.170": false,
	} {
		if got := Public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("Public(%s) = %t", addr, got)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("the zero address is public")
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "-5": 0, "12": 12 * time.Second, " 3 ": 3 * time.Second, "1.5": 1500 * time.Millisecond,
		"86400": 24 * time.Hour, "999999999999999999999": 24 * time.Hour, "NaN": 0, "Inf": 24 * time.Hour, "-Inf": 0, "x": 0,
		clock.Add(time.Minute).Format(http.TimeFormat):          time.Minute,
		clock.Add(-time.Minute).Format(http.TimeFormat):         0,
		clock.Add(400 * 24 * time.Hour).Format(http.TimeFormat): 24 * time.Hour,
		clock.Add(time.Minute).Format(time.RFC850):              time.Minute,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {value}}, clock); got != want {
			t.Errorf("RetryAfter(%q) = %v, want %v", value, got, want)
		}
	}
}
