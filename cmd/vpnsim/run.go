package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/probe"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// asked is what run and explain have in common: which run it is about.
type asked struct {
	seed    uint64
	sets    []string
	at      string
	wire    bool
	watch   []string
	show    []string
	files   []output
	explain bool
}

func (q *asked) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Uint64Var(&q.seed, "seed", defaultSeed, "everything random is drawn from this `number`")
	f.StringArrayVar(&q.sets, "set", nil, "change the scenario: `path=value`, such as routers.aws.bgp.hold=9s")
	f.StringVar(&q.at, "at", "", "show tables as they were at this `time`, such as 80s (otherwise: the end of the run)")
}

// instant reads --at for a design.
func (q *asked) instant(d *topology.Design) (*time.Duration, error) {
	if q.at == "" {
		return nil, nil
	}
	text, sign := q.at, time.Duration(1)
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		text, sign = rest, -1
	}
	t, err := topology.ParseDuration(text)
	if err != nil {
		return nil, usagef("", "--at: %v", err)
	}
	t *= sign
	if t < -d.Warmup || t > d.For {
		return nil, usagef("", "--at: %s is outside the run, which goes from -%s to %s", q.at, topology.FormatDuration(d.Warmup), topology.FormatDuration(d.For))
	}
	return &t, nil
}

// possible refuses what cannot be asked of a graph of ASes.
func (q *asked) possible(d *topology.Design) error {
	if d.Internet == nil {
		return nil
	}
	asked := map[string]bool{"--wire-check": q.wire, "--at": q.at != ""}
	asked["explain"] = q.explain
	for _, o := range q.files {
		asked["-o "+o.path] = o.record
	}
	for _, s := range q.show {
		asked["--show "+s] = s != "convergence"
	}
	for _, what := range slices.Sorted(maps.Keys(asked)) {
		if asked[what] {
			return usagef("generate a graph of at most 500 ASes for that", "%s: of a graph of %d ASes the control plane only is simulated, and nothing is recorded", what, len(d.Internet.Graph.ASNs))
		}
	}
	return nil
}

// answer runs the scenario.
func (a *app) answer(name string, q *asked, whatIf explain.Depth, capture bool) (*explain.Answer, int, error) {
	src, err := a.open(name)
	if err != nil {
		return nil, 0, err
	}
	d, err := src.load(q.sets)
	if err != nil {
		return nil, 0, err
	}
	at, err := q.instant(d)
	if err != nil {
		return nil, 0, err
	}
	if err := q.possible(d); err != nil {
		return nil, 0, err
	}
	warnings, err := a.lints(d)
	if err != nil {
		return nil, 0, err
	}
	for _, pair := range q.watch {
		if d.Internet != nil {
			return nil, 0, usagef("", "--watch %s: nothing is forwarded in a graph of ASes without packets", pair)
		}
		if _, err := d.ParseWatch(pair); err != nil {
			return nil, 0, usagef("", "--watch %s: %v", pair, err)
		}
	}
	answer, err := explain.Run(explain.Ask{
		Load: src.load, Seed: q.seed, Sets: q.sets, Version: version(),
		At: at, WhatIf: whatIf, Wire: q.wire, Capture: capture, Watch: q.watch,
	})
	return answer, warnings, err
}

