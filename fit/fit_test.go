package fit

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/pinglog"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

func loader(t testing.TB, name string) func([]string) (*topology.Design, error) {
	data, ok := scenarios.Builtin(name)
	if !ok {
		t.Fatalf("no scenario %s", name)
	}
	return func(sets []string) (*topology.Design, error) {
		d, problems := scenarios.Load(name+".yaml", data, sets)
		if d == nil {
			return nil, fmt.Errorf("%v", problems)
		}
		return d, nil
	}
}

func logOf(t testing.TB, text string) *pinglog.Log {
	l, err := pinglog.Read("x.ping", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// compared is Fit without the parameters, which take the most time.
func compared(t *testing.T, ask Ask) (*fitter, map[string]*mechanism) {
	t.Helper()
	f := &fitter{Ask: &ask, doc: &report.Fit{Scenario: "x"}}
	if err := f.collect(); err != nil {
		t.Fatal(err)
	}
	base, err := ask.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	event, err := aim(base, f.intervals[0], f.window)
	if err != nil {
		t.Fatal(err)
	}
	f.scene = newScene(base, event, ask.Seed)
	ms, err := f.compare()
	if err != nil {
		t.Fatal(err)
	}
	best := f.judge(ms)
	f.more(ms, best)
	f.verdict(ms, best)
	byKey := map[string]*mechanism{}
	for _, m := range ms {
		byKey[m.key] = m
	}
	return f, byKey
}

// The seed's case. icmp_seq jumps from 85 to 115: an outage between 28 and 30 s.
// With the reply path on the deleted tunnel it is uniform between 20 and 30 s: in 1
// of 10 cases 29 probes are lost. A free-running MRAI of 30 s makes it uniform between
// 0 and 30 s: 1 of 30. What is left of an interval of U(22.5, 30) has the density
// (30-x)/7.5/26.25 at its upper end: 1 of 197.
func TestTheSeedsLog(t *testing.T) {
	_, log := scenarios.SeedPing()
	f, ms := compared(t, Ask{Load: loader(t, "aws-gcp"), Logs: []*pinglog.Log{logOf(t, string(log))}, Least: 2, Runs: 4000, Seed: 1})
	within := func(what string, e report.Estimate, want, least float64) {
		t.Helper()
		if e.Value == nil || e.High == nil || e.Low > want || *e.High < want || e.Low < least {
			t.Errorf("%s: %s, want %g inside and no end below %g", what, fmt.Sprint(e.Low, " ", *e.High), want, least)
		}
	}
	within("hold timer", ms["hold"].doc.Likelihood, 0.1, 0.08)
	within("hold timer against free-running MRAI", ms["mrai-tick"].doc.Odds, 3, 2)
	within("hold timer against jittered MRAI", ms["mrai-jitter"].doc.Odds, 19.7, 8)
	within("hold timer against MRAI begun by the fault, whose 22.5 to 30 s show it in 2 of 15", ms["mrai-fault"].doc.Odds, 0.75, 0.5)
	if f.doc.Best != "hold" {
		t.Errorf("the best is %s", f.doc.Best)
	}
	for key, m := range ms {
		if mrai := strings.HasPrefix(key, "mrai"); mrai != (m.cannot != "") || mrai == (m.doc.Here != nil) {
			t.Errorf("%s: ruled out by mechanism: %q", key, m.cannot)
		}
	}
	for _, key := range []string{"dpd", "bfd", "notify", "program"} {
		if e := ms[key].doc.Likelihood; e.Value != nil || e.High == nil || *e.High <= 0 || *e.High > 0.01 {
			t.Errorf("%s: 0 of n is an upper bound, not %v", key, e)
		}
	}
	text := strings.Join(f.doc.Verdict, "\n")
	for _, want := range []string{
		"hold timer, reply path on tun2: favoured on this one try over",
		"nobody waits for an advertisement: with MRAI like that at every router the outage is the same to the nanosecond in 400 of 400 runs",
		`the "instant" tries are the runs whose reply path was on the survivor`,
		"whose reply path was on tun2 0 of ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the verdict does not say %q:\n%s", want, text)
		}
	}
}

