package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/vpnsim/vpnsim/fit"
	"github.com/vpnsim/vpnsim/pinglog"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// Fewer runs say nothing, more would not fit into memory.
const (
	leastFitRuns = 100
	mostFitRuns  = 1_000_000
)

func (a *app) fitCommand() *cobra.Command {
	var (
		ask      fit.Ask
		interval string
		priors   []string
	)
	cmd := &cobra.Command{
		Use:   "fit [PINGLOG...] [SCENARIO]",
		Short: "Which mechanism explains the gap that a real ping saw",
		Long: `Read logs of real pings and find out which mechanism explains them. Each row of
lost probes bounds an outage; every rival mechanism (hold timer, dead peer
detection, MRAI, BFD, a peer that is told, route programming) is simulated many
times in SCENARIO, and the share of runs that would have shown just that is its
likelihood. Several logs, and several gaps in one, are independent tries.

PINGLOG is what ping (Linux, BusyBox, BSD, macOS), fping or mtr --raw has printed,
or - for standard input; without it, the ping that aws-gcp comes from. SCENARIO is
a .yaml file or the name of one that ships with the program.

Mechanisms, for --prior: ` + strings.Join(fit.Keys, ", ") + `.`,
		Example: `  vpnsim fit                                 the gap that this program began with
  vpnsim fit --instant 3                     … and three tries in which nothing was lost
  vpnsim fit monday.log tuesday.log my.yaml
  vpnsim fit ping.log --interval 0.2s --prior mrai-tick=0.1`,
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case ask.Runs < leastFitRuns || ask.Runs > mostFitRuns:
				return usagef("", "-n %d is not between %d and %d", ask.Runs, leastFitRuns, mostFitRuns)
			case ask.Instant < 0:
				return usagef("", "--instant %d is negative", ask.Instant)
			case ask.Least < 1:
				return usagef("", "--least %d: a gap has one lost probe at least", ask.Least)
			}
			var err error
			if ask.Prior, err = parsePriors(priors); err != nil {
				return err
			}
			var every time.Duration
			if interval != "" {
				if every, err = topology.ParseDuration(interval); err != nil || every < time.Millisecond || every > 10*time.Minute {
					return usagef("write --interval 0.2s; it is between 1ms and 10m", "--interval: %q is no interval between probes", interval)
				}
			}
			logs, scenario, err := fitArguments(args)
			if err != nil {
				return err
			}
			if ask.Logs, err = a.pingLogs(logs); err != nil {
				return err
			}
			if every > 0 {
				for _, l := range ask.Logs {
					l.SetInterval(every)
				}
			}
			src, err := a.open(scenario)
			if err != nil {
				return err
			}
			d, err := src.load(ask.Sets)
			if err != nil {
				return err
			}
			if _, err := a.lints(d); err != nil {
				return err
			}
			ask.Load, ask.Version = src.load, version()
			if f, ok := a.err.(*os.File); ok && !a.quiet && term.IsTerminal(int(f.Fd())) {
				ask.Progress = func(done, of int) {
					fmt.Fprintf(f, "\rsimulating: %d of %d", done, of)
					if done == of {
						fmt.Fprint(f, "\r\x1b[K")
					}
				}
			}
			doc, err := fit.Fit(ask)
			if err != nil {
				var bad *badScenario
				var at *pinglog.Error
				switch {
				case errors.As(err, &bad):
					return err
				case errors.As(err, &at):
					return &badScenario{[]report.Diagnostic{inLog(at)}}
				}
				return unreadable(src.name, err.Error(), "")
			}
			switch a.format {
			case "json":
				err = report.FitJSON(a.out, *doc)
			case "md":
				err = report.FitMarkdown(a.out, *doc)
			default:
				err = report.FitText(a.out, *doc, a.options(a.out))
			}
			return printed(err)
		},
	}
	f := cmd.Flags()
	f.IntVarP(&ask.Runs, "runs", "n", 10000, "simulate each mechanism `N` times; one that has not shown the gap in 2000 is left at that")
	f.Uint64Var(&ask.Seed, "seed", 1, "seed of the first run; the others follow it")
	f.StringArrayVar(&ask.Sets, "set", nil, "change the scenario first: `path=value`")
	f.IntVar(&ask.Instant, "instant", 0, "`tries` besides the logs, in which nothing was lost")
	f.IntVar(&ask.Least, "least", 2, "fewer lost `probes` in a row are no gap but chance")
	f.StringVar(&interval, "interval", "", "the `time` between two probes, whatever the logs say")
	f.StringArrayVar(&priors, "prior", nil, "weight of mechanisms before the logs are looked at: `hold=2,bfd=0`; 1 if not given")
	return cmd
}

