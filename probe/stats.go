package probe

// This file is the arithmetic of ping's last two lines and of the time at the
// end of each reply line, as iputils does it: integer microseconds, integer
// division, an integer square root. Nothing here may become a float on the
// way: the golden test holds a set of ten round trips whose mdev is 0.302 ms
// with the old formula and 0.290 or 0.291 with the new one.

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"
)

// Style is the release of ping whose arithmetic is used.
type Style uint8

const (
	// Iputils is the arithmetic since release s20190324: the variance is
	// computed before anything is divided, and the loss has decimals.
	Iputils Style = iota
	// CentOS7 is the arithmetic of release s20160308 and its neighbours: mean
	// and mean square are truncated first, so the mdev is biased upwards by
	// the truncated mean, and the loss is a truncated integer.
	CentOS7
)

// ParseStyle turns the name of a style, "iputils" or "centos7", into the
// style. The empty name is iputils.
func ParseStyle(name string) (Style, error) {
	switch name {
	case "", "iputils":
		return Iputils, nil
	case "centos7":
		return CentOS7, nil
	}
	return Iputils, fmt.Errorf("unknown ping style %q: iputils or centos7", name)
}

// Statistics are the numbers of ping's last lines. The round trip times are
// whole microseconds.
type Statistics struct {
	Style      Style
	Sent       int
	Received   int // numbers answered at least once
	Lost       int
	Duplicates int
	Elapsed    time.Duration // from the first send to the last
	Min        int64
	Avg        int64
	Max        int64
	MDev       int64
}

// Stats computes ping's statistics over echoes, which may be in any order and
// hold several answers to one number.
func Stats(echoes []Echo, style Style) Statistics {
	once, duplicates := bySeq(echoes)
	s := Statistics{Style: style, Sent: len(once), Duplicates: len(duplicates)}
	if len(once) == 0 {
		return s
	}
	first, last := once[0].Sent, once[0].Sent
	var answers []int64
	for _, e := range once {
		first, last = min(first, e.Sent), max(last, e.Sent)
		if !e.Lost() {
			s.Received++
			answers = append(answers, e.RTT.Microseconds())
		}
	}
	s.Lost = s.Sent - s.Received
	s.Elapsed = last.Sub(first)
	// A duplicate is not counted as received, but its time counts: ping adds
	// up every answer that arrives.
	for _, e := range duplicates {
		answers = append(answers, e.RTT.Microseconds())
	}
	s.Min, s.Avg, s.Max, s.MDev = spread(answers, style)
	return s
}

// spread is min, mean, max and mean deviation of whole microseconds.
func spread(us []int64, style Style) (least, mean, most, mdev int64) {
	if len(us) == 0 {
		return 0, 0, 0, 0
	}
	least, most = us[0], us[0]
	n := big.NewInt(int64(len(us)))
	// The squares of a long ping over a slow path leave 64 bits, so the sums
	// are big integers; ping itself uses long double for the same reason.
	sum, squares := new(big.Int), new(big.Int)
	for _, u := range us {
		least, most = min(least, u), max(most, u)
		x := big.NewInt(u)
		sum.Add(sum, x)
		squares.Add(squares, x.Mul(x, x))
	}
	avg := new(big.Int).Div(sum, n)
	variance := new(big.Int)
	// ping falls back to the old order of operations when the sum no longer
	// fits an int, about 36 minutes of round trips, and so does this.
	if style == CentOS7 || sum.Cmp(big.NewInt(math.MaxInt32)) >= 0 {
		variance.Sub(variance.Div(squares, n), new(big.Int).Mul(avg, avg))
	} else {
		square := new(big.Int).Mul(sum, sum)
		variance.Div(variance.Sub(squares, square.Div(square, n)), n)
	}
	return least, avg.Int64(), most, variance.Sqrt(variance).Int64()
}

// Loss is the percentage in the form in which ping prints it, without the
// sign: "9.66667" of 29 lost in 300 today, "9" in the old style.
func (s Statistics) Loss() string {
	if s.Sent == 0 {
		return "0"
	}
	if s.Style == CentOS7 {
		return strconv.Itoa(s.Lost * 100 / s.Sent)
	}
	// C's %g of a float: six significant digits.
	return strconv.FormatFloat(float64(float32(float64(s.Lost)*100/float64(s.Sent))), 'g', 6, 64)
}

// Lines are ping's closing lines: the counts and, when anything was answered,
// the times.
func (s Statistics) Lines(to string) []string {
	lines := []string{fmt.Sprintf("--- %s ping statistics ---", to)}
	counts := fmt.Sprintf("%d packets transmitted, %d received", s.Sent, s.Received)
	if s.Duplicates > 0 {
		counts += fmt.Sprintf(", +%d duplicates", s.Duplicates)
	}
	if s.Sent > 0 {
		counts += fmt.Sprintf(", %s%% packet loss, time %dms", s.Loss(), s.elapsedMS())
	}
	lines = append(lines, counts)
	if s.Received > 0 {
		lines = append(lines, fmt.Sprintf("rtt min/avg/max/mdev = %s/%s/%s/%s ms",
			milli(s.Min), milli(s.Avg), milli(s.Max), milli(s.MDev)))
	}
	return lines
}

// elapsedMS is the time of the counts line: truncated by the old ping, rounded
// by today's.
func (s Statistics) elapsedMS() int64 {
	us := s.Elapsed.Microseconds()
	if s.Style == Iputils {
		us += 500
	}
	return us / 1000
}

// milli prints microseconds as milliseconds with three decimals.
func milli(us int64) string { return fmt.Sprintf("%d.%03d", us/1000, us%1000) }

// TimeMS is the time at the end of a reply line, without the unit: truncated,
// never rounded, with fewer decimals the longer it is. (The newest releases of
// ping round here; the lines of the seed's case, and of every ping in the
// enterprise distributions of its time, are truncated.)
func TimeMS(rtt time.Duration) string {
	us := rtt.Microseconds()
	switch {
	case us >= 100_000:
		return strconv.FormatInt(us/1000, 10)
	case us >= 10_000:
		return fmt.Sprintf("%d.%01d", us/1000, us%1000/100)
	case us >= 1000:
		return fmt.Sprintf("%d.%02d", us/1000, us%1000/10)
	}
	return fmt.Sprintf("%d.%03d", us/1000, us%1000)
}