// "From an instant to 30 s": with an instant try beside the gap, only the drawn path
// explains both, and what MRAI would show in between makes it less likely.
func TestAnInstantTry(t *testing.T) {
	_, log := scenarios.SeedPing()
	short := logOf(t, "PING x (x) 56(84) bytes of data.\n64 bytes from x: icmp_seq=1 ttl=64 time=5 ms\n64 bytes from x: icmp_seq=2 ttl=64 time=5 ms\n")
	f, ms := compared(t, Ask{Load: loader(t, "aws-gcp"), Logs: []*pinglog.Log{logOf(t, string(log)), short}, Instant: 1, Least: 2, Runs: 400, Seed: 1})
	if f.doc.Best != "hold-drawn" || f.doc.Instant != 2 || len(f.trials) != 2 || f.trials[1].times != 2 {
		t.Errorf("best %s, %d instant, trials %+v", f.doc.Best, f.doc.Instant, f.trials)
	}
	if !math.IsInf(ms["hold"].log, -1) || math.IsInf(ms["hold"].hi, -1) {
		t.Errorf("a path on the failed link is never instant: %v to %v", ms["hold"].log, ms["hold"].hi)
	}
	if e := ms["mrai-tick"].doc.Odds; e.Value == nil || *e.Value < 30 {
		t.Errorf("each instant try speaks against MRAI: %+v", e)
	}
}

// Where MRAI does act, the user's own scenario is what its likelihood comes from,
// and those that have nothing to do there are said to.
func TestWhereMRAIActs(t *testing.T) {
	f, ms := compared(t, Ask{Load: loader(t, "mrai-tick"), Least: 2, Runs: 300, Seed: 1,
		Logs: []*pinglog.Log{logOf(t, "64 bytes from x: icmp_seq=1 ttl=64 time=5 ms\n64 bytes from x: icmp_seq=12 ttl=64 time=5 ms\n")}})
	if f.doc.Best != "mrai-tick" && f.doc.Best != "mrai-jitter" {
		t.Errorf("the best is %s", f.doc.Best)
	}
	if m := ms["mrai-tick"]; m.cannot != "" || m.base != "" || m.doc.Scenario != "mrai-tick.yaml" {
		t.Errorf("free-running MRAI: %q in %s", m.cannot, m.doc.Scenario)
	}
	if m := ms["hold"]; !strings.Contains(m.cannot, "the fault itself tells both ends") {
		t.Errorf("the hold timer has nothing to do when both ends see the link go down: %q", m.cannot)
	}
	if ms["dpd"] != nil {
		t.Error("there is no tunnel whose peer could be dead")
	}
}

// RFC 4271 §9.2.1.1 has the interval begin at the last UPDATE. On a session that is
// never quiet it begins again at its own end, so that what is left of it at a moment
// that has nothing to do with it is what is left of a jittered tick. That is how the
// rival is simulated; here are both.
func TestABusySessionIsAJitteredTick(t *testing.T) {
	data, _ := scenarios.Builtin("mrai-tick")
	text := strings.Replace(string(data), "uniform(85s, 115s)", "uniform(85s, 137500ms)", 1)
	load := func(text string) (*topology.Design, int) {
		d, problems := scenarios.Load("x.yaml", []byte(text), []string{"routers.*.bgp.mrai_jitter=0.75"})
		if d == nil {
			t.Fatal(problems)
		}
		event := slices.IndexFunc(d.Story, func(f topology.Fault) bool { return f.Kind == topology.LinkDown })
		d.For, d.Probes[0].Start = 180*time.Second, 170*time.Second
		return d, event
	}
	var networks, story []string
	for i := range 138 {
		networks = append(networks, fmt.Sprintf("10.9.%d.0/24", i))
		story = append(story, fmt.Sprintf("  - {at: %ds, withdraw: 10.9.%d.0/24, by: isp-b}\n", i, i))
	}
	busy := strings.Replace(text, "isp-b:   {profile: quagga, asn: 65003, bgp: {mrai: $mrai}}",
		"isp-b:   {profile: quagga, asn: 65003, bgp: {mrai: $mrai, mrai_mode: since-last-update, mrai_withdrawals: gated}, networks: ["+strings.Join(networks, ", ")+"]}", 1)
	busy = strings.Replace(busy, "story:\n", "story:\n"+strings.Join(story, ""), 1)
	if busy == text {
		t.Fatal("the scenario has changed")
	}
	const n = 500
	var outages [2][]time.Duration
	for i, text := range []string{text, busy} {
		d, event := load(text)
		for _, r := range simulate(d, event, n, 1, []time.Duration{time.Second}, 0).runs {
			outages[i] = append(outages[i], r.outage)
		}
		slices.Sort(outages[i])
	}
	// Kolmogorov and Smirnov: 1.95 sqrt(2/n) is exceeded by chance once in a thousand times.
	worst := 0.0
	for i, x := range outages[0] {
		below, _ := slices.BinarySearch(outages[1], x)
		worst = max(worst, math.Abs(float64(i-below))/n)
	}
	if limit := 1.95 * math.Sqrt(2.0/n); worst > limit {
		t.Errorf("the distributions are %.3f apart, more than %.3f\ntick %v\nbusy %v", worst, limit, outages[0], outages[1])
	}
}

