package bgp

import (
	"math"
	"net/netip"
	"time"
)

// Route flap damping, RFC 2439: a route that goes and comes has a figure of
// merit (§4.2), to which each flap adds a penalty and which decays by half in
// every half-life. A route whose figure reaches the cutoff (suppress) is not
// used until it has decayed below the reuse threshold. RFC 7196 found the first
// numbers for that so low that they punish a single failure's path exploration,
// and asks for a cutoff of at least 6,000.
//
// Penalties are those of IOS, Junos and FRR: 1,000 for a withdrawal, 500 for an
// announcement with other attributes, none for one that comes after a
// withdrawal. Only what external peers say is damped (RFC 2439 §4.2, note on
// IBGP), and the end of a session is no flap: "an explicit withdrawal" is one.
//
// There is one timer, for the route that may be used again first.

// Damping is how the routes of a peer are damped.
type Damping struct {
	HalfLife time.Duration
	Suppress uint32        // the figure of merit from which a route is not used
	Reuse    uint32        // … and below which it is again
	Max      time.Duration // a route is not suppressed for longer, which bounds the figure
}

const (
	penaltyWithdrawal = 1000
	penaltyAttributes = 500
	merits            = 1000 // figures of merit are counted in thousandths
)

// flap is what a Speaker remembers of a route that has flapped.
type flap struct {
	peer       PeerID
	prefix     netip.Prefix
	merit      uint64        // in thousandths, at the instant at
	at         time.Duration // of the last flap
	reuse      time.Duration // when it may be used again, while it is suppressed
	suppressed bool
}

type flapKey struct {
	peer   PeerID
	prefix netip.Prefix
}

// damps tells how what peer says is damped; nil if it is not.
func (s *Speaker) damps(peer PeerID) *Damping {
	if peer < 0 || s.peers[peer].group.Damping == nil || s.cfg.Peers[peer].AS == s.cfg.AS || s.peers[peer].receives != 0 { // several paths at once are no flaps
		return nil
	}
	return s.peers[peer].group.Damping
}

// flapped adds a penalty to a route of a peer that is damped.
func (s *Speaker) flapped(d *Damping, peer PeerID, prefix netip.Prefix, penalty uint64) {
	key := flapKey{peer, prefix}
	f := s.flaps[key]
	if f == nil {
		if s.flaps == nil {
			s.flaps = map[flapKey]*flap{}
		}
		f = &flap{peer: peer, prefix: prefix}
		s.flaps[key] = f
	}
	f.merit = min(d.decayed(f.merit, s.now-f.at)+penalty*merits, d.ceiling())
	f.at = s.now
	if !f.suppressed && f.merit >= uint64(d.Suppress)*merits {
		f.suppressed = true
		s.damped = append(s.damped, f)
	}
	if f.suppressed {
		f.reuse = s.now + d.until(f.merit)
	}
}

// suppresses tells whether a route of a peer that is damped may not be used.
func (s *Speaker) suppresses(peer PeerID, prefix netip.Prefix) bool {
	f := s.flaps[flapKey{peer, prefix}]
	return f != nil && f.suppressed
}

// reuseTime uses those routes again whose figure has decayed.
func (s *Speaker) reuseTime(acts []Action) []Action {
	left := s.damped[:0]
	s.reuse = 0
	for _, f := range s.damped {
		if f.reuse > s.now {
			left = append(left, f)
			continue
		}
		f.suppressed = false
		s.reconsiderBar(f.peer, f.prefix)
	}
	s.damped = left
	return s.armReuse(s.run(acts))
}

// reconsiderBar asks anew whether a route that peer announced may be used.
func (s *Speaker) reconsiderBar(peer PeerID, prefix netip.Prefix) {
	e := s.row(prefix)
	if e == nil {
		return
	}
	for i, to := e.span(peer); i < to; i++ {
		a := e.in[i]
		attrs, bar := s.admit(peer, a.path.External, prefix, a.raw)
		path := *a.path
		if a.stale && path.Attrs.LongLived() {
			attrs = s.lastChoice(attrs)
		}
		path.Attrs = attrs
		if a.bar == RuleNone || bar == RuleNone {
			s.touch(e, peer)
		}
		s.put(e, arrival{peer: peer, raw: a.raw, bar: bar, path: s.newPath(path, bar, nil), stale: a.stale})
	}
}

// armReuse sets the timer for the route that may be used again first.
func (s *Speaker) armReuse(acts []Action) []Action {
	if !s.damping || len(s.damped) == 0 {
		return acts
	}
	first := s.damped[0]
	for _, f := range s.damped[1:] {
		if f.reuse < first.reuse {
			first = f
		}
	}
	if first.reuse == s.reuse {
		return acts
	}
	s.reuse = first.reuse
	return append(acts, Action{Kind: ActReuseTime, Peer: first.peer, After: first.reuse - s.now})
}

// decayed is what is left of a figure of merit after d: it halves in each
// half-life. Within one, the power of two is taken from a table of 64 steps and
// straight lines between them (exact to 2 in 100,000), in whole numbers, so
// that it is the same on every machine.
func (c *Damping) decayed(merit uint64, d time.Duration) uint64 {
	halves := d / c.HalfLife
	if halves > 63 {
		return 0
	}
	rest := uint64(d % c.HalfLife)
	half := uint64(c.HalfLife)
	step := rest * decaySteps / half
	hi, lo := decay[step], decay[step+1]
	within := rest * decaySteps % half >> 16
	factor := hi - (hi-lo)*within/(half>>16+1) // exactly 1 where no time has passed
	return merit >> halves * factor >> 32
}

const decaySteps = 64

// decay[i] is 2^(-i/64), in units of 2^-32.
var decay = func() (t [decaySteps + 1]uint64) {
	for i := range t {
		t[i] = uint64(math.Round(math.Exp2(32 - float64(i)/decaySteps)))
	}
	return t
}()

// until is how long a figure of merit takes to decay below the reuse threshold.
func (c *Damping) until(merit uint64) time.Duration {
	lo, hi := time.Duration(0), 64*c.HalfLife
	for lo < hi {
		if mid := lo + (hi-lo)/2; c.decayed(merit, mid) < uint64(c.Reuse)*merits {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// ceiling is the greatest figure of merit: what decays to the reuse threshold
// within Max.
func (c *Damping) ceiling() uint64 {
	lo, hi := uint64(0), uint64(1)<<32
	for lo < hi {
		if mid := lo + (hi-lo+1)/2; c.decayed(mid, c.Max) < uint64(c.Reuse)*merits {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}
