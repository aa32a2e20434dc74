package explain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
)

// asked is the answer to "best ROUTER PREFIX" at an instant.
func asked(t *testing.T, scenario, router, prefix string, at time.Duration, sets ...string) *report.Explain {
	t.Helper()
	a := mustRun(t, explain.Ask{Load: builtin(t, scenario), Seed: 1, Sets: sets, At: &at})
	if err := a.Best(router, prefix); err != nil {
		t.Fatal(err)
	}
	return a.Doc.Explain
}

// Where there is no best path, the answer says why: there is none to anything, or
// none of those that there are is a candidate.
func TestWhyThereIsNoBestPath(t *testing.T) {
	for _, c := range []struct {
		scenario, router, prefix string
		at                       time.Duration
		want                     string
	}{
		{"clique", "r2", "10.0.0.0/24", 120 * time.Second, "r2 has no route to 10.0.0.0/24 at 120 s: none of its 3 paths is a candidate: own AS in AS_PATH (RFC 4271 §9.1.2)."},
		{"clique", "r2", "10.0.0.0/24", 500 * time.Second, "r2 knows no path to 10.0.0.0/24 at 500 s. It knows no path to anything."},
		{"clique", "r2", "10.1.0.0/24", 90 * time.Second, "r2 knows no path to 10.1.0.0/24 at 90 s. It knows 10.0.0.0/24."},
		{"flap-damping", "near", "10.2.0.0/16", 300 * time.Second, "near has no route to 10.2.0.0/16 at 300 s: the only path is no candidate: suppressed, it has flapped (RFC 2439 §4.2)."},
	} {
		if got := strings.Join(asked(t, c.scenario, c.router, c.prefix, c.at).Answer, " "); got != c.want {
			t.Errorf("%s at %v\n got %s\nwant %s", c.scenario, c.at, got, c.want)
		}
	}
}

// A static route names a link, not an address: its next hop is the other end.
func TestNextHopOfAStaticRoute(t *testing.T) {
	for _, row := range asked(t, "aws-gcp-static", "gcp", "10.2.0.0/16", 50*time.Second).Routes {
		if want := map[string]string{"tun1": "169.254.26.157", "tun2": "169.254.26.133"}[row.Link]; row.NextHop != want {
			t.Errorf("next hop %q over %s, want %q", row.NextHop, row.Link, want)
		}
	}
}

// RFC 4724 §4.2: a route of a peer that restarts is kept "and … marked as stale", for
// the Restart Time that the peer has asked for; RFC 9494 §4.2: then for its Long-Lived
// Stale Time. A stale route is called one, and goes at the moment that is named.
func TestStaleRoutesAreCalledStale(t *testing.T) {
	sets := []string{"for=5000s", "story[0].at=90s", "story[0].for=4800s"}
	for _, c := range []struct {
		more  string // setting
		at    time.Duration
		long  bool
		until time.Duration
		by    string
	}{
		{"", 100 * time.Second, false, 3810 * time.Second, "routers.provider.bgp.long_lived_time"},
		{"", 1800 * time.Second, true, 3810 * time.Second, "routers.provider.bgp.long_lived_time"},
		{"routers.branch.bgp.long_lived=off", 100 * time.Second, false, 210 * time.Second, "routers.provider.bgp.restart_time"},
	} {
		with := sets
		if c.more != "" {
			with = append([]string{c.more}, sets...)
		}
		x := asked(t, "llgr", "branch", "10.1.0.0/16", c.at, with...)
		s := x.Routes[0].Stale
		if s == nil || !s.Here || s.LongLived != c.long || s.KeptUntilS == nil || s.Parameter != c.by {
			t.Fatalf("%q at %v: %+v", c.more, c.at, s)
		}
		until := time.Duration(*s.KeptUntilS)
		if off := until - c.until; off < 0 || off > 100*time.Millisecond { // for the reset to arrive
			t.Errorf("%q: kept until %v, want %v", c.more, until, c.until)
		}
		if want := fmt.Sprintf("kept until %s s", s.KeptUntilS.Fixed(3)); !strings.HasSuffix(x.Routes[0].Verdict, want) || !strings.Contains(x.Answer[1], c.by) {
			t.Errorf("%q: %q, %q", c.more, x.Routes[0].Verdict, x.Answer)
		}
		if x := asked(t, "llgr", "branch", "10.1.0.0/16", until-time.Millisecond, with...); len(x.Routes) != 2 || x.Routes[0].Stale == nil {
			t.Errorf("%q: gone before %v", c.more, until)
		}
		if x := asked(t, "llgr", "branch", "10.1.0.0/16", until+100*time.Millisecond, with...); len(x.Routes) != 0 {
			t.Errorf("%q: still there after %v: %+v", c.more, until, x.Routes)
		}
	}
	// What nobody keeps is not stale, and the rule that asks is in the list.
	x := asked(t, "llgr", "branch", "10.1.0.0/16", 80*time.Second)
	if x.Routes[0].Stale != nil || x.Rules[0] != "1. not long-lived stale — RFC 9494 §4.3" {
		t.Errorf("%+v, rules %q", x.Routes[0], x.Rules[0])
	}
}