// Ten tries of a mechanism, of seeds that its likelihood has not seen, are found to be of it.
func TestTheTruthIsFound(t *testing.T) {
	const tries, n = 10, 400
	f, ms := compared(t, Ask{Load: loader(t, "aws-gcp"), Least: 2, Runs: n + tries, Seed: 1,
		Logs: []*pinglog.Log{logOf(t, "64 bytes from x: icmp_seq=1 ttl=64 time=5 ms\n64 bytes from x: icmp_seq=12 ttl=64 time=5 ms\n")}})
	for _, truth := range []string{"hold-drawn", "dpd-drawn", "mrai-tick"} {
		f.trials = nil
		for _, r := range ms[truth].runs[n:] {
			f.trials = append(f.trials, trial{lost: r.lost[0], instant: r.lost[0] < 2, times: 1})
		}
		best, log := "", math.Inf(-1)
		for _, key := range Keys {
			m := &mechanism{rival: rival{key: key}, doc: &report.FitMechanism{}, runs: ms[key].runs[:min(n, len(ms[key].runs)-tries)]}
			if f.likelihood(m); m.log > log {
				best, log = key, m.log
			}
		}
		if best != truth {
			t.Errorf("%d tries of %s are taken for %s: %+v", tries, truth, best, f.trials)
		}
	}
}

// Whoever simulates what: the same document.
func TestWorkersChangeNothing(t *testing.T) {
	_, log := scenarios.SeedPing()
	var docs [2]string
	for i, workers := range []int{1, 3} {
		f, ms := compared(t, Ask{Load: loader(t, "aws-gcp"), Logs: []*pinglog.Log{logOf(t, string(log))}, Least: 2, Runs: 150, Seed: 7, Workers: workers, Instant: 1})
		for _, key := range Keys {
			f.doc.Mechanisms = append(f.doc.Mechanisms, *ms[key].doc)
		}
		var b bytes.Buffer
		if err := report.FitJSON(&b, *f.doc); err != nil {
			t.Fatal(err)
		}
		docs[i] = b.String()
	}
	if docs[0] != docs[1] {
		t.Errorf("one worker\n%s\nthree\n%s", docs[0], docs[1])
	}
}

// A ping whose probes are counted one by one.
func TestLongestRow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		every := time.Duration(1 + r.IntN(20))
		offset := time.Duration(r.IntN(int(every)))
		var spans []span
		at := time.Duration(0)
		for range r.IntN(4) {
			at += time.Duration(r.IntN(50))
			end := at + 1 + time.Duration(r.IntN(60))
			spans = append(spans, span{at, end})
			at = end
		}
		var longest, row int32
		for p := offset; p < 500; p += every {
			if slices.ContainsFunc(spans, func(s span) bool { return p >= s.from && p < s.to }) {
				row++
			} else {
				row = 0
			}
			longest = max(longest, row)
		}
		if got := longestRow(spans, every, offset); got != longest {
			t.Fatalf("%v, one every %d from %d on: %d lost in a row, want %d", spans, every, offset, got, longest)
		}
	}
}