// fitArguments tells logs from the scenario.
func fitArguments(args []string) (logs []string, scenario string, err error) {
	for _, arg := range args {
		_, shipped := scenarios.Builtin(arg)
		_, problem := os.Stat(arg)
		if strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml") || shipped && problem != nil {
			if scenario != "" {
				return nil, "", usagef("", "%q is one too many: there is one scenario, %s", arg, scenario)
			}
			scenario = arg
			continue
		}
		if slices.Contains(logs, arg) {
			return nil, "", usagef("the same try twice is no second one", "%s is given twice", arg)
		}
		logs = append(logs, arg)
	}
	if scenario == "" {
		scenario = builtin
	}
	return logs, scenario, nil
}

// pingLogs reads them; every error at once.
func (a *app) pingLogs(names []string) ([]*pinglog.Log, error) {
	if len(names) == 0 {
		name, data := scenarios.SeedPing()
		l, err := pinglog.Read(name, data)
		return []*pinglog.Log{l}, err
	}
	var (
		logs []*pinglog.Log
		all  []report.Diagnostic
	)
	for _, name := range names {
		l, err := a.pingLog(name)
		if err == nil {
			logs = append(logs, l)
			continue
		}
		var bad *badScenario
		var at *pinglog.Error
		switch {
		case errors.As(err, &bad):
			all = append(all, bad.problems...)
		case errors.As(err, &at):
			all = append(all, inLog(at))
		}
	}
	if len(all) > 0 {
		return nil, &badScenario{all}
	}
	return logs, nil
}

// inLog is what is wrong with a log as it is printed.
func inLog(e *pinglog.Error) report.Diagnostic {
	return report.Diagnostic{File: e.File, Line: e.Line, Col: e.Col, Severity: "error", Message: e.Message, Help: e.Help}
}

func (a *app) pingLog(name string) (*pinglog.Log, error) {
	in := a.in
	if name != "-" {
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			help := scenarios.DidYouMean(name, scenarios.BuiltinNames())
			if !strings.HasPrefix(help, "did you mean") {
				help = "a log is a file with what ping has printed: ping … | tee ping.log"
			}
			return nil, unreadable(name, "there is no such file, and no scenario of that name ships with vpnsim", help)
		case err != nil:
			return nil, unreadable(name, "cannot be read: "+reason(err), "")
		case info.IsDir():
			return nil, unreadable(name, "is a directory", "name the files in it")
		case info.Mode().IsRegular() && info.Size() > pinglog.MaxFile:
			// Not a byte of it is read.
			return nil, unreadable(name, fmt.Sprintf("%d bytes are more than the %d that a log may have", info.Size(), pinglog.MaxFile), "cut out the minutes around the gap")
		}
		f, err := os.Open(name)
		if err != nil {
			return nil, unreadable(name, "cannot be read: "+reason(err), "")
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, pinglog.MaxFile+1))
	if err != nil {
		return nil, unreadable(name, "cannot be read: "+reason(err), "")
	}
	return pinglog.Read(name, data)
}

// parsePriors reads hold=2,bfd=0.
func parsePriors(list []string) (map[string]float64, error) {
	priors := map[string]float64{}
	for _, text := range list {
		for part := range strings.SplitSeq(text, ",") {
			key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
			if !ok {
				return nil, usagef("write --prior hold=2,bfd=0", "--prior: %q gives no weight", part)
			}
			if !slices.Contains(fit.Keys, key) {
				return nil, usagef(scenarios.DidYouMean(key, fit.Keys), "--prior: there is no mechanism %q", key)
			}
			w, err := strconv.ParseFloat(value, 64)
			if err != nil || w < 0 || w > 1e9 || math.IsNaN(w) {
				return nil, usagef("", "--prior %s: %q is no weight: 0 or more", key, value)
			}
			priors[key] = w
		}
	}
	if len(priors) == len(fit.Keys) && slices.Max(slices.Collect(maps.Values(priors))) == 0 {
		return nil, usagef("", "--prior: something must be possible")
	}
	return priors, nil
}
