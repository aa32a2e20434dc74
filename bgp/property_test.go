package bgp_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vpnsim/vpnsim/bgp"
)

// Properties that hold for all inputs. The values are drawn from small ranges,
// so that ties, the interesting case, are frequent.

func drawAttrs(t *rapid.T, neighbour uint32) *bgp.Attrs {
	a := &bgp.Attrs{
		Origin:  bgp.Origin(rapid.IntRange(0, 2).Draw(t, "origin") / 2), // mostly IGP
		NextHop: netip.AddrFrom4([4]byte{203, 0, 113, byte(rapid.IntRange(1, 3).Draw(t, "next hop"))}),
		ASPath:  bgp.ASPath{{ASNs: []uint32{neighbour}}},
	}
	for range rapid.IntRange(0, 1).Draw(t, "hops") {
		a.ASPath[0].ASNs = append(a.ASPath[0].ASNs, rapid.Uint32Range(90, 91).Draw(t, "hop"))
	}
	if rapid.IntRange(0, 3).Draw(t, "set?") == 0 {
		a.ASPath = append(a.ASPath, bgp.Segment{Set: true, ASNs: []uint32{80, 81}})
	}
	if rapid.Bool().Draw(t, "med?") {
		a.MED, a.HasMED = rapid.Uint32Range(0, 2).Draw(t, "med"), true
	}
	if rapid.IntRange(0, 3).Draw(t, "pref?") == 0 {
		a.LocalPref, a.HasLocalPref = rapid.SampledFrom([]uint32{90, 100, 110}).Draw(t, "pref"), true
	}
	return a
}

// drawMRAI draws a way to space UPDATEs; half of the peers have none.
func drawMRAI(t *rapid.T) bgp.MRAI {
	if rapid.Bool().Draw(t, "no mrai") {
		return bgp.MRAI{}
	}
	return bgp.MRAI{
		Mode:             rapid.SampledFrom([]bgp.MRAIMode{bgp.MRAINone, bgp.MRAISinceLastUpdate, bgp.MRAISinceLastUpdate, bgp.MRAITick, bgp.MRAIOutDelay}).Draw(t, "mode"),
		Withdrawals:      rapid.SampledFrom([]bgp.Withdrawals{bgp.WithdrawalsExempt, bgp.WithdrawalsGated, bgp.WithdrawalsFlush}).Draw(t, "withdrawals"),
		PerPrefix:        rapid.Bool().Draw(t, "by prefix"),
		QuietWithdrawals: rapid.Bool().Draw(t, "quiet withdrawals"),
		NewAtOnce:        rapid.Bool().Draw(t, "new at once"),
		Interval:         time.Duration(rapid.IntRange(0, 3).Draw(t, "interval")) * time.Second,
		Granularity:      time.Duration(rapid.IntRange(0, 1).Draw(t, "granularity")) * time.Second,
		First:            time.Duration(rapid.IntRange(0, 1).Draw(t, "first")) * 1500 * time.Millisecond,
	}
}

func drawRuleset(t *rapid.T, names ...string) (string, bgp.Ruleset) {
	name := rapid.SampledFrom(names).Draw(t, "ruleset")
	rs, _ := bgp.RulesetFor(name)
	return name, rs
}

// orderFree are the rulesets whose outcome may not depend on the past.
var orderFree = []string{"rfc4271", "bird", "gcp-legacy", "azure"}

