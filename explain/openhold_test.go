package explain_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
)

const hangs = `vpnsim: v1
name: The only peer hangs for a while
for: 300s
routers:
  a: {profile: rfc4271, asn: 65001, networks: [10.1.0.0/16], bgp: {hold: 30s, open_hold: 20s, idle_hold: 1s}}
  b: {profile: rfc4271, asn: 65002, networks: [10.2.0.0/16], bgp: {hold: 30s, idle_hold: 1s}}
hosts:
  pc: {on: a, ip: 10.1.0.2}
  web: {on: b, ip: 10.2.0.2}
tunnels:
  tun1:
    a: {outside: 192.0.2.1, inside: 169.254.1.1/30}
    b: {outside: 198.51.100.1, inside: 169.254.1.2/30}
    rtt: 5ms
probe: {ping: pc -> web, every: 1s}
story:
  - {at: 61s, freeze: b, for: "uniform(42s, 56s)"}
`

// The kernel of a router that hangs takes the call, and nobody answers the OPEN: the caller
// waits for its hold timer of OpenSent, which is no hold time that was negotiated. RFC 4271
// §8.2.2 suggests 4 minutes; bgpd has the configured one run (bgp_timer_set in bgp_fsm.c).
func TestAPeerThatDoesNotAnswerAnOPEN(t *testing.T) {
	for _, c := range []struct {
		sets      []string
		parameter string
		least     time.Duration
		most      time.Duration
	}{
		{nil, "routers.a.bgp.open_hold", 20 * time.Second, 20 * time.Second},
		{[]string{"routers.a.bgp.open_hold=0s"}, "routers.a.bgp.hold", 30 * time.Second, 30 * time.Second},
		{[]string{"routers.a.bgp.hold_jitter=0.75"}, "routers.a.bgp.open_hold", 15 * time.Second, 20*time.Second - 1},
	} {
		found := 0
		for seed := range uint64(60) {
			a := mustRun(t, explain.Ask{Load: loaderOf(hangs), Sets: c.sets, Seed: seed})
			for i := range a.Doc.Gaps {
				for _, w := range a.Doc.Gaps[i].Chain {
					if !strings.HasPrefix(w.What, "for the peer's OPEN") {
						continue
					}
					found++
					took := w.EndS - w.StartS
					if w.Parameter != c.parameter || took < report.Seconds(c.least) || took > report.Seconds(c.most) || (w.Drawn != nil) != (c.least < c.most) {
						t.Errorf("%v, seed %d: %+v", c.sets, seed, w)
					}
				}
			}
		}
		if found == 0 {
			t.Errorf("%v: nobody waits for an OPEN", c.sets)
		}
	}
}
