package bfd

import "time"

// slowTx is the Desired Min TX Interval of a session that is not Up. §6.8.3:
// "the system MUST set bfd.DesiredMinTxInterval to a value of not less than one
// second (1,000,000 microseconds). This is intended to ensure that the bandwidth
// consumed by BFD sessions that are not Up is negligible".
const slowTx = time.Second

// initialMinRx is what the neighbour is taken to bear before it has said so. §6.8.1
const initialMinRx = time.Microsecond

// pace is how fast this end sends, and what it bears. What is announced and what
// counts are two things while a Poll Sequence is under way: the neighbour must
// have heard of some changes before they may be made.
type pace struct {
	minTx time.Duration // bfd.DesiredMinTxInterval
	minRx time.Duration // bfd.RequiredMinRxInterval
	nowTx time.Duration // the minTx that this end sends by
	nowRx time.Duration // the minRx that the Detection Time is reckoned by
	txFor time.Duration // the interval that the TxTimer was last armed for

	poll     bool // a Poll Sequence is under way: packets have the P bit
	pollOwed bool // another one is due after it
	pollRest bool // … but not before a packet without F has come
}

// TxInterval is the interval between packets before jitter. §6.8.7: "is equal to
// the greater of those two values", what this end wants and the other one bears.
func (s *Session) TxInterval() time.Duration { return max(s.nowTx, s.remoteMinRx) }

// DetectTime is how long nothing may come in: §6.8.4, "the value of Detect Mult
// received from the remote system, multiplied by the agreed transmit interval of
// the remote system (the greater of bfd.RequiredMinRxInterval and the last
// received Desired Min TX Interval)". 0 before anything was heard.
func (s *Session) DetectTime() time.Duration {
	mult, interval := s.Detection()
	return time.Duration(mult) * interval
}

// Detection is the Detection Time in its two parts: the neighbour's Detect Mult
// and the interval that was agreed for what the neighbour sends.
func (s *Session) Detection() (mult uint8, interval time.Duration) {
	return s.remoteMult, max(s.nowRx, s.remoteMinTx)
}

// change is a new configuration. One that comes while a Poll Sequence is under
// way is announced with it, and announced again afterwards: "the Poll Sequence
// mechanism is ambiguous if more than one parameter change is made that would
// require its use, and those multiple changes are spread across multiple
// packets". §6.8.3
func (s *Session) change(t Timing, since time.Duration) {
	s.cfg.Timing = t
	s.setPace()
	s.tell(since)
}

// setPace announces the intervals that state and configuration ask for. "If
// either bfd.DesiredMinTxInterval is changed or bfd.RequiredMinRxInterval is
// changed, a Poll Sequence MUST be initiated". §6.8.3
func (s *Session) setPace() {
	minTx := s.cfg.MinTx
	if s.state != Up {
		minTx = max(minTx, slowTx)
	}
	if minTx != s.minTx || s.cfg.MinRx != s.minRx {
		s.minTx, s.minRx = minTx, s.cfg.MinRx
		if s.poll || s.pollRest {
			s.pollOwed = true
		} else {
			s.poll = true
		}
	}
	// "If bfd.DesiredMinTxInterval is increased and bfd.SessionState is Up, the
	// actual transmission interval used MUST NOT change until the Poll Sequence
	// described above has terminated. … If bfd.RequiredMinRxInterval is reduced
	// and bfd.SessionState is Up, the previous value … MUST be used when
	// calculating the Detection Time for the remote system until the Poll Sequence
	// described above has terminated."
	if s.state != Up || s.minTx < s.nowTx {
		s.nowTx = s.minTx
	}
	if s.state != Up || s.minRx > s.nowRx {
		s.nowRx = s.minRx
	}
}

// polled is what an arriving packet means to a Poll Sequence: Final ends it. The
// next one, if one is owed, waits for a packet without Final, one of the ways of
// §6.8.3 to tell the answers apart.
func (s *Session) polled(final bool) {
	switch {
	case final && s.poll:
		s.poll, s.pollRest = false, true
		if !s.pollOwed {
			s.nowTx, s.nowRx = s.minTx, s.minRx
		}
	case !final && s.pollRest:
		s.poll, s.pollOwed, s.pollRest = s.pollOwed, false, false
	}
}
