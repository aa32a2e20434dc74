package probe

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/sim"
)

// seedPing is a completion to microseconds of the ten reply lines of the seed's
// first ping: the lines give two decimals, the summary gives least and most,
// and every completion with the printed mean and mdev has this sum.
var seedPing = []int64{7645, 6769, 6858, 6764, 6801, 6607, 6747, 6637, 6706, 6571}

func answered(us ...int64) []Echo {
	var echoes []Echo
	for i, u := range us {
		echoes = append(echoes, Echo{
			Seq:  i + 1,
			Sent: sim.Time(i) * 1_001_889_000,
			RTT:  time.Duration(u) * time.Microsecond,
			TTL:  64,
		})
	}
	return echoes
}

func TestTheSeedsTenLines(t *testing.T) {
	var lines []string
	var sum int64
	for i, e := range answered(seedPing...) {
		lines = append(lines, TimeMS(e.RTT))
		sum += seedPing[i]
	}
	if got, want := strings.Join(lines, " "), "7.64 6.76 6.85 6.76 6.80 6.60 6.74 6.63 6.70 6.57"; got != want {
		t.Errorf("reply lines\n got %s\nwant %s", got, want)
	}
	if sum != 68105 {
		t.Errorf("sum = %d us, want 68105", sum)
	}
}

func TestTheSeedsMdevIsTheOldFormula(t *testing.T) {
	for _, c := range []struct {
		style Style
		want  []string
	}{
		{CentOS7, []string{
			"--- 10.2.0.6 ping statistics ---",
			"10 packets transmitted, 10 received, 0% packet loss, time 9017ms",
			"rtt min/avg/max/mdev = 6.571/6.810/7.645/0.302 ms",
		}},
		{Iputils, []string{
			"--- 10.2.0.6 ping statistics ---",
			"10 packets transmitted, 10 received, 0% packet loss, time 9017ms",
			"rtt min/avg/max/mdev = 6.571/6.810/7.645/0.290 ms",
		}},
	} {
		if got := Stats(answered(seedPing...), c.style).Lines("10.2.0.6"); !reflect.DeepEqual(got, c.want) {
			t.Errorf("style %d\n got %q\nwant %q", c.style, got, c.want)
		}
	}
}

func TestTimesAreTruncatedNotRounded(t *testing.T) {
	for _, c := range []struct {
		rtt  time.Duration
		want string
	}{
		{999_999 * time.Nanosecond, "0.999"},
		{42 * time.Microsecond, "0.042"},
		{time.Millisecond, "1.00"},
		{7645 * time.Microsecond, "7.64"},
		{9999 * time.Microsecond, "9.99"},
		{10_000 * time.Microsecond, "10.0"},
		{99_999 * time.Microsecond, "99.9"},
		{100 * time.Millisecond, "100"},
		{1234_999 * time.Microsecond, "1234"},
	} {
		if got := TimeMS(c.rtt); got != c.want {
			t.Errorf("TimeMS(%v) = %s, want %s", c.rtt, got, c.want)
		}
	}
}

func TestCountsLine(t *testing.T) {
	lose := func(sent int, lost ...int) []Echo {
		var echoes []Echo
		for i := 1; i <= sent; i++ {
			echoes = append(echoes, Echo{Seq: i, Sent: sim.Time(i) * 1e9, RTT: 5 * time.Millisecond})
		}
		for _, l := range lost {
			echoes[l-1].RTT = 0
		}
		return echoes
	}
	for _, c := range []struct {
		name   string
		echoes []Echo
		style  Style
		want   string
	}{
		{"decimals today", lose(3, 2), Iputils, "3 packets transmitted, 2 received, 33.3333% packet loss, time 2000ms"},
		{"truncated then", lose(3, 1, 2), CentOS7, "3 packets transmitted, 1 received, 66% packet loss, time 2000ms"},
		{"one in a thousand", lose(1000, 7), Iputils, "1000 packets transmitted, 999 received, 0.1% packet loss, time 999000ms"},
		{"all lost", lose(2, 1, 2), Iputils, "2 packets transmitted, 0 received, 100% packet loss, time 1000ms"},
		{"none sent", nil, Iputils, "0 packets transmitted, 0 received"},
		{"rounded today", []Echo{{Seq: 1}, {Seq: 2, Sent: 1_000_500_000}}, Iputils, "2 packets transmitted, 0 received, 100% packet loss, time 1001ms"},
		{"cut off then", []Echo{{Seq: 1}, {Seq: 2, Sent: 1_000_999_000}}, CentOS7, "2 packets transmitted, 0 received, 100% packet loss, time 1000ms"},
	} {
		lines := Stats(c.echoes, c.style).Lines("h")
		if lines[1] != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.name, lines[1], c.want)
		}
		if answered := !strings.Contains(c.want, " 0 received"); answered != (len(lines) == 3) {
			t.Errorf("%s: %d lines; the times stand there only if something was answered", c.name, len(lines))
		}
	}
}

