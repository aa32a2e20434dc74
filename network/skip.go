package network

// skipper fast-forwards quiet stretches.
type skipper struct{}

func (n *Network) runSkipping() { n.k.RunUntil(n.end) }
