package probe

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/sim"
)

// Each case is a strip of probes, one character a probe: ok or lost. A digit
// repeats an earlier number with an answer.
func TestGaps(t *testing.T) {
	for _, c := range []struct{ name, strip, want string }{
		{"nothing sent", "", ""},
		{"nothing lost", "ooo", ""},
		{"one run", "oo...o", "2<3-5>6 n=3 seen=4s"},
		{"two runs", "o.oo..o", "1<2-2>3 n=1 seen=2s; 4<5-6>7 n=2 seen=3s"},
		{"none before", "..o", "0<1-2>3 n=2 seen=0s"},
		{"none after", "o..", "1<2-3>0 n=2 seen=0s"},
		{"none at all", "...", "0<1-3>0 n=3 seen=0s"},
		{"a late answer is no loss", "o.o2", ""},
		{"a second answer changes nothing", "o.o1", "1<2-2>3 n=1 seen=2s"},
	} {
		var echoes []Echo
		for i, r := range c.strip {
			e := Echo{Seq: i + 1, Sent: sim.Time(i) * 1e9, RTT: time.Millisecond}
			switch {
			case r == '.':
				e.RTT = 0
			case r >= '0' && r <= '9':
				e.Seq = int(r - '0')
				e.Sent = sim.Time(e.Seq-1) * 1e9
			}
			echoes = append(echoes, e)
		}
		var got []string
		for _, g := range Gaps(echoes) {
			got = append(got, fmt.Sprintf("%d<%d-%d>%d n=%d seen=%v", g.LastOK, g.FirstLost, g.LastLost, g.FirstOK, g.Lost, g.Seen()))
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s: %q\n got %s\nwant %s", c.name, c.strip, s, c.want)
		}
	}
}

func TestTheSeedsGap(t *testing.T) {
	var echoes []Echo
	for seq := 1; seq <= 300; seq++ {
		e := Echo{Seq: seq, Sent: sim.Time(seq) * 1e9, RTT: 5 * time.Millisecond}
		if seq > 85 && seq < 115 {
			e.RTT = 0
		}
		echoes = append(echoes, e)
	}
	gaps := Gaps(echoes)
	want := Gap{
		LastOK: 85, FirstOK: 115, FirstLost: 86, LastLost: 114, Lost: 29,
		LastOKSent: 85e9, FirstOKSent: 115e9, FirstLostSent: 86e9, LastLostSent: 114e9,
	}
	if len(gaps) != 1 || gaps[0] != want {
		t.Errorf("got %+v\nwant one %+v", gaps, want)
	}
	if gaps[0].Seen() != 30*time.Second {
		t.Errorf("seen = %v, want 30s", gaps[0].Seen())
	}
}

// A number that was never sent is not a loss, and a run goes on across it.
func TestAMissingNumberIsNotALoss(t *testing.T) {
	echoes := []Echo{{Seq: 1, RTT: 1e6}, {Seq: 2}, {Seq: 5}, {Seq: 7, RTT: 1e6}}
	gaps := Gaps(echoes)
	if len(gaps) != 1 || gaps[0].Lost != 2 || gaps[0].FirstLost != 2 || gaps[0].LastLost != 5 {
		t.Errorf("got %+v, want one run of two from 2 to 5", gaps)
	}
}
