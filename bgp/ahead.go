package bgp

// Expected is a Step that a Speaker will take soon: with an UPDATE, or without.
type Expected struct {
	Speaker *Speaker
	Peer    PeerID
	Msg     *Message
}

// in is about where what the peer said before stands in the first row; -1: nowhere.
func (w *Expected) in() int { return min(int(w.Peer), len(w.Speaker.first.in)-1) }

// Look looks at the memory that those steps need, all of them together
// (sim/ahead.go): one loop for each pointer that has to be followed. What it
// returns means nothing, and is there so that the looking is done.
func Look(steps []Expected) (x uint64) {
	for i := range steps {
		w := &steps[i]
		s := w.Speaker
		x += uint64(s.now) + uint64(s.appraised) + uint64(s.first.prefix.Bits()) + uint64(len(s.first.out)) + uint64(len(s.cfg.Rules))
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
		e := &s.first
		if k := w.in(); k >= 0 {
			x += uint64(e.in[k].bar)
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
				x += uint64(a.Origin)
				if s.paying > 0 { // it may be passed on
					x += uint64(len(a.ASPath)) + uint64(len(a.ClusterList))
				}
			}
		}
	}
	for i := range steps {
		w := &steps[i]
		s := w.Speaker
		e := &s.first
		if o := s.peers[w.Peer].source; o != nil {
			x += uint64(o.Peer)
		}
		if !s.peers[w.Peer].sourced && s.beside[w.Peer].open != nil {
			x += uint64(s.beside[w.Peer].open.ID.BitLen())
		}
		if w.Msg != nil {
			if a := w.Msg.Update.Attrs; a != nil && s.paying > 0 && len(a.ASPath) > 0 {
				x += uint64(a.ASPath[0].ASNs[0])
			}
		}
		if k := w.in(); k >= 0 && e.in[k].peer == w.Peer {
			x += uint64(e.in[k].raw.Origin) + e.in[k].path.Age
		}
		if e.best != nil {
			x += uint64(e.best.Attrs.Origin) + uint64(e.best.Source.Peer)
		}
		if e.versus != nil {
			x += uint64(e.versus.Source.Peer)
		}
	}
	return x
}
