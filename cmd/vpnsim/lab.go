package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/lab"
	"github.com/vpnsim/vpnsim/report"
)

func (a *app) labCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "The same scenario on real FRR, BIRD and GoBGP, measured beside predicted",
		Args:  a.unknownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.labRunCommand(), a.labCalibrateCommand(), a.labCompareCommand(), a.labDoctorCommand(), a.labCleanCommand())
	return cmd
}

func (a *app) labRunCommand() *cobra.Command {
	var (
		opt    = lab.Options{}
		flags  lab.Flags
		sets   []string
		length string
		all    bool
	)
	cmd := &cobra.Command{
		Use:   "run SCENARIO --with frr|bird|gobgp",
		Short: "Run a scenario on real daemons, and compare",
		Long: `Build a scenario from network namespaces with FRR, BIRD or GoBGP as its routers, have the
story's faults happen for real, ping with the real ping, and lay what was measured
beside what is predicted for these daemons: a simulation with their profiles in the
place of the scenario's, which keeps the scenario's timers.

Needs root, or user namespaces; ` + "`vpnsim lab doctor`" + ` says what else. No namespace is connected to anything
outside, and everything is removed in the end, after Ctrl-C, too; the trials that had
ended by then are printed. After a kill -9, ` + "`vpnsim lab clean`" + ` does it. A trial takes as
long as in the world: the time before the story's first event is cut short, and --for
cuts the end.

Text lists trials as they end; --format json has them in order. There is no --format md:
keep the JSON, and ` + "`vpnsim lab compare`" + ` makes a page of it.

Exit codes: 0 ok; 1 a trial failed, or Ctrl-C; 2 bad usage or scenario, or not supported;
4 the machine lacks something.`,
		Example: `  vpnsim lab run aws-gcp --with frr --trials 10 --for 50s
  vpnsim lab run aws-gcp --with frr --router aws=bird --parallel 4
  vpnsim lab run aws-gcp-blackhole --with bird --set routers.aws.bgp.hold=9s --format json
  vpnsim lab run aws-gcp-blackhole --with bird --pcap packets
  vpnsim lab run aws-gcp-notify --with bird --tunnel ipsec --for 30s`,
		Args: exactly(1, "lab run takes one scenario"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.format == "md" {
				return usagef("keep the json, and `vpnsim lab compare --format md` makes a page of it", "lab run prints text or json, not md")
			}
			if opt.Trials < 1 || opt.Parallel < 1 || opt.Runs < 1 {
				return usagef("", "--trials, --parallel and --runs are at least 1")
			}
			if length != "" {
				d, err := flagDuration(length)
				if err != nil {
					return usagef("", "--for: %v", err)
				}
				if d == 0 {
					return usagef("left out, a trial measures until the scenario ends", "--for: nothing is measured in %s", length)
				}
				opt.For = d
			}
			src, err := a.open(args[0])
			if err != nil {
				return err
			}
			d, err := src.load(sets)
			if err != nil {
				return err
			}
			if err := a.atHome(); err != nil {
				return err
			}
			plan, err := lab.NewPlan(d, flags)
			if err == nil {
				err = plan.Tells(opt)
			}
			var bad *lab.Problem
			if errors.As(err, &bad) {
				return usagef(bad.Help, "%s", bad.Message)
			} else if err != nil {
				return err
			}
			if opt.Pcap != "" {
				if err := folder("--pcap", opt.Pcap); err != nil {
					return err
				}
			}
			if err := a.lacking(plan.Lacks()); err != nil {
				return err
			}
			if done, err := a.asRoot(cmd.Context(), src.input()); done {
				return err
			}
			return a.lab(cmd.Context(), plan, opt, sets, all)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.With, "with", "", "the `daemon` that every router is: frr, bird or gobgp")
	f.StringArrayVar(&flags.Routers, "router", nil, "and one of them: `ROUTER=DAEMON`; may be given several times")
	f.IntVar(&opt.Trials, "trials", 5, "`number` of trials")
	f.IntVar(&opt.Parallel, "parallel", 1, "so `many` trials at the same time")
	f.IntVar(&opt.Runs, "runs", 400, "so `many` simulated runs to compare with")
	f.Uint64Var(&opt.Seed, "seed", 1, "the first trial's times, phases and choices are drawn from this `number`, the next trial's from the next")
	f.StringVar(&length, "for", "", "measure so `long` in each trial (otherwise: until the scenario ends)")
	f.BoolVarP(&all, "verbose", "v", false, "print every setting in which a daemon is not as the scenario has it")
	f.StringVar(&opt.Pcap, "pcap", "", "keep the routers' BGP packets of each trial in this `folder`, as pcapng")
	f.StringArrayVar(&sets, "set", nil, "change the scenario: `path=value`, such as routers.aws.bgp.hold=9s")
	f.StringVar(&flags.Tunnel, "tunnel", "plain", "what tunnels are made of: plain, or `ipsec` (strongSwan)")
	cmd.MarkFlagRequired("with")
	return cmd
}

// lab runs the plan and prints what comes of it.
func (a *app) lab(ctx context.Context, plan *lab.Plan, opt lab.Options, sets []string, all bool) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if left, _ := lab.Leftovers(); len(left) > 0 {
		a.warn(fmt.Sprintf("%d runs that are dead have left something behind: vpnsim lab clean", len(left)))
	}
	width, failed := a.options(a.out), 0
	var broken error // standard output
	opt.Each = func(number int, t *lab.Trial, err error) {
		if err != nil {
			failed++
		}
		if a.format == "json" || broken != nil {
			return
		}
		if broken = report.LabTrialText(a.out, plan.TrialDocument(number, opt.Seed+uint64(number-1), t, err), width); broken != nil {
			stop()
		}
	}
	res, err := lab.Run(ctx, plan, opt)
	stop() // a second Ctrl-C ends the program at once: nothing is left to be removed
	interrupted := errors.Is(err, context.Canceled)
	switch {
	case broken != nil:
		return printed(broken)
	case err != nil && !interrupted:
		a.complain(err.Error(), "")
		return ending(exitFailed)
	}
	if err == nil || res.Interrupted {
		doc := plan.Document(opt, res)
		doc.Version, doc.Sets = version(), sets
		if a.format == "json" {
			err = report.LabJSON(a.out, doc)
		} else {
			err = report.LabText(a.out, doc, all, width)
		}
		if err != nil {
			return printed(err)
		}
	}
	if interrupted {
		a.complain("interrupted; every namespace and process has been removed", "")
	}
	if failed > 0 || interrupted {
		return ending(exitFailed)
	}
	return nil
}

