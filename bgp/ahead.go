package bgp

// Expected is a Step that a Speaker will take soon: with an UPDATE, or without.
type Expected struct {
	Speaker *Speaker
	Peer    PeerID
	Msg     *Message
}

// Look looks at the memory that those steps need, all of them together
// (sim/ahead.go): one loop for each pointer that has to be followed. What it
// returns means nothing, and is there so that the looking is done.
func Look(steps []Expected) (x uint64) {
	for i := range steps {
		w := &steps[i]
		s := w.Speaker
		x += uint64(s.now) + uint64(s.appraised) + uint64(s.first.cands) + uint64(s.cfg.AS) + uint64(s.first.prefix.Bits())
		if w.Msg != nil {
			x += uint64(w.Msg.Size)
		}
	}
	for i := range steps {
		w := &steps[i]
		s := w.Speaker
		n := &s.peers[w.Peer]
		x += uint64(n.families) + uint64(n.stale)
		if !n.sourced { // source will be asked for all of this
			x += uint64(s.cfg.Peers[w.Peer].AS) + uint64(s.cfg.Peers[w.Peer].Addr.BitLen()) + uint64(s.beside[w.Peer].rank)
		}
		if len(s.hops) > 0 {
			x += uint64(s.hops[0].BitLen())
		}
		e := &s.first
		if j, in := int(w.Peer), e.in; len(in) > 0 {
			x += uint64(in[min(j, len(in)-1)].bar)
		}
		if j := int(w.Peer); j < len(e.out) && e.out[j].waits {
			x++
		}
		if e.best != nil {
			x += e.best.merit[0]
		}
		if e.versus != nil {
			x += e.versus.merit[0]
		}
		if w.Msg != nil {
			u := w.Msg.Update
			x += uint64(len(u.Withdrawn))
			if len(u.NLRI) > 0 {
				x += uint64(u.NLRI[0].Bits())
			}
			if a := u.Attrs; a != nil {
				x += uint64(a.MED) + uint64(len(a.Communities)) + uint64(a.Origin)
			}
		}
	}
	for i := range steps {
		w := &steps[i]
		s := w.Speaker
		e := &s.first
		if o := s.peers[w.Peer].source; o != nil {
			x += uint64(o.Peer) + uint64(o.Rank)
		}
		if !s.peers[w.Peer].sourced && s.beside[w.Peer].open != nil {
			x += uint64(s.beside[w.Peer].open.ID.BitLen())
		}
		if w.Msg != nil {
			if a := w.Msg.Update.Attrs; a != nil && len(a.ASPath) > 0 {
				x += uint64(a.ASPath[0].ASNs[0])
			}
		}
		if e.best != nil {
			x += uint64(e.best.Attrs.MED) + uint64(e.best.Source.Rank)
		}
	}
	return x
}
