package topology

import (
	"math/bits"
	"time"
)

// DistKind is the shape of a distribution of durations.
type DistKind uint8

const (
	Fixed   DistKind = iota // always A
	Uniform                 // A..B
	Normal                  // mean A, standard deviation B, never below 0
	Exp                     // A plus an exponential of mean B
	Choice                  // one of Values, equally likely
)

// Dist is a distribution of durations. Drawing from it is integer arithmetic
// only, so that the same bits give the same nanoseconds on every machine: the
// curved shapes are read from a table of quantiles that is made beforehand.
type Dist struct {
	Kind   DistKind
	A, B   time.Duration
	Values []time.Duration // Choice
	table  *[quantiles + 1]int64
}

const quantiles = 1024

// Const is the distribution that always gives d.
func Const(d time.Duration) Dist { return Dist{A: d} }

// Draw turns 64 random bits into a duration.
func (d *Dist) Draw(u uint64) time.Duration {
	switch d.Kind {
	case Fixed:
		return d.A
	case Uniform:
		hi, _ := bits.Mul64(u, uint64(d.B-d.A)+1)
		return d.A + time.Duration(hi)
	case Choice:
		hi, _ := bits.Mul64(u, uint64(len(d.Values)))
		return d.Values[hi]
	}
	i := u >> 54 // ten bits choose the interval, the others the place in it
	lo := d.table[i]
	hi, _ := bits.Mul64(u<<10, uint64(d.table[i+1]-lo))
	return time.Duration(lo + int64(hi))
}

// IsRandom tells whether two draws may differ.
func (d *Dist) IsRandom() bool { return d.Kind != Fixed }
