package pinglog

import (
	"cmp"
	"slices"
	"time"
)

// Formats that are told apart.
const (
	Iputils    = "iputils" // Linux; also BusyBox
	BSD        = "bsd"     // FreeBSD, macOS
	Fping      = "fping"   // fping -c, -l
	FpingCount = "fping -C"
	MTR        = "mtr --raw"
)

// Log is one file.
type Log struct {
	File    string
	Format  string
	Series  []Series
	Ignored int  // lines that say nothing about a probe
	Cut     bool // the last line was cut off in the middle, and is not used
}

// Where the interval between probes comes from.
const (
	FromTimestamps = "timestamps" // the log has them
	FromSummary    = "summary"    // ping's last lines: time 9017ms for ten packets
	FromCommand    = "command"    // the command line stands in the log: ping -i 0.2
	FromUser       = "given"
	Assumed        = "assumed" // what the program does when it is told nothing
)

// Series is one run of a ping program. A file may hold several, one after the other.
type Series struct {
	Line         int // where it begins
	Target       string
	Probes       []Probe // in the order of their numbers; only those that the log mentions
	First, Last  int     // numbers of the first and the last probe that are known to have been sent
	Interval     time.Duration
	IntervalFrom string
	Duplicates   int
	stamped      bool
}

// Probe is an echo request that the log mentions. One that it passes over, as
// iputils does without -O, was lost.
type Probe struct {
	Seq      int // counted on where the sixteen bits of the packet wrap
	Line     int
	Answered bool
	RTT      time.Duration
	sent     time.Duration // since the epoch, for what was answered; 0: not known
}

// Gap is a row of lost probes.
type Gap struct {
	Line      int // of the answer that ended it, or of the last line before it
	FirstLost int
	LastLost  int
	Lost      int
	// The outage lasted longer than Least and less than Most, give or take one
	// round trip, RTT.
	Least, Most time.Duration
	RTT         time.Duration
	Interval    time.Duration
	// Open: the log does not show how it began or ended, so that it may have
	// been longer than anything; Most is 0.
	Open bool
}

// Sent is how many probes are known to have been sent.
func (s *Series) Sent() int { return s.Last - s.First + 1 }

// Received is how many were answered.
func (s *Series) Received() int {
	n := 0
	for _, p := range s.Probes {
		if p.Answered {
			n++
		}
	}
	return n
}

// Gaps are the rows of lost probes, in order.
func (s *Series) Gaps() []Gap {
	var (
		gaps []Gap
		good *Probe
	)
	add := func(first, last int, next *Probe) {
		if last < first {
			return
		}
		n := last - first + 1
		g := Gap{FirstLost: first, LastLost: last, Lost: n, Interval: s.Interval, Open: good == nil || next == nil, Least: time.Duration(n-1) * s.Interval}
		if next != nil {
			g.Line, g.RTT = next.Line, next.RTT
		}
		if good != nil {
			g.RTT = max(g.RTT, good.RTT)
			if next == nil {
				g.Line = good.Line
			}
		}
		if !g.Open {
			g.Most = time.Duration(n+1) * s.Interval
			if good.sent != 0 && next.sent > good.sent {
				// The clock saw both neighbours leave. Those between were sent at
				// even steps, as far as anybody knows.
				g.Most = next.sent - good.sent
				g.Least = g.Most / time.Duration(n+1) * time.Duration(n-1)
				g.Interval = g.Most / time.Duration(n+1)
			}
		}
		gaps = append(gaps, g)
	}
	next := s.First
	for i := range s.Probes {
		p := &s.Probes[i]
		if !p.Answered {
			continue
		}
		add(next, p.Seq-1, p)
		good, next = p, p.Seq+1
	}
	add(next, s.Last, nil)
	return gaps
}

// SetInterval is for a user who knows how far apart probes were sent.
func (l *Log) SetInterval(d time.Duration) {
	for i := range l.Series {
		s := &l.Series[i]
		s.Interval, s.IntervalFrom = d, FromUser
		for k := range s.Probes {
			s.Probes[k].sent = 0
		}
	}
}

// finish puts the probes of a series in order, one of each number, and works
// out the interval.
func (s *Series) finish(transmitted int, elapsed, command time.Duration) {
	slices.SortStableFunc(s.Probes, func(a, b Probe) int { return cmp.Compare(a.Seq, b.Seq) })
	once := s.Probes[:0]
	for _, p := range s.Probes {
		last := len(once) - 1
		switch {
		case last < 0 || once[last].Seq != p.Seq:
			once = append(once, p)
		case !p.Answered:
		case once[last].Answered:
			s.Duplicates++
		default:
			once[last] = p // late, but answered
		}
	}
	if s.Probes = once; len(once) > 0 {
		s.First = min(s.First, once[0].Seq)
		s.Last = max(s.Last, once[len(once)-1].Seq)
	}
	if transmitted > 0 && transmitted <= maxProbes {
		// What was lost at the end is known from the count only.
		s.Last = max(s.Last, s.First+transmitted-1)
	}
	s.Interval, s.IntervalFrom = s.clocked(), FromTimestamps
	if s.Interval > mostInterval {
		s.Interval = 0
	}
	if s.Interval == 0 && transmitted > 1 && elapsed > 0 && elapsed/time.Duration(transmitted-1) <= mostInterval {
		s.Interval, s.IntervalFrom = elapsed/time.Duration(transmitted-1), FromSummary
	}
	if s.Interval == 0 && command > 0 {
		s.Interval, s.IntervalFrom = command, FromCommand
	}
	if s.Interval == 0 {
		s.Interval, s.IntervalFrom = time.Second, Assumed
	}
}

// clocked is the interval between probes by the log's own clock: the slope
// between the first and the last answer. 0: there are not two.
func (s *Series) clocked() time.Duration {
	var first, last *Probe
	for i := range s.Probes {
		if p := &s.Probes[i]; p.sent != 0 {
			if first == nil {
				first = p
			}
			last = p
		}
	}
	if first == nil || last.Seq == first.Seq || last.sent <= first.sent {
		return 0
	}
	return (last.sent - first.sent) / time.Duration(last.Seq-first.Seq)
}