// lawful is a sample of a mechanism whose outages have that distribution.
func lawful(n int, f *fitter, outage func(u float64) time.Duration) *mechanism {
	m := &mechanism{prior: 1, doc: &report.FitMechanism{}, sample: &sample{runs: make([]run, n)}}
	phase := rand.New(rand.NewPCG(3, 4))
	for i := range m.sample.runs {
		r := &m.sample.runs[i]
		r.outage = outage((float64(i) + 0.5) / float64(n))
		for _, every := range f.intervals {
			r.lost = append(r.lost, longestRow([]span{{0, r.outage}}, every, time.Duration(phase.Int64N(int64(every)))))
		}
		m.runs = append(m.runs, r)
	}
	phase.Shuffle(n, func(i, j int) { m.runs[i], m.runs[j] = m.runs[j], m.runs[i] })
	f.likelihood(m)
	return m
}

func uniform(a, b float64) func(float64) time.Duration {
	return func(u float64) time.Duration { return time.Duration((a + (b-a)*u) * float64(time.Second)) }
}

// Laws with closed forms: likelihood, odds, posterior, and how many tries more.
func TestClosedForms(t *testing.T) {
	f := &fitter{Ask: &Ask{Least: 2}, doc: &report.Fit{}, intervals: []time.Duration{time.Second, 200 * time.Millisecond},
		trials: []trial{{seen: "29 lost", lost: 29, times: 1}}}
	const n = 20000
	hold, tick, short := lawful(n, f, uniform(20, 30)), lawful(n, f, uniform(0, 30)), lawful(n, f, uniform(0, 2))
	hold.key, tick.key, short.key = "hold", "tick", "short"
	near := func(what string, got, want, tolerance float64) {
		t.Helper()
		if math.Abs(got-want) > tolerance {
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	near("29 of U(20, 30)", math.Exp(hold.log), 0.1, 0.006)
	near("29 of U(0, 30)", math.Exp(tick.log), 1./30, 0.004)
	best := f.judge([]*mechanism{hold, tick, short})
	if best != hold {
		t.Fatal("the best is another one")
	}
	near("odds", *tick.doc.Odds.Value, 3, 0.4)
	near("posterior", *hold.doc.ByLog.Value, 0.75, 0.02)
	if short.doc.Odds.Value != nil || short.doc.Odds.Low < 100 {
		t.Errorf("0 of %d: %+v", n, short.doc.Odds)
	}
	// Each number of lost probes from 21 to 30 is 3 times as likely under the one as under the
	// other, and 20, which the one shows in half as many cases, one and a half times:
	// 1.064 nats a try, so that 20 : 1 takes (ln 20 - ln 3)/1.064 = 1.8 more.
	value, se := divergence(hold.runs, tick.runs, 0)
	near("divergence", value, 0.95*math.Log(3)+0.05*math.Log(1.5), 0.02)
	if se <= 0 || se > 0.02 {
		t.Errorf("its standard error: %g", se)
	}
	dense, _ := divergence(hold.runs, tick.runs, 1)
	near("divergence of five times as many probes", dense, 0.99*math.Log(3)+0.01*math.Log(1.5), 0.03)
	f.more([]*mechanism{hold, tick, short}, hold)
	if e := tick.doc.More; e.Value == nil || *e.Value != 2 {
		t.Errorf("more tries against the tick: %+v", e)
	}
	if e := short.doc.More; e.Value == nil || *e.Value != 0 {
		t.Errorf("more tries against what is settled: %+v", e)
	}
	// Twice the same gap: the ratio is squared.
	f.trials[0].times = 2
	hold, tick = lawful(n, f, uniform(20, 30)), lawful(n, f, uniform(0, 30))
	hold.key, tick.key = "hold", "tick"
	f.judge([]*mechanism{hold, tick})
	near("odds of two tries", *tick.doc.Odds.Value, 9, 2)
	// A prior counts like a likelihood, and 0 is out of the question.
	hold.prior = 0
	if f.judge([]*mechanism{hold, tick}) != tick {
		t.Error("what is impossible was favoured")
	}
}

// The hold timer's values that fit 29 lost of a uniform law between two thirds and
// all of the hold time: from 28 to 45 s, the least of which is the best.
func TestParameters(t *testing.T) {
	f := &fitter{Ask: &Ask{Load: loader(t, "aws-gcp"), Least: 2, Runs: 4000, Seed: 1}, doc: &report.Fit{},
		intervals: []time.Duration{time.Second}, window: time.Minute, far: 1, trials: []trial{{seen: "29 lost", lost: 29, times: 1}}}
	base, err := f.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	event, err := aim(base, time.Second, f.window)
	if err != nil {
		t.Fatal(err)
	}
	f.scene = scene{d: base, event: event, keepalive: 10 * time.Second}
	m := &mechanism{rival: f.scene.rivals("reply path on tun2", true)[0]}
	if err := f.parameters([]*mechanism{m}); err != nil {
		t.Fatal(err)
	}
	p := f.doc.Parameters[0]
	if got := fmt.Sprint(p.Possible); got != "[30s 33s 36s 40s]" && got != "[30s 33s 36s 40s 45s]" {
		t.Errorf("possible: %s", got)
	}
	if p.Likelihood == nil || p.Likelihood.Low > 0.1 || p.Likelihood.High < 0.08 {
		t.Errorf("best %s: %+v", p.Best, p.Likelihood)
	}
}

func TestWhatCannotBeFitted(t *testing.T) {
	log := logOf(t, "64 bytes from x: icmp_seq=1 ttl=64 time=5 ms\n")
	for name, want := range map[string]string{"internet": "a graph of ASes without packets has no ping to compare with", "clique": "the scenario pings nothing: it needs a `probe`"} {
		var sets []string
		if name == "internet" {
			sets = []string{"n=1000"}
		}
		if _, err := Fit(Ask{Load: loader(t, name), Sets: sets, Logs: []*pinglog.Log{log}, Least: 2, Runs: 100}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	text := "vpnsim: v1\nrouters:\n  a: {profile: frr, asn: 1, networks: [10.1.0.0/16]}\n  b: {profile: frr, asn: 2, networks: [10.2.0.0/16]}\nhosts:\n  x: {on: a, ip: 10.1.0.1}\n  y: {on: b, ip: 10.2.0.1}\nlinks:\n  l: {a: {inside: 192.168.0.1/30}, b: {inside: 192.168.0.2/30}, rtt: 1ms}\nprobe: x -> y\n"
	load := func(sets []string) (*topology.Design, error) {
		d, problems := scenarios.Load("x.yaml", []byte(text), sets)
		if d == nil {
			return nil, fmt.Errorf("%v", problems)
		}
		return d, nil
	}
	if _, err := Fit(Ask{Load: load, Logs: []*pinglog.Log{log}, Least: 2, Runs: 100}); err == nil || !strings.Contains(err.Error(), "nothing fails in the scenario") {
		t.Errorf("%v", err)
	}
}

// aim leaves the event and what came before it, and puts the repair off.
func TestAim(t *testing.T) {
	d, err := loader(t, "aws-gcp")(nil)
	if err != nil {
		t.Fatal(err)
	}
	event, err := aim(d, 200*time.Millisecond, time.Minute)
	if err != nil || d.Story[event].Kind != topology.TunnelDelete || d.For != 155*time.Second || d.Story[1].At.Min() <= d.For || d.Probes[0].Every != 200*time.Millisecond {
		t.Errorf("event %d, %v: %+v", event, err, d.Story)
	}
	net := network.New(d, network.Options{})
	if net.Run(1); net.FaultTime(event) < 85e9 || net.FaultTime(event) > 95e9 {
		t.Errorf("the event happens at %v", net.FaultTime(event))
	}
	if d, err = loader(t, "frr-bfd")(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := aim(d, time.Second, time.Minute); err != nil || d.Story[1].Until == 0 {
		t.Errorf("a fault's own `for:` belongs to it: %+v", d.Story)
	}
}