func TestCompareIsATotalOrderWithinANeighbouringAS(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name, rs := drawRuleset(t, bgp.RulesetNames()...)
		var ps [3]*bgp.Path
		for i := range ps {
			// Equal identifiers happen; equal addresses of two peers do not.
			ps[i] = &bgp.Path{Source: &bgp.Source{Peer: bgp.PeerID(i), External: rapid.Bool().Draw(t, "external"),
				PeerBGPID: bgp.BGPIDOf(netip.AddrFrom4([4]byte{9, 9, 9, byte(rapid.IntRange(1, 2).Draw(t, "id"))})),
				PeerAddr:  netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), Rank: int32(i),
				IGPMetric: rapid.Uint32Range(0, 1).Draw(t, "metric"), Weight: rapid.Uint32Range(0, 1).Draw(t, "weight")},
				Attrs: drawAttrs(t, 1), Age: uint64(rapid.IntRange(0, 2).Draw(t, "age"))*3 + uint64(i)}
		}
		less := func(i, j int) bool {
			c, rule := rs.Compare(ps[i], ps[j])
			back, same := rs.Compare(ps[j], ps[i])
			if c == 0 || (c < 0) == (back < 0) || rule != same {
				t.Fatalf("%s: Compare(%d, %d) = %d by %v, the other way round %d by %v", name, i, j, c, rule, back, same)
			}
			return c < 0
		}
		for _, o := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			if less(o[0], o[1]) && less(o[1], o[2]) && !less(o[0], o[2]) {
				t.Fatalf("%s: %d beats %d beats %d, but not the first the last", name, o[0], o[1], o[2])
			}
		}
	})
}

func routeText(r *bgp.Route) string {
	if r == nil {
		return "none"
	}
	s := fmt.Sprint("best ", r.Best.Peer, " ", attrsText(r.Best.Attrs), " by ", r.Rule, " of ", r.Candidates)
	if r.Versus != nil {
		s += fmt.Sprint(" over ", r.Versus.Peer)
	}
	for _, u := range r.Used {
		s += fmt.Sprint(" use ", u.Peer)
	}
	return s
}

func TestDecisionDoesNotDependOnTheOrderOfArrival(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name, rs := drawRuleset(t, orderFree...)
		n := rapid.IntRange(1, 6).Draw(t, "paths")
		cfg := speakerOf(name)
		cfg.Rules, cfg.Multipath = rs, rapid.IntRange(0, 3).Draw(t, "multipath")
		attrs := make([]*bgp.Attrs, n)
		order := make([]int, n)
		for i := range n {
			as := rapid.SampledFrom([]uint32{1, 2, 65000}).Draw(t, "as")
			c := speakerOf(name, as).Peers[0]
			c.Addr = netip.AddrFrom4([4]byte{10, 0, byte(n - i), 2})
			cfg.Peers = append(cfg.Peers, c)
			attrs[i], order[i] = drawAttrs(t, uint32(1+i%2)), i
		}
		ids := rapid.Permutation([]byte{1, 2, 3, 4, 5, 6}).Draw(t, "ids")
		run := func(order []int) string {
			s := bgp.NewSpeaker(cfg)
			for i := range n {
				s.Step(nil, bgp.PeerID(i), bgp.Input{Kind: bgp.InPeerUp, Open: &bgp.Open{ID: netip.AddrFrom4([4]byte{9, 9, 9, ids[i]})}})
			}
			for _, i := range order {
				s.Step(nil, bgp.PeerID(i), updateInput(&bgp.Update{Attrs: attrs[i], NLRI: prefixList(tenSlash8)}))
			}
			// The ranking names each path once, the best first.
			best, paths := s.Route(prefixList(tenSlash8)[0]), s.Paths(prefixList(tenSlash8)[0])
			if len(paths) != n || paths[0].Peer != best.Best.Peer || n > 1 && paths[1].Peer != best.Versus.Peer {
				t.Fatalf("route %s, ranking %v", routeText(best), paths)
			}
			if want := bestOfGroups(rs, paths); want != best.Best.Peer {
				t.Fatalf("route %s, but by groups best is %d", routeText(best), want)
			}
			return routeText(best)
		}
		want := run(order)
		if got := run(rapid.Permutation(order).Draw(t, "order")); got != want {
			t.Fatalf("%s: %s\nor, in another order, %s", name, want, got)
		}
	})
}

