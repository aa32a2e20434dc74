package expect

import (
	"errors"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/stats"
)

// over evaluates an expectation over runs whose longest gaps have these lengths, each
// probe a second, so that as many are lost.
func over(t *testing.T, text string, seconds ...float64) (Outcome, error) {
	t.Helper()
	p, err := Compile(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if !p.Many() {
		t.Fatalf("%s is not over many runs", text)
	}
	var values []*stats.Histogram
	for _, m := range p.Metrics() {
		h := stats.NewHistogram(map[string]int64{"s": stats.Millisecond, "1": 1}[m.Unit])
		for _, s := range seconds {
			doc := &report.Document{EndS: 300 * second, Probes: []report.Probe{{Sent: 300, Lost: int(s), Received: 300 - int(s)}},
				Convergence: []report.Convergence{{Event: "x", Prefix: "10.0.0.0/8", Seconds: report.Seconds(s * 2e9)}}}
			if s > 0 {
				doc.Gaps = []report.Gap{{N: 1, Lost: int(s), OutageS: report.Seconds(s * 1e9)}}
			}
			v, err := m.Value(Env{Doc: doc}.Facts())
			if err != nil {
				return Outcome{}, err
			}
			h.Add(v)
		}
		values = append(values, h)
	}
	return p.Judge(values, 0.95)
}

// hundred are 0.1, 0.2 … 10 seconds.
func hundred() (list []float64) {
	for i := range 100 {
		list = append(list, float64(i+1)/10)
	}
	return list
}

func TestExpectationsOverManyRuns(t *testing.T) {
	for _, c := range []struct {
		expr     string
		ok, sure bool
		got      string
	}{
		{`p50(gap) < duration("7s")`, true, true, `p50(gap) = 5 s [4, 6.1], n = 100`},
		{`p50(gap) < duration("6s")`, true, false, `p50(gap) = 5 s [4, 6.1], n = 100`},
		{`p50(gap) < duration("3s")`, false, true, `p50(gap) = 5 s [4, 6.1], n = 100`},
		{`p99(gap) < duration("31s")`, true, false, `p99(gap) = 9.9 s [9.7, ?], n = 100`},
		{`p(gap.outage, 0.25) > 0`, true, true, `p(gap.outage, 0.25) = 2.5 s [1.7, 3.5], n = 100`},
		{`p90(lost) <= 9`, true, true, `p90(lost) = 9 [8, 9], n = 100`},
		{`worst(gap) == duration("10s") and least(lost) == 0`, true, true, `worst(gap) = 10 s, n = 100, least(lost) = 0, n = 100`},
		{`mean(gap) > duration("4s")`, true, true, `mean(gap) = 5.05 s [4.474, 5.626], n = 100`},
		{`mean(lost) < 6`, true, true, `mean(lost) = 4.6 [4.024, 5.176], n = 100`},
		{`share(gap.outage < duration("1s")) >= 0.05`, true, false, `share(gap.outage < duration("1s")) = 0.09 [0.042, 0.164], n = 100`},
		{`share(lost > 100) == 0`, true, false, `share(lost > 100) = 0 [0, 0.036], n = 100`},
		{`p50(convergence) == duration("10s")`, true, false, `p50(convergence) = 10 s [8, 12.2], n = 100`},
		{`p95(gap) - p50( gap ) > duration("2s") && p50(gap) > duration("3s")`, true, true, `p95(gap) = 9.5 s [9, 10], n = 100, p50( gap ) = 5 s [4, 6.1], n = 100`},
		{`p50(len(gaps)) == 1`, true, true, `p50(len(gaps)) = 1 [1, 1], n = 100`},
		{`p50(gap) < (p95(gap) > duration("1s") ? duration("7s") : duration("0s"))`, true, true, `p50(gap) = 5 s [4, 6.1], n = 100, p95(gap) = 9.5 s [9, 10], n = 100`},
	} {
		out, err := over(t, c.expr, hundred()...)
		if out.OK != c.ok || out.Got != c.got || out.Sure != c.sure || err != nil {
			t.Errorf("%s\n     %v %v %s %v\nwant %v %v %s", c.expr, out.OK, out.Sure, out.Got, err, c.ok, c.sure, c.got)
		}
	}
}

// What has failed is known by what would have to change.
func TestWhichNumberWasWrong(t *testing.T) {
	for _, c := range []struct {
		expr     string
		metric   string
		tooSmall bool
	}{
		{`p99(gap) < duration("1s")`, "gap", false},
		{`p50(gap) > duration("8s")`, "gap", true},
		{`p50(gap) > duration("1s") and p90(lost) < 3`, "lost", false},
		{`share(lost == 0) >= 0.9`, "lost == 0", true},
	} {
		out, err := over(t, c.expr, hundred()...)
		if p, _ := Compile(c.expr); err != nil || out.OK || p.Metrics()[out.Metric].Text != c.metric || out.TooSmall != c.tooSmall {
			t.Errorf("%s: %+v, %v", c.expr, out, err)
		}
	}
}

func TestWhatCannotBeOverManyRunsIsRefusedAtItsColumn(t *testing.T) {
	for _, c := range []struct {
		expr string
		col  int
		want string
	}{
		{`p99(gap) < 31`, 10, `mismatched types time.Duration and int`},
		{`p99(p50(gap)) < duration("1s")`, 5, `p50 inside of p99`},
		{`1 == 1 and p99(duration("3s")) < duration("4s")`, 16, `looks at nothing of the run`},
		{`share(true) == 1`, 7, `looks at nothing`},
		{`p(gap, 1.5) < duration("4s")`, 8, `a quantile between 0 and 1`},
		{`p(gap) < duration("4s")`, 1, `p takes an expression and a quantile`},
		{`p99(gap, 3) < duration("4s")`, 10, `p99 takes one expression`},
		{`p99(gpa) < duration("4s")`, 5, `unknown name gpa`},
		{`p99() < duration("4s")`, 1, `takes an expression about one run`},
		{`p99(gap.outage < duration("1s")) < 3`, 5, `true or false: share(…)`},
		{`p99(gap.blame) == ""`, 5, `this is a string`},
		{`p99(gaps) < duration("1s")`, 5, `this is a list`},
		{`p50(lost / sent) < 0.3`, 5, `this is a fraction`},
		{`share(gap) > 0.3`, 7, `share takes a condition`},
		{`p99(gap) < gap.outage`, 12, `gap is about one run, and p99(gap) about many`},
		{`p99(gap) < duration("31")`, 21, `"31" has no unit`},
		{`p99(gap) + 1 < duration("1s")`, 10, `mismatched types`},
		{`p99(gap)`, 1, `expected bool`},
		{`p99(gap) < _0`, 12, `unknown name _0`},
		{`p99(gap < duration("1s")`, 1, `not closed`},
		{`日本 == p99(gap)`, 1, `unknown name 日本`},
		{`"日本" == "" or p99(gpa) < duration("1s")`, 19, `unknown name gpa`},
		{`p99 < 3`, 1, `unknown name p99`},
	} {
		_, err := Compile(c.expr)
		var e *ExprError
		if !errors.As(err, &e) || e.Col != c.col || !strings.Contains(e.Message, c.want) {
			t.Errorf("%s: %v, want column %d: %s", c.expr, err, c.col, c.want)
		}
	}
}

// Names inside of calls are checked as elsewhere.
func TestNamesInsideOfCallsAreChecked(t *testing.T) {
	pair := func(from, to string) error { return errors.New("no such pair") }
	for expr, want := range map[string]string{
		`share(best("gpc", "10.2.0.0/16", end).exists) > 0.5`:   `there is no router "gpc"`,
		`p50(gap) > 0 and p99(blackhole("a", "b")) == 0`:        `no such pair`,
		`share(blames(gap, "routers.x.bgp.hold")) > 0.5`:        `is no parameter`,
		`share(session("gcp", "tun9").state == "Idle") == 0.25`: `there is no link or tunnel "tun9"`,
	} {
		if err := Check(expr, []string{"gcp"}, []string{"tun1"}, nil, pair); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

// An error in one run is one: what cannot be told is not left out of a quantile.
func TestWhatCannotBeToldInOneRun(t *testing.T) {
	if _, err := over(t, `p50(gaps[0].outage) > 0`, 1, 0); err == nil {
		t.Error("there is no gaps[0] in the second run")
	}
}

func TestSessionsAreUpByAnInstant(t *testing.T) {
	env := Env{Doc: &report.Document{EndS: 300 * second, Sessions: []report.Session{
		{Router: "aws", Link: "tun1", State: "Established", History: []report.Transition{{AtS: -58 * second, To: "OpenConfirm"}, {AtS: -57 * second, To: "Established"}, {AtS: 100 * second, To: "Idle"}, {AtS: 130 * second, To: "Established"}}},
		{Router: "gcp", Link: "tun1", State: "Idle"},
	}}}
	for expr, want := range map[string]string{
		`all(sessions, .up_by <= at("20s"))`:                                   `sessions = [aws over tun1: Established, gcp over tun1: Idle], all(sessions, .up_by <= at("20s")) = false`,
		`all(filter(sessions, .router == "gcp"), .up_by > end)`:                ``,
		`session("aws", "tun1").up_by == duration("-57s")`:                     `session("aws", "tun1").up_by = -57 s`,
		`session("gcp", "tun1").up_by > duration("1h") and len(sessions) == 2`: `session("gcp", "tun1").up_by = never, sessions = [aws over tun1: Established, gcp over tun1: Idle]`,
	} {
		p, err := Compile(expr)
		if err != nil {
			t.Fatal(err)
		}
		ok, got, err := Eval(p, env)
		if err != nil || want != "" && got != want || ok == strings.Contains(want, "= false") {
			t.Errorf("%s: %v %s %v", expr, ok, got, err)
		}
	}
}

func TestNeeds(t *testing.T) {
	for expr, want := range map[string]Needs{
		`gap.outage > 0 and lost < 3`:                      {},
		`count(gaps, .lost > 3) == 1`:                      {},
		`gap.blame == "x"`:                                 {Blame: true},
		`all(gaps, .blame != "")`:                          {Blame: true},
		`gap == gaps[0]`:                                   {Blame: true},
		`gaps[0] in gaps`:                                  {Blame: true},
		`share(blame == "x") > 0.3`:                        {Blame: true},
		`p99(blackhole("a", "b")) == 0 or worst(lost) < 3`: {Forwarding: true},
		`all(sessions, .state == "Idle")`:                  {Ends: true},
		`tunnel("a", "b").state == "up" and gap.open`:      {Ends: true},
		`best("a", "10.0.0.0/8", end).exists`:              {},
	} {
		p, err := Compile(expr)
		if err != nil {
			t.Fatalf("%s: %v", expr, err)
		}
		if got := p.Needs(); got != want {
			t.Errorf("%s: %+v", expr, got)
		}
	}
}