func (a *app) runCommand() *cobra.Command {
	var (
		q         asked
		paths     []string
		style     string
		all       bool
		noWhatIf  bool
		strict    bool
		showTypes = strings.Join(report.Views, ", ")
	)
	cmd := &cobra.Command{
		Use:   "run [SCENARIO]",
		Short: "Run a scenario: which probes are lost, for how long, and why",
		Long: `Run a scenario once. Prints what ping would have printed, then for every gap how
long it really was in each direction, the chain of waits that adds up to it, what
had nothing to do with it, and what would have made it shorter (each of these is
the same run again, with one thing changed).

-o FILE writes the run for other programs; the suffix says how:
  .pcapng      every packet, for Wireshark and tshark
  .mrt         every BGP message, for bgpdump
  .ndjson      every event, one JSON object a line
  .trace.json  the run as a picture, for https://ui.perfetto.dev
  .svg         a timeline of sessions, tunnels, routes and probes
  .json, .md   the answer, as --format json and md print it`,
		Example: `  vpnsim run --seed 2                          another draw of everything random
  vpnsim run --set 'story[0].notify=true'      if the far end were told
  vpnsim run --show routes --at 80s            the tables before the failure
  vpnsim run aws-gcp-blackhole -o x.pcapng     another scenario that ships with vpnsim
  vpnsim scenarios aws-gcp | vpnsim run -      a scenario from standard input`,
		Args: atMost(1, "run takes one scenario"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := known("--show", q.show, report.Views); err != nil {
				return err
			}
			if _, err := probe.ParseStyle(style); err != nil {
				return usagef("", "--ping-style: %v", err)
			}
			var err error
			if q.files, err = outputs(paths); err != nil {
				return err
			}
			whatIf := explain.ChainOnly
			if noWhatIf {
				whatIf = explain.NoWhatIf
			}
			answer, warnings, err := a.answer(first(args), &q, whatIf, slices.ContainsFunc(q.files, func(o output) bool { return o.packets }))
			if err != nil {
				return err
			}
			held := answer.Expect()
			if err := writeFiles(q.files, answer); err != nil {
				return err
			}
			opt := a.options(a.out)
			opt.Show, opt.Ping, opt.All = q.show, style, all
			if q.at != "" && len(q.show) == 0 {
				opt.Show = append(report.Usual(*answer.Doc), "routes")
			}
			if err := a.print(answer.Doc, report.Text, opt); err != nil {
				return err
			}
			if r := answer.Result; r != nil && len(r.Wire) > 0 {
				for _, err := range r.Wire {
					a.complain(fmt.Sprintf("wire check: %v", err), "")
				}
				return ending(exitFailed)
			}
			unexpected := answer.Result != nil && answer.Result.Cut && !answer.EndingExpected
			if unexpected {
				a.complain(fmt.Sprintf("the run was ended at %.3f s: routing did not come to rest", answer.Result.End.Seconds()),
					"if that is what you want to see, say so: expect: not converged")
			}
			switch {
			case unexpected:
				return ending(exitFailed)
			case !held:
				return ending(exitFailed)
			case strict && warnings > 0:
				return ending(exitNothing)
			case strict && len(answer.Doc.Expectations) == 0:
				a.complain("nothing was tested: the scenario has no expectations", "add `expect:` to it, or leave out --strict")
				return ending(exitNothing)
			case strict && !slices.ContainsFunc(answer.Doc.Expectations, func(e report.Expectation) bool { return !e.Many }):
				a.complain("nothing was tested: what the scenario expects is over many runs", "`vpnsim test` judges that")
				return ending(exitNothing)
			}
			return nil
		},
	}
	q.flags(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&q.show, "show", nil, "what to print: `views` of "+showTypes+" (default: ping and gaps; without a probe, convergence)")
	f.StringArrayVar(&q.watch, "watch", nil, "follow the forwarding between `FROM,TO`, two hosts, addresses or routers, besides that of the probes")
	f.StringArrayVarP(&paths, "output", "o", nil, "write the run to `file`, too; the suffix says how")
	f.StringVar(&style, "ping-style", "iputils", "arithmetic of ping's last line, `style` iputils or centos7")
	f.BoolVar(&all, "all", false, "every reply line, none left out")
	f.BoolVar(&q.wire, "wire-check", false, "send every message through real bytes and back, and compare")
	f.BoolVar(&noWhatIf, "no-what-if", false, "do not run again with things changed")
	f.BoolVar(&strict, "strict", false, "exit with 3 if there are warnings, or nothing is expected")
	return cmd
}

// first is the scenario of the command line.
func first(args []string) string {
	if len(args) == 0 {
		return builtin
	}
	return args[0]
}

func atMost(n int, message string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return usagef("", "%s: %q is one too many", message, args[n])
		}
		return nil
	}
}

// known checks the values of a flag that takes words.
func known(flag string, values, words []string) error {
	for _, v := range values {
		if !slices.Contains(words, v) {
			return usagef(scenarios.DidYouMean(v, words), "%s %q is not known", flag, v)
		}
	}
	return nil
}