// bestOfGroups finds the best path the way "deterministic MED" is usually
// built: the best path of each neighbouring AS first, then the best of those.
// Within an AS and among ASes alike, duels are a total order.
func bestOfGroups(rs bgp.Ruleset, paths []bgp.Path) bgp.PeerID {
	groups := map[uint32]*bgp.Path{}
	for i, p := range paths {
		as := p.Attrs.ASPath.Neighbour()
		if g := groups[as]; g == nil {
			groups[as] = &paths[i]
		} else if c, _ := rs.Compare(&p, g); c < 0 {
			groups[as] = &paths[i]
		}
	}
	var best *bgp.Path
	for _, g := range groups {
		if best == nil {
			best = g
		} else if c, _ := rs.Compare(g, best); c < 0 {
			best = g
		}
	}
	return best.Peer
}

// shadow is what the far end of each session has been told, built from the
// messages alone.
type shadow map[bgp.PeerID]map[netip.Prefix]*bgp.Attrs

func (sh shadow) hear(t *rapid.T, acts []bgp.Action) {
	for _, a := range acts {
		if a.Kind != bgp.ActSend {
			continue
		}
		known := sh[a.Peer]
		if known == nil {
			t.Fatalf("a message to %d, which is down", a.Peer)
		}
		for _, p := range a.Msg.Update.Withdrawn {
			if known[p] == nil {
				t.Fatalf("%v is withdrawn from %d, which does not know it", p, a.Peer)
			}
			delete(known, p)
		}
		for _, p := range a.Msg.Update.NLRI {
			if known[p].Equal(a.Msg.Update.Attrs) {
				t.Fatalf("%v is announced to %d again as it was", p, a.Peer)
			}
			known[p] = a.Msg.Update.Attrs
		}
	}
}