func (a *app) labDoctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "What this machine has of what a lab needs",
		Long: `List what a lab needs, and what of it is here, in which version.

Exit codes: 0 a lab can run, with one daemon at least; 4 it cannot.`,
		Args: none("lab doctor"),
		RunE: func(*cobra.Command, []string) error {
			needs := lab.Needs()
			doc := report.LabDoctor{VPNSim: "v1", Ready: lab.Ready(needs)}
			for _, n := range needs {
				help := n.Help
				if n.Have != "" {
					help = ""
				}
				doc.Needs = append(doc.Needs, report.LabNeeds{What: n.What, Have: n.Have, For: n.For, Help: help})
			}
			var err error
			switch a.format {
			case "json":
				err = report.LabDoctorJSON(a.out, doc)
			case "text":
				err = report.LabDoctorText(a.out, doc, a.options(a.out))
			default:
				return usagef("", "lab doctor prints text or json, not %s", a.format)
			}
			if err == nil && !doc.Ready {
				return ending(exitLacks)
			}
			return printed(err)
		},
	}
}

func (a *app) labCleanCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "clean",
		Short: "Remove what labs that were killed have left behind",
		Long: `End the processes and remove the namespaces of labs whose own process is no longer
there. They are found by what each lab has written down about itself, by name, number
and time of birth; labs that are running are left alone, and so is everything else.`,
		Args: none("lab clean"),
		RunE: func(*cobra.Command, []string) error {
			if a.format != "text" {
				return usagef("", "lab clean prints text, not %s", a.format)
			}
			if os.Geteuid() != 0 {
				a.complain("root is missing", "run it as root (sudo)")
				return ending(exitLacks)
			}
			list, err := lab.Leftovers()
			if err != nil {
				return err
			}
			for _, l := range list {
				if err := l.Clean(); err != nil {
					return err
				}
				fmt.Fprintf(a.out, "%s: %d processes, %d namespaces: removed\n", l.Run, len(l.Processes), len(l.Spaces))
			}
			if len(list) == 0 {
				fmt.Fprintln(a.out, "nothing was left behind")
			}
			return nil
		},
	}
}

// none is for commands without arguments.
func none(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("", "%s takes no arguments, not %s", name, strings.Join(args, " "))
		}
		return nil
	}
}
