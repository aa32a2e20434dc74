package report

// The ping transcript. Of 300 reply lines 290 say the same, so by default only
// those are shown that a reader looks for: the first three, three on either
// side of every run of losses, those where the path plainly changes, the last;
// a line says how many were left out. A
// lost run shows as in the real thing, as icmp_seq that jumps, with one
// indented line that says where the packets died.

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/probe"
	"github.com/vpnsim/vpnsim/sim"
)

const (
	around    = 3 // reply lines shown at the start and on either side of a lost run
	runsShown = 8 // lost runs that get their lines; under random loss there may be hundreds
)

func (p *page) pings(doc Document, style probe.Style) {
	if len(doc.Probes) == 0 {
		p.line(0, p.paint(dim, provenance(doc)))
		p.line(0, "no probe was sent")
		return
	}
	for i, pr := range doc.Probes {
		if i > 0 {
			p.printf("\n")
		}
		from := ""
		if pr.From != "" {
			from = " from " + pr.From + " :"
		}
		if strings.Contains(pr.To, ":") { // iputils opens otherwise over IPv6, whose header it does not count
			p.printf("PING %s(%s)%s %d data bytes\n", pr.To, pr.To, from, pr.Size)
		} else {
			p.printf("PING %s (%s)%s %d(%d) bytes of data.\n", pr.To, pr.To, from, pr.Size, pr.Size+28)
		}
		name := ""
		if len(doc.Probes) > 1 && pr.Name != "" {
			name = "probe " + pr.Name + ", "
		}
		p.line(0, p.paint(dim, name+provenance(doc)))
		if len(pr.Echoes) > 0 {
			p.replies(pr)
		}
		p.statistics(pr, style)
		if len(pr.Echoes) > 0 {
			p.strip(pr)
		}
	}
}

// measured turns the echoes of the document back into those of package probe.
func measured(pr Probe) []probe.Echo {
	echoes := make([]probe.Echo, len(pr.Echoes))
	for i, e := range pr.Echoes {
		echoes[i] = probe.Echo{Seq: e.Seq, Sent: sim.Time(e.SentS), RTT: time.Duration(e.RTTNs), TTL: e.TTL}
	}
	return echoes
}

func (p *page) replies(pr Probe) {
	runs := probe.Gaps(measured(pr))
	shown := runs
	if !p.opt.All {
		shown = longest(runs, runsShown)
	}
	show := make([]bool, len(pr.Echoes))
	mark := func(i, j int) {
		for k := max(i, 0); k < min(j, len(show)); k++ {
			show[k] = true
		}
	}
	mark(0, around)
	if pr.Echoes[len(show)-1].RTTNs > 0 {
		mark(len(show)-1, len(show))
	}
	for _, i := range shifts(pr.Echoes) {
		mark(i-1, i+1)
	}
	runOf := map[int]probe.Gap{} // by index of its first echo
	lost := make([]bool, len(show))
	for i := 0; i < len(pr.Echoes); i++ {
		if pr.Echoes[i].RTTNs > 0 {
			continue
		}
		j := i
		for j < len(pr.Echoes) && pr.Echoes[j].RTTNs <= 0 {
			lost[j] = true
			j++
		}
		if k := slices.IndexFunc(shown, func(g probe.Gap) bool { return g.FirstLost == pr.Echoes[i].Seq }); k >= 0 {
			runOf[i] = shown[k]
			mark(i-around, j+around)
		}
		i = j - 1
	}
	// A loss without a line of its own counts among what is left out, even in
	// the neighbourhood of a longer run: a probe must not vanish.
	for i, died := range lost {
		described := slices.ContainsFunc(shown, func(g probe.Gap) bool {
			return g.FirstLost <= pr.Echoes[i].Seq && pr.Echoes[i].Seq <= g.LastLost
		})
		if died && !described {
			show[i] = false
		}
	}
	for i := 0; i < len(pr.Echoes); {
		if run, ok := runOf[i]; ok {
			p.lostRun(pr, run)
			for i < len(pr.Echoes) && lost[i] {
				i++
			}
			continue
		}
		if p.opt.All || show[i] {
			p.reply(pr, pr.Echoes[i])
			i++
			continue
		}
		j, died := i, 0
		for j < len(show) && !show[j] {
			if lost[j] {
				died++
			}
			j++
		}
		if j-i == 1 && died == 0 {
			// A line that says that one line was left out is no shorter.
			p.reply(pr, pr.Echoes[i])
		} else {
			p.leftOut(j-i, died)
		}
		i = j
	}
}

// mostShifts of the round trip time are changes of the path; more are chance.
const mostShifts = 8

// shifts are the echoes from which on packets plainly take another way: another
// TTL, or half as much time again. They are shown although nothing was lost,
// since a path that changes is what somebody may be looking for.
func shifts(echoes []Echo) []int {
	var list []int
	for i := 1; i < len(echoes); i++ {
		a, b := &echoes[i-1], &echoes[i]
		if a.RTTNs <= 0 || b.RTTNs <= 0 {
			continue
		}
		less, more := min(a.RTTNs, b.RTTNs), max(a.RTTNs, b.RTTNs)
		if a.TTL != b.TTL || 2*more >= 3*less && more-less >= int64(time.Millisecond) {
			list = append(list, i)
		}
	}
	if len(list) > mostShifts {
		return nil
	}
	return list
}

