package network_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/trace"
)

// Cisco IOS, "BGP Support for Next-Hop Address Tracking": the feature "is enabled by
// default", and "next-hop changes are rapidly reported to the BGP routing process". It waits
// 5 s for more of them (bgp nexthop trigger delay, the profile's value), and then goes by
// how things stand: what has come back by then was never gone.
func TestNextHopTrackingWaitsFiveSeconds(t *testing.T) {
	for _, c := range []struct {
		down string // for how long
		sets []string
		want string // changes of near's route to 10.2.0.0/16 from 100 s on, and over which link it goes then
	}{
		{"60s", nil, "5s two, 1m5s one"},
		{"4.9s", nil, ""},
		{"60s", []string{"routers.near.bgp.nexthop_delay=0s"}, "0s two, 1m0s one"},
		{"60s", []string{"routers.near.bgp.nexthop_delay=1500ms"}, "1.5s two, 1m1.5s one"},
		{"60s", []string{"routers.near.bgp.nexthop_tracking=false"}, ""}, // its hold time is 180 s
	} {
		x := tellOn(t, 1, `
vpnsim: v1
for: 200s
routers:
  near: {profile: cisco-ios, asn: 65001, networks: [10.1.0.0/16], bgp: {fast_fallover: false}}
  far:  {profile: cisco-ios, asn: 65002, networks: [10.2.0.0/16], bgp: {fast_fallover: false, nexthop_tracking: false}}
links:
  one: {near: {inside: 192.0.2.1/30, import: {local_pref: 200}}, far: {inside: 192.0.2.2/30}, rtt: 10ms}
  two: {near: {inside: 192.0.2.5/30}, far: {inside: 192.0.2.6/30}, rtt: 10ms}
story:
  - {at: 100s, down: one, for: `+c.down+`}
`, c.sets...)
		var got []string
		for _, n := range x.log.Notes {
			at := time.Duration(n.At) - 100*time.Second
			if n.Kind == trace.NoteRoute && x.d.Routers[n.Router].Name == "near" && at >= 0 && n.Prefix.String() == "10.2.0.0/16" {
				link := "none"
				if best := n.Route.Best; best != nil {
					link = x.d.Links[x.n.LinkOf(int(n.Router), best.Peer)].Name
				}
				got = append(got, fmt.Sprint(at, " ", link))
			}
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("down for %s, %q: %q, not %q", c.down, c.sets, s, c.want)
		}
	}
}