// A speaker that lived through ups, downs, announcements and withdrawals ends
// as one that was only told how things stand. All the time what it believes
// its peers to know is what its messages told them.
func TestStateIsWhatARecomputationGives(t *testing.T) {
	prefixes := prefixList("10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24")
	rapid.Check(t, func(t *rapid.T) {
		name, _ := drawRuleset(t, orderFree...)
		cfg := speakerOf(name, 1, 2, 65000, 65000)
		cfg.Multipath = rapid.IntRange(0, 3).Draw(t, "multipath")
		cfg.Together = rapid.Bool().Draw(t, "together")
		for i := range cfg.Peers {
			p := cfg.Peers[i]
			p.NoEcho, p.SenderSideLoop = rapid.Bool().Draw(t, "no echo"), rapid.Bool().Draw(t, "sender side")
			p.MRAI = drawMRAI(t)
			if rapid.IntRange(0, 3).Draw(t, "policy") == 0 {
				p.Import = bgp.Policy{{Prefixes: []bgp.PrefixMatch{{Prefix: prefixes[0]}}, Reject: true}, {SetLocalPref: true, LocalPref: 110}}
				p.Export = bgp.Policy{{PathHas: 91, Reject: true}, {Prepend: 1, SetMED: true, MED: 4}}
			}
		}
		s := bgp.NewSpeaker(cfg)
		says := make([]map[netip.Prefix]*bgp.Attrs, len(cfg.Peers)) // nil: down
		own := map[netip.Prefix]bool{}
		told := shadow{}
		armed := make([]*time.Duration, len(cfg.Peers)) // when the timer runs out; nil: it does not run
		var decision *time.Duration
		now := time.Duration(0)
		step := func(peer bgp.PeerID, in bgp.Input) {
			in.Now = now
			acts := s.Step(nil, peer, in)
			told.hear(t, acts)
			for _, a := range acts {
				switch a.Kind {
				case bgp.ActRouteTime:
					due := now + a.After
					if a.After < 0 {
						t.Fatalf("the timer of %d is set %v back", a.Peer, -a.After)
					}
					if old := armed[a.Peer]; old != nil && *old <= due {
						t.Fatalf("the timer of %d is set from %v to %v while it runs", a.Peer, *old, due)
					}
					armed[a.Peer] = &due
				case bgp.ActDecide:
					if decision != nil || !cfg.Together {
						t.Fatal("a decision is asked for again")
					}
					due := now + 50*time.Millisecond
					decision = &due
				case bgp.ActNoRouteTime:
					if armed[a.Peer] == nil {
						t.Fatalf("the timer of %d is stopped, but it does not run", a.Peer)
					}
					armed[a.Peer] = nil
				}
			}
			for p := range says {
				if s.Waiting(bgp.PeerID(p)) > 0 && armed[p] == nil {
					t.Fatalf("%d changes for %d wait for no timer", s.Waiting(bgp.PeerID(p)), p)
				}
			}
		}
		up := func(p bgp.PeerID) bgp.Input {
			return bgp.Input{Kind: bgp.InPeerUp, Open: &bgp.Open{ID: netip.AddrFrom4([4]byte{9, 9, 9, byte(4 - p)})}}
		}
		// wait lets time pass, and what is due happens when it is due.
		wait := func(d time.Duration) {
			for end := now + d; ; {
				first := bgp.Local // the decision
				due := decision
				for p, at := range armed {
					if at != nil && (due == nil || *at < *due) {
						first, due = bgp.PeerID(p), at
					}
				}
				if due == nil || *due > end {
					now = end
					return
				}
				now = *due
				if first == bgp.Local {
					decision = nil
					step(bgp.Local, bgp.Input{Kind: bgp.InDecide})
				} else {
					armed[first] = nil
					step(first, bgp.Input{Kind: bgp.InRouteTime})
				}
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			p := bgp.PeerID(rapid.IntRange(0, len(cfg.Peers)-1).Draw(t, "peer"))
			x := rapid.SampledFrom(prefixes).Draw(t, "prefix")
			switch what := rapid.IntRange(0, 12).Draw(t, "what"); {
			case what >= 9:
				wait(time.Duration(rapid.IntRange(0, 30).Draw(t, "wait")) * 100 * time.Millisecond)
			case what == 0 && says[p] != nil:
				says[p] = nil
				delete(told, p)
				step(p, bgp.Input{Kind: bgp.InPeerDown})
			case what <= 1 && says[p] == nil || says[p] == nil && what > 2:
				says[p], told[p] = map[netip.Prefix]*bgp.Attrs{}, map[netip.Prefix]*bgp.Attrs{}
				step(p, up(p))
			case what == 2:
				own[x] = !own[x]
				kind := bgp.InOriginate
				if !own[x] {
					kind = bgp.InWithdraw
				}
				step(bgp.Local, bgp.Input{Kind: kind, Prefix: x})
			case what <= 5 && says[p] != nil:
				delete(says[p], x)
				step(p, updateInput(&bgp.Update{Withdrawn: []netip.Prefix{x}}))
			case says[p] != nil:
				a := drawAttrs(t, max(1, cfg.Peers[p].AS%65000))
				some := rapid.SliceOfNDistinct(rapid.SampledFrom(prefixes), 1, 3, rapid.ID[netip.Prefix]).Draw(t, "nlri")
				for _, x := range some {
					says[p][x] = a
				}
				step(p, updateInput(&bgp.Update{Attrs: a, NLRI: some}))
			}
			for p, known := range told {
				for _, x := range prefixes {
					if !s.Advertised(p, x).Equal(known[x]) {
						t.Fatalf("it believes that %d knows %s of %v, but it was told %s", p, attrsText(s.Advertised(p, x)), x, attrsText(known[x]))
					}
				}
			}
		}
		for range 2 { // what waits for a decision and then for a timer goes out
			wait(10 * time.Second)
		}
		for p := range cfg.Peers {
			if n := s.Waiting(bgp.PeerID(p)); n != 0 {
				t.Fatalf("%d changes for %d wait for ever", n, p)
			}
		}

		s.EachUndecided(func(x netip.Prefix) { t.Fatalf("%v waits for ever for a decision", x) })

		atOnce := cfg // it need not wait for what s has waited for
		atOnce.Together = false
		for _, p := range atOnce.Peers {
			p.MRAI = bgp.MRAI{}
		}
		fresh := bgp.NewSpeaker(atOnce)
		for p := len(cfg.Peers) - 1; p >= 0; p-- {
			if says[p] == nil {
				continue
			}
			for _, x := range prefixes {
				if a := says[p][x]; a != nil {
					fresh.Step(nil, bgp.PeerID(p), up(bgp.PeerID(p)))
					break
				}
			}
		}
		for p := range says {
			for _, x := range prefixes {
				if a := says[p][x]; a != nil {
					fresh.Step(nil, bgp.PeerID(p), updateInput(&bgp.Update{Attrs: a, NLRI: []netip.Prefix{x}}))
				}
			}
		}
		for _, x := range prefixes {
			if own[x] {
				fresh.Step(nil, bgp.Local, bgp.Input{Kind: bgp.InOriginate, Prefix: x})
			}
		}
		for p := range says { // sessions that carry nothing inwards come up last
			if says[p] != nil && len(says[p]) == 0 {
				fresh.Step(nil, bgp.PeerID(p), up(bgp.PeerID(p)))
			}
		}
		if !slices.Equal(s.Prefixes(), fresh.Prefixes()) {
			t.Fatalf("prefixes %v, recomputed %v", s.Prefixes(), fresh.Prefixes())
		}
		for _, x := range prefixes {
			if got, want := routeText(s.Route(x)), routeText(fresh.Route(x)); got != want {
				t.Fatalf("%s, %v: %s\nrecomputed: %s", name, x, got, want)
			}
			for p := range cfg.Peers {
				if got, want := s.Advertised(bgp.PeerID(p), x), fresh.Advertised(bgp.PeerID(p), x); !got.Equal(want) {
					t.Fatalf("%s, %v to %d: %s\nrecomputed: %s", name, x, p, attrsText(got), attrsText(want))
				}
			}
		}
	})
}

// A mesh of routers, each in its own AS, with sessions that come and go. When
// the last message is delivered and no timer runs, what one end of a session
// believes to have told is what the other end has heard.
func TestMeshAgrees(t *testing.T) {
	const n = 4
	// Peer i of router r is router i for i < r, and router i+1 otherwise.
	peerOf := func(r, other int) bgp.PeerID {
		if other < r {
			return bgp.PeerID(other)
		}
		return bgp.PeerID(other - 1)
	}
	routerOf := func(r int, p bgp.PeerID) int {
		if int(p) < r {
			return int(p)
		}
		return int(p) + 1
	}
	addr := func(r, other int) netip.Addr {
		return netip.AddrFrom4([4]byte{10, byte(min(r, other)), byte(max(r, other)), byte(r)})
	}
	rapid.Check(t, func(t *rapid.T) {
		type mail struct {
			from, to int
			msg      *bgp.Message
		}
		var speakers [n]*bgp.Speaker
		var up [n][n]bool
		var armed [n][n]*time.Duration
		var decides [n]bool
		now := time.Duration(0)
		var post []mail
		prefixes := prefixList("10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24")
		for r := range n {
			_, rules := drawRuleset(t, "rfc4271", "frr", "gobgp", "bird", "cisco-ios")
			cfg := bgp.SpeakerConfig{AS: uint32(r + 1), ID: netip.AddrFrom4([4]byte{9, 9, 9, byte(r)}), Rules: rules,
				Together: rapid.Bool().Draw(t, "together")}
			for p := range bgp.PeerID(n - 1) {
				o := routerOf(r, p)
				c := &bgp.PeerConfig{AS: uint32(o + 1), Addr: addr(o, r), Local: addr(r, o), PeerGroup: &bgp.PeerGroup{
					NoEcho: rapid.Bool().Draw(t, "no echo"), SenderSideLoop: rapid.Bool().Draw(t, "sender side")}}
				c.MRAI = drawMRAI(t)
				if rapid.IntRange(0, 2).Draw(t, "prepend?") == 0 {
					c.Export = bgp.Policy{{Prepend: 1}}
				}
				cfg.Peers = append(cfg.Peers, c)
			}
			speakers[r] = bgp.NewSpeaker(cfg)
		}
		step := func(r int, p bgp.PeerID, in bgp.Input) {
			in.Now = now
			for _, a := range speakers[r].Step(nil, p, in) {
				o := 0
				if a.Peer != bgp.Local {
					o = routerOf(r, a.Peer)
				}
				switch a.Kind {
				case bgp.ActSend:
					post = append(post, mail{r, o, a.Msg})
				case bgp.ActRouteTime:
					due := now + a.After
					armed[r][o] = &due
				case bgp.ActNoRouteTime:
					armed[r][o] = nil
				case bgp.ActDecide:
					decides[r] = true
				}
			}
		}
		deliver := func() bool {
			if len(post) == 0 {
				return false
			}
			m := post[0]
			post = post[1:]
			step(m.to, peerOf(m.to, m.from), bgp.Input{Kind: bgp.InUpdate, Msg: m.msg})
			return true
		}
		link := func(a, b int) {
			kind := bgp.InPeerUp
			if up[a][b] {
				kind = bgp.InPeerDown
				post = slices.DeleteFunc(post, func(m mail) bool { return m.from == a && m.to == b || m.from == b && m.to == a })
			}
			up[a][b], up[b][a] = !up[a][b], !up[b][a]
			step(a, peerOf(a, b), bgp.Input{Kind: kind, Open: &bgp.Open{ID: netip.AddrFrom4([4]byte{9, 9, 9, byte(b)})}})
			step(b, peerOf(b, a), bgp.Input{Kind: kind, Open: &bgp.Open{ID: netip.AddrFrom4([4]byte{9, 9, 9, byte(a)})}})
		}
		decide := func() bool { // the first router that waits to
			r := slices.Index(decides[:], true)
			if r >= 0 {
				decides[r] = false
				step(r, bgp.Local, bgp.Input{Kind: bgp.InDecide})
			}
			return r >= 0
		}
		fire := func() bool { // the timer that runs out next
			from, to := 0, 0
			for r := range n {
				for o := range n {
					if at := armed[r][o]; at != nil && (armed[from][to] == nil || *at < *armed[from][to]) {
						from, to = r, o
					}
				}
			}
			if armed[from][to] == nil {
				return false
			}
			now = max(now, *armed[from][to])
			armed[from][to] = nil
			step(from, peerOf(from, to), bgp.Input{Kind: bgp.InRouteTime})
			return true
		}
		own := map[netip.Prefix]int{}
		for range rapid.IntRange(4, 30).Draw(t, "steps") {
			a := rapid.IntRange(0, n-1).Draw(t, "router")
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0, 1:
				link(a, (a+rapid.IntRange(1, n-1).Draw(t, "other"))%n)
			case 2:
				x := rapid.SampledFrom(prefixes).Draw(t, "prefix")
				own[x] ^= 1 << a
				kind := bgp.InOriginate
				if own[x]>>a&1 == 0 {
					kind = bgp.InWithdraw
				}
				step(a, bgp.Local, bgp.Input{Kind: kind, Prefix: x})
			case 3:
				fire()
			case 4:
				decide()
			default:
				deliver()
			}
		}
		for budget := 100000; deliver() || decide() || fire(); budget-- {
			if budget == 0 {
				t.Fatal("the mesh does not come to rest")
			}
		}
		for r := range n {
			for o := range n {
				if o == r {
					continue
				}
				if w := speakers[r].Waiting(peerOf(r, o)); w != 0 {
					t.Fatalf("%d changes wait from %d to %d", w, r, o)
				}
				for _, x := range prefixes {
					sent, heard := speakers[r].Advertised(peerOf(r, o), x), speakers[o].Received(peerOf(o, r), x)
					if !sent.Equal(heard) || !up[r][o] && sent != nil {
						t.Fatalf("%v from %d to %d: sent %s, heard %s", x, r, o, attrsText(sent), attrsText(heard))
					}
				}
			}
		}
		// Whoever can be reached from the origin over sessions that are up has a
		// route, and nobody else: no path survives its origin.
		for _, x := range prefixes {
			reach := own[x]
			for range n {
				for r := range n {
					for o := range n {
						if reach>>r&1 == 1 && up[r][o] {
							reach |= 1 << o
						}
					}
				}
			}
			for r := range n {
				if got := speakers[r].Route(x) != nil; got != (reach>>r&1 == 1) {
					t.Fatalf("router %d has a route to %v: %v", r, x, got)
				}
			}
		}
	})
}