func TestADuplicateCountsInTheTimesOnly(t *testing.T) {
	echoes := answered(5000, 5000)
	echoes = append(echoes, Echo{Seq: 1, RTT: 8 * time.Millisecond}, Echo{Seq: 2})
	s := Stats(echoes, Iputils)
	if s.Sent != 2 || s.Received != 2 || s.Duplicates != 1 || s.Lost != 0 {
		t.Errorf("sent %d received %d duplicates %d lost %d, want 2 2 1 0", s.Sent, s.Received, s.Duplicates, s.Lost)
	}
	if s.Max != 8000 || s.Avg != 6000 {
		t.Errorf("max %d avg %d, want 8000 6000: ping adds up every answer", s.Max, s.Avg)
	}
	if want := "2 packets transmitted, 2 received, +1 duplicates, 0% packet loss, time 1002ms"; s.Lines("h")[1] != want {
		t.Errorf("got %s\nwant %s", s.Lines("h")[1], want)
	}
}

// Order of arrival is nobody's business: numbers are.
func TestOrderDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var echoes []Echo
		for i := range 1 + r.IntN(40) {
			e := Echo{Seq: i + 1, Sent: sim.Time(i) * 1e9}
			if r.IntN(3) > 0 {
				e.RTT = time.Duration(1+r.IntN(200_000)) * time.Microsecond
			}
			echoes = append(echoes, e)
		}
		gaps, stats := Gaps(echoes), Stats(echoes, Iputils)
		lost := 0
		for _, g := range gaps {
			lost += g.Lost
		}
		if lost != stats.Lost {
			t.Fatalf("gaps hold %d lost probes, the statistics %d", lost, stats.Lost)
		}
		r.Shuffle(len(echoes), func(i, j int) { echoes[i], echoes[j] = echoes[j], echoes[i] })
		if g := Gaps(echoes); !reflect.DeepEqual(g, gaps) {
			t.Fatalf("gaps changed with the order: %+v, before %+v", g, gaps)
		}
		if s := Stats(echoes, Iputils); s != stats {
			t.Fatalf("statistics changed with the order: %+v, before %+v", s, stats)
		}
	}
}

// Beyond about 36 minutes of summed round trips ping changes the order of its
// operations, and the mdev of the same spread jumps by the truncated mean.
func TestALongPingFallsBackToTheOldFormula(t *testing.T) {
	var us []int64
	for range 2200 {
		us = append(us, 1_000_000, 1_000_001)
	}
	if _, _, _, mdev := spread(us, Iputils); mdev != 1000 {
		t.Errorf("mdev = %d, want 1000: squares/n - avg*avg with avg cut to 1000000", mdev)
	}
	if _, _, _, mdev := spread(us[:1000], Iputils); mdev != 0 {
		t.Errorf("mdev of the first thousand = %d, want 0", mdev)
	}
}

func TestStyleNames(t *testing.T) {
	for name, want := range map[string]Style{"": Iputils, "iputils": Iputils, "centos7": CentOS7} {
		if got, err := ParseStyle(name); err != nil || got != want {
			t.Errorf("ParseStyle(%q) = %v, %v", name, got, err)
		}
	}
	if _, err := ParseStyle("busybox"); err == nil {
		t.Error("an unknown style was accepted")
	}
}
