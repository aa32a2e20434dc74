package explain_test

import (
	"testing"

	"github.com/vpnsim/vpnsim/expect"
	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/scenarios"
)

// Expressions that look at everything that can be named in every scenario, by what
// they need.
var everything = []string{
	`gap.n + gap.lost + gap.last_ok_seq + gap.first_ok_seq + lost + received + sent >= 0 and gap.probe != "" and gap.direction != ""`,
	`gap.outage + gap.probe_gap + gap.start + gap.end + gap.request_outage + gap.reply_outage + outage >= 0 and gap.open`,
	`all(gaps, .outage > duration("1s") and .lost > 0) or end > duration("1s")`,
	`converged or repeats or period > 0`,
	`convergence.seconds + convergence.at >= 0 and convergence.converged and convergence.event != ""`,
	`convergence.announcements + convergence.withdrawals + convergence.rib_changes + convergence.fib_changes + convergence.table_changes == 0`,
	`all(convergences, .converged)`,
	`blame == "" and gap.blame == "" and all(gaps, .blame == "") and blames(gap, "routers.x.bgp.hold")`,
	`gap == gap and len(map(gaps, .blame)) >= 0`,
	`all(sessions, .up_by <= at("0s")) and len(filter(sessions, .since > 0)) == 0 and all(sessions, .hold > .keepalive)`,
}

// A Brief knows what the whole document knows, whatever it was asked for.
func TestBriefIsTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("runs everything")
	}
	for _, name := range scenarios.BuiltinNames() {
		load := builtin(t, name)
		d, err := load(nil)
		if err != nil {
			t.Fatal(err)
		}
		exprs := append([]string{}, everything...)
		if d.Internet != nil { // runs for seconds
			exprs = nil
		}
		for _, e := range d.Expect {
			exprs = append(exprs, e.Expr)
		}
		for _, w := range d.Watch {
			pair := `("` + w.From.Name + `", "` + w.To.Name + `")`
			exprs = append(exprs, "blackhole"+pair+" + loop"+pair+" + stale"+pair+" + asymmetric"+pair+" + forwarding"+pair+".ok == 0")
		}
		var programs []*expect.Program
		briefs := map[expect.Needs]*explain.Brief{}
		for _, e := range exprs {
			p, err := expect.Compile(e)
			if err != nil {
				t.Fatalf("%s: %v", e, err)
			}
			if p.Many() {
				continue
			}
			programs = append(programs, p)
			if briefs[p.Needs()] == nil {
				if briefs[p.Needs()], err = explain.NewBrief(d, p.Needs()); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, seed := range []uint64{1, 2} {
			a := mustRun(t, explain.Ask{Load: load, Seed: seed})
			for _, p := range programs {
				brief := briefs[p.Needs()].Run(seed)
				want := a.Facts()
				ok, err := p.Holds(brief)
				wantOK, wantErr := p.Holds(want)
				if got, all := p.Got(brief), p.Got(want); got != all || ok != wantOK || (err == nil) != (wantErr == nil) {
					t.Errorf("%s, seed %d: brief %v %v %s\nwhole %v %v %s", name, seed, ok, err, got, wantOK, wantErr, all)
				}
			}
			if d.Internet != nil {
				break
			}
		}
	}
}

func BenchmarkBrief(b *testing.B) {
	for _, c := range []struct{ name, expr string }{
		{"Plain", `gap.outage <= duration("30.5s")`},
		{"Blame", `blame == "routers.aws.bgp.hold"`},
		{"Best", `best("gcp", "10.2.0.0/16", at("80s")).tunnel == "tun1"`},
		{"Sessions", `all(sessions, .up_by <= at("20s"))`},
		{"Forwarding", `blackhole("vm", "ec2") == 0`},
	} {
		b.Run(c.name, func(b *testing.B) {
			d, err := builtin(b, "aws-gcp")(nil)
			if err != nil {
				b.Fatal(err)
			}
			p, err := expect.Compile(c.expr)
			if err != nil {
				b.Fatal(err)
			}
			brief, err := explain.NewBrief(d, p.Needs())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := range b.N {
				if _, err := p.Holds(brief.Run(uint64(i))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