func (p *page) reply(pr Probe, e Echo) {
	p.printf("%d bytes from %s: icmp_seq=%d ttl=%d time=%s ms\n",
		pr.Size+8, pr.To, e.Seq, e.TTL, probe.TimeMS(time.Duration(e.RTTNs)))
}

func (p *page) leftOut(n, lost int) {
	s := fmt.Sprintf("… %s left out", count(n, "line", "lines"))
	if lost > 0 {
		s = fmt.Sprintf("… %s left out, %d of them lost", count(n, "probe", "probes"), lost)
	}
	p.line(0, p.paint(dim, s))
}

// lostRun is the line of a run: which numbers, and where they died.
func (p *page) lostRun(pr Probe, run probe.Gap) {
	var reasons []string
	times := map[string]int{}
	for _, e := range pr.Echoes {
		if e.RTTNs > 0 || e.Seq < run.FirstLost || e.Seq > run.LastLost {
			continue
		}
		if times[e.Lost] == 0 {
			reasons = append(reasons, e.Lost)
		}
		times[e.Lost]++
	}
	s := fmt.Sprintf("icmp_seq %s: %d lost", seqs(run.FirstLost, run.LastLost), run.Lost)
	reasons = slices.DeleteFunc(reasons, func(r string) bool { return r == "" })
	switch {
	case len(reasons) == 1:
		s += ", " + reasons[0]
	case len(reasons) > 1:
		var parts []string
		for _, r := range reasons {
			parts = append(parts, fmt.Sprintf("%d %s", times[r], r))
		}
		s += ": " + strings.Join(parts, "; ")
	}
	p.line(4, p.paint(red, s))
}

// seqs is "86–114", or "86" when it is one.
func seqs(first, last int) string {
	if first >= last {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d–%d", first, last)
}

// longest returns the n longest runs, in the order of their numbers.
func longest(runs []probe.Gap, n int) []probe.Gap {
	if len(runs) <= n {
		return runs
	}
	sorted := slices.Clone(runs)
	slices.SortStableFunc(sorted, func(a, b probe.Gap) int { return b.Lost - a.Lost })
	sorted = sorted[:n]
	slices.SortFunc(sorted, func(a, b probe.Gap) int { return a.FirstLost - b.FirstLost })
	return sorted
}

// statistics are ping's last lines: from the echoes with the arithmetic that
// was asked for, or from the document's own numbers when it holds no echoes.
func (p *page) statistics(pr Probe, style probe.Style) {
	p.printf("\n") // ping's own, before its last lines
	if len(pr.Echoes) > 0 {
		for _, l := range probe.Stats(measured(pr), style).Lines(pr.To) {
			p.printf("%s\n", l)
		}
		return
	}
	s := probe.Statistics{Style: style, Sent: pr.Sent, Received: pr.Received, Lost: pr.Lost}
	p.printf("--- %s ping statistics ---\n", pr.To)
	p.printf("%d packets transmitted, %d received, %s%% packet loss\n", pr.Sent, pr.Received, s.Loss())
	if pr.Received > 0 {
		p.printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", pr.RTT.Min, pr.RTT.Avg, pr.RTT.Max, pr.RTT.MDev)
	}
}

// stripCells is the width of the strip when the page has none.
const stripCells = 75

// strip is the run at one glance: one cell per probe, or per few probes.
func (p *page) strip(pr Probe) {
	room := stripCells
	if p.opt.Width > 0 {
		room = max(p.opt.Width, 10)
	}
	cells, per := stripOf(pr, room)
	unit := "one cell per probe"
	partly := ""
	if per > 1 {
		unit = fmt.Sprintf("one cell per %d probes", per)
		if strings.Contains(cells, "▃") {
			partly = "▃ some lost  "
		}
	}
	colored := cells
	if p.opt.Color {
		colored = ""
		for _, r := range cells {
			code := red
			if r == '▇' {
				code = green
			}
			colored += p.paint(code, string(r))
		}
	}
	p.printf("%s\n", colored)
	p.line(0, p.paint(dim, fmt.Sprintf("▇ answered  %s· lost  (%s)", partly, unit)))
}

// stripOf draws at most room cells and says how many probes are in each.
func stripOf(pr Probe, room int) (cells string, per int) {
	per = max(1, (len(pr.Echoes)+room-1)/room)
	var b strings.Builder
	for chunk := range slices.Chunk(pr.Echoes, per) {
		lost := 0
		for _, e := range chunk {
			if e.RTTNs <= 0 {
				lost++
			}
		}
		switch lost {
		case 0:
			b.WriteRune('▇')
		case len(chunk):
			b.WriteRune('·')
		default:
			b.WriteRune('▃')
		}
	}
	return b.String(), per
}
