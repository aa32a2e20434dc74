package topology

// Loss as it happens, packet by packet: the same for simulated packets and for the real
// ones of a lab.

// Next is the state of the line, bad or not, when the next packet comes: the model of
// Gilbert and Elliott, whose states change with a probability that is the same for every
// packet. u are random bits.
func (l *Loss) Next(bad bool, u uint64) bool {
	turn := l.ToBad
	if bad {
		turn = l.ToGood
	}
	return bad != (fraction(u) < turn)
}

// Lost tells whether a packet is, in that state. u are random bits.
func (l *Loss) Lost(bad bool, u uint64) bool {
	if bad {
		return fraction(u) < l.Bad
	}
	return fraction(u) < l.P
}

// fraction turns random bits into a number of [0, 1).
func fraction(u uint64) float64 { return float64(u>>11) / (1 << 53) }
