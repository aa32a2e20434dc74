package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
)

// questions that explain answers, and the words that each takes.
var questions = []struct {
	name  string
	words []string
}{
	{"gap", nil},
	{"best", []string{"ROUTER", "PREFIX"}},
	{"route", []string{"ROUTER", "IP"}},
	{"forwarding", []string{"FROM", "TO"}}, // or none of them
	{"convergence", nil},
}

// question is what explain was asked.
type question struct {
	scenario string
	name     string
	number   int // gap:N, convergence:N; 0: all of them
	words    []string
}

func (a *app) explainCommand() *cobra.Command {
	q := asked{explain: true}
	cmd := &cobra.Command{
		Use:   "explain [SCENARIO] gap[:N] | best ROUTER PREFIX | route ROUTER IP | forwarding [FROM TO] | convergence[:N]",
		Short: "Explain a gap, a loop, how long routing took, or why a router chose its path",
		Long: `Explain a run of a scenario.

  gap[:N]             every gap, or the N-th one: the waits that it consists of,
                      every suspect that had nothing to do with it (tried, not
                      argued), and what would have made it shorter
  best ROUTER PREFIX  which path the router has chosen, and which rule of its
                      decision process decided
  route ROUTER IP     where the router sends packets to that address, and why
  forwarding [FROM TO]  every black hole, loop and stale return path between two
                      hosts, addresses or routers (or all pairs that are
                      watched): by which entries of which tables, and the
                      waits that it took to end it
  convergence[:N]     how routing reacted to every event of the story, or to the
                      N-th one: until its last change, and the waits that this
                      consists of, for the prefix that took longest`,
		Example: `  vpnsim explain gap
  vpnsim explain gap --set routers.aws.bgp.mrai=60s
  vpnsim explain best gcp 10.2.0.0/16 --at 80s
  vpnsim explain my.yaml route aws 10.1.0.2
  vpnsim explain mrai-loop forwarding a o
  vpnsim explain clique convergence`,
		RunE: func(_ *cobra.Command, args []string) error {
			ask, err := parseQuestion(args)
			if err != nil {
				return err
			}
			depth := explain.NoWhatIf
			if ask.name == "gap" {
				depth = explain.EverySuspect
			}
			if q.at != "" && ask.name != "best" && ask.name != "route" {
				return usagef("gaps and events have their own time", "--at goes with best and route")
			}
			opt := a.options(a.out)
			switch ask.name {
			case "forwarding":
				opt.Show = []string{"forwarding"}
				if len(ask.words) > 0 {
					q.watch = append(q.watch, strings.Join(ask.words, ","))
				}
			case "convergence":
				opt.Show = []string{"convergence"}
			}
			answer, _, err := a.answer(ask.scenario, &q, depth, false)
			if err != nil {
				return err
			}
			switch ask.name {
			case "best":
				err = answer.Best(ask.words[0], ask.words[1])
			case "route":
				err = answer.Route(ask.words[0], ask.words[1])
			case "forwarding":
				err = answer.Forwarding(ask.pair())
			case "convergence":
				err = answer.Convergence(ask.number)
			default:
				err = answer.Gap(ask.number)
			}
			if err != nil {
				return usagef("", "%v", err)
			}
			return a.print(answer.Doc, report.Explanation, opt)
		},
	}
	q.flags(cmd)
	return cmd
}

// parseQuestion takes the words apart. The first is a scenario unless it is a
// question; a file called like one is written ./gap.
func parseQuestion(args []string) (question, error) {
	q := question{scenario: builtin, name: "gap"}
	if len(args) > 0 && !isQuestion(args[0]) {
		if len(args) > 1 && !isQuestion(args[1]) {
			return q, usagef(didYouMeanQuestion(args[1]), "%q is no question", args[1])
		}
		if _, shipped := scenarios.Builtin(args[0]); len(args) > 1 || shipped || looksLikeFile(args[0]) {
			q.scenario, args = args[0], args[1:]
		} else {
			return q, usagef(didYouMeanQuestion(args[0]), "%q is no question and no scenario", args[0])
		}
	}
	if len(args) == 0 {
		return q, nil
	}
	name, number, numbered := strings.Cut(args[0], ":")
	q.name, q.words = name, args[1:]
	if numbered {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 {
			return q, usagef("write "+name+":1", "%q: they are numbered from 1", args[0])
		}
		q.number = n
	}
	for _, x := range questions {
		if x.name == "forwarding" && len(q.words) == 0 {
			continue
		}
		if x.name == name && len(q.words) != len(x.words) {
			return q, usagef(strings.TrimSpace(fmt.Sprintf("write `vpnsim explain [SCENARIO] %s %s", name, strings.Join(x.words, " ")))+"`",
				"%s takes %d words, not %d", name, len(x.words), len(q.words))
		}
	}
	return q, nil
}

// pair is what forwarding was asked about; empty: all pairs.
func (q *question) pair() (from, to string) {
	if len(q.words) == 2 {
		from, to = q.words[0], q.words[1]
	}
	return from, to
}

func isQuestion(s string) bool {
	for _, q := range questions {
		if s == q.name || (q.name == "gap" || q.name == "convergence") && strings.HasPrefix(s, q.name+":") {
			return true
		}
	}
	return false
}

func didYouMeanQuestion(s string) string {
	var names []string
	for _, q := range questions {
		names = append(names, q.name)
	}
	return scenarios.DidYouMean(s, names)
}
