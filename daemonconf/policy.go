package daemonconf

import (
	"net/netip"
	"slices"

	"github.com/vpnsim/vpnsim/topology"
)

// Policy as all three daemons are to have it: the terms of a scenario one after
// the other, the first that matches decides, and what none matches is accepted.

// importTerms are those for routes of a family that arrive over a session.
func importTerms(s *session, f topology.Family) []topology.Term { return ofFamily(s.end.Import, f) }

// exportTerms are those for routes of a family that leave over a session. What
// bgp.med says becomes part of each of them.
func exportTerms(s *session, f topology.Family) []topology.Term {
	terms := ofFamily(s.end.Export, f)
	if med := s.settings[topology.BGPMED].Int; med >= 0 && !s.internal {
		m := uint32(med)
		for i := range terms {
			if terms[i].MED == nil {
				terms[i].MED = &m
			}
		}
		if len(terms) == 0 || !everything(&terms[len(terms)-1]) {
			terms = append(terms, topology.Term{MED: &m})
		}
	}
	return terms
}

// everything tells whether no route gets past a term.
func everything(t *topology.Term) bool {
	return len(t.Prefixes) == 0 && t.Community == "" && t.PathHas == 0
}

// ofFamily leaves out what is about prefixes of the other family, and what no
// route reaches.
func ofFamily(terms []topology.Term, f topology.Family) (list []topology.Term) {
	for _, t := range terms {
		var prefixes []netip.Prefix
		for _, p := range t.Prefixes {
			if topology.FamilyOf(p.Addr()) == f {
				prefixes = append(prefixes, p)
			}
		}
		if len(t.Prefixes) > 0 && len(prefixes) == 0 {
			continue
		}
		t.Prefixes = prefixes
		list = append(list, t)
		if everything(&t) {
			break
		}
	}
	return list
}

// prependAS is the number that a term prepends: of a route that leaves the
// router's own, of one that arrives the peer's.
func (w *writer) prependAS(s *session, export bool) uint32 {
	if export {
		return w.r.ASN
	}
	return s.peer.ASN
}

// countsAccepted says of FRR and BIRD which prefixes count towards a limit; the
// scenario's counts all of them.
func (w *writer) countsAccepted(s *session) {
	if slices.ContainsFunc(s.end.Import, func(t topology.Term) bool { return t.Reject }) {
		w.say(s, topology.BGPMaxPrefixes, "the same limit, but prefixes that the import policy rejects do not count")
	}
}
