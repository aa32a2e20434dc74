package report

import "fmt"

// A chain may go round in circles: an IKE negotiation is processing and a
// message on its way, nine times over; a session that is refused is an
// IdleHoldTimer and a connection, again and again. For people each wait of a
// circle gets one line with its sum. What is added up stays the same, and the
// JSON keeps every wait.

const (
	longestCircle = 4
	fewestRounds  = 3
)

// fold puts circles together.
func fold(chain []Wait) []Wait {
	var out []Wait
	for i := 0; i < len(chain); {
		period, rounds := circle(chain[i:])
		if rounds < fewestRounds {
			out = append(out, chain[i])
			i++
			continue
		}
		at := chain[i].StartS
		for j := range period {
			w := chain[i+j]
			w.StartS = at
			for k := range rounds {
				c := chain[i+j+k*period]
				at += c.EndS - c.StartS
				if k > 0 {
					w.Drawn = w.Drawn.And(c.Drawn)
				}
			}
			w.EndS, w.SinceS = at, w.StartS
			w.What = fmt.Sprintf("%s (%d times, by turns)", w.What, rounds)
			out = append(out, w)
		}
		i += period * rounds
	}
	return out
}

// circle finds the circle at the beginning of chain that covers most of it.
func circle(chain []Wait) (period, rounds int) {
	for p := 2; p <= longestCircle; p++ {
		n := p
		for n < len(chain) && alike(chain[n], chain[n-p]) {
			n++
		}
		if k := n / p; k*p > period*rounds && k >= fewestRounds {
			period, rounds = p, k
		}
	}
	return period, rounds
}

// alike tells whether two waits are of one kind; how long they took does not matter.
func alike(a, b Wait) bool {
	return a.Node == b.Node && a.What == b.What && a.Parameter == b.Parameter && a.Value == b.Value && a.Drawn.Like(b.Drawn)
}
