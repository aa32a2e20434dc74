package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
)

func (a *app) checkCommand() *cobra.Command {
	var (
		verbose, schema, strict, env bool
		sets                         []string
	)
	cmd := &cobra.Command{
		Use:   "check [SCENARIO...]",
		Short: "Find everything that is wrong with scenarios",
		Long: `Check scenarios without running them. Prints every error at once as
file:line:col: message, and warns of what is allowed but probably not meant.
With -v it lists every value that a run would use and where it comes from: a line
of the file, --set, a profile and its source, or an assumption.`,
		Example: `  vpnsim check my.yaml
  vpnsim check -v                        every value of the built-in scenario
  vpnsim check --strict scenarios/*.yaml for continuous integration
  vpnsim check --schema > vpnsim.json    for the editor's completion`,
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case schema && env:
				return usagef("ask for one of them", "--schema and --env are two questions")
			case (schema || env) && len(args) > 0:
				return usagef("", "%q is one too many: --schema and --env look at no scenario", args[0])
			case schema:
				text, err := scenarios.Schema()
				if err == nil {
					_, err = a.out.Write(text)
				}
				return printed(err)
			case env:
				return a.environment()
			}
			if len(args) == 0 {
				args = []string{builtin}
			}
			doc := report.Check{VPNSim: "v1", Kind: "check", Version: version()}
			errs, warnings := 0, 0
			for _, name := range args {
				s := a.checkOne(name, sets, verbose)
				errs += s.Errors
				warnings += s.Warnings
				doc.Scenarios = append(doc.Scenarios, s)
			}
			if err := a.printCheck(doc); err != nil {
				return err
			}
			switch {
			case errs > 0:
				return ending(exitBad)
			case strict && warnings > 0:
				return ending(exitNothing)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&verbose, "verbose", "v", false, "every value that a run would use, and where it comes from")
	f.BoolVar(&schema, "schema", false, "print the JSON Schema of scenarios")
	f.BoolVar(&strict, "strict", false, "exit with 3 if there are warnings")
	f.BoolVar(&env, "env", false, "which optional programs are installed; exit with 4 if one is not")
	f.StringArrayVar(&sets, "set", nil, "change the scenarios first: `path=value`")
	return cmd
}

// checkOne checks one scenario; that it cannot be read is its error.
func (a *app) checkOne(name string, sets []string, verbose bool) report.CheckedScenario {
	s := report.CheckedScenario{Scenario: name}
	src, err := a.open(name)
	if err == nil {
		s.Scenario = src.name
		s.ScenarioSHA256 = fmt.Sprintf("%x", sha256.Sum256(src.data))
		d, failed := src.load(sets)
		if err = failed; err == nil {
			s.OK, s.Name = true, d.Name
			s.Diagnostics = diagnostics(scenarios.Lint(d))
			for _, row := range scenarios.Effective(d) {
				if strings.HasPrefix(row.Origin, "assumed:") || strings.Contains(row.Origin, ", assumed:") || strings.HasPrefix(row.Path, "assume.") {
					s.Assumed++
				}
				if verbose {
					s.Values = append(s.Values, report.Value{Path: row.Path, Value: row.Value, Origin: row.Origin})
				}
			}
		}
	}
	var bad *badScenario
	if errors.As(err, &bad) {
		s.Diagnostics = bad.problems
	}
	for _, d := range s.Diagnostics {
		if d.Severity == "error" {
			s.Errors++
		} else {
			s.Warnings++
		}
	}
	return s
}

func (a *app) printCheck(doc report.Check) error {
	switch a.format {
	case "json":
		return printed(report.CheckJSON(a.out, doc))
	case "md":
		return printed(report.CheckMarkdown(a.out, doc))
	}
	return printed(report.CheckText(a.out, doc, a.options(a.out)))
}

// tools are programs that vpnsim does without, but that make more of what it
// writes; its tests use them when they are there.
var tools = []struct{ name, purpose, get string }{
	{"tshark", "reads .pcapng files; tests show it the captures", "apt install tshark"},
	{"bgpdump", "reads .mrt files; tests show it the BGP messages", "apt install bgpdump"},
}

// environment tells which of them are installed.
func (a *app) environment() error {
	missing := 0
	for _, t := range tools {
		path, err := exec.LookPath(t.name)
		if err != nil {
			missing++
			fmt.Fprintf(a.out, "%-8s missing: %s (%s)\n", t.name, t.purpose, t.get)
			continue
		}
		fmt.Fprintf(a.out, "%-8s %s: %s\n", t.name, path, t.purpose)
	}
	if missing > 0 {
		return ending(exitLacks)
	}
	return nil
}

// looksLikeFile tells a scenario from a slip of a question.
func looksLikeFile(s string) bool {
	_, err := os.Stat(s)
	return err == nil || s == "-" || strings.ContainsAny(s, "./\\")
}
