package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vpnsim/vpnsim/scenarios"
)

// app is one invocation: where it reads and writes, and the flags that every
// command has.
type app struct {
	in       io.Reader
	out, err io.Writer

	format  string
	noColor bool
	ascii   bool
	quiet   bool
	width   int
}

const about = `vpnsim predicts what a failing tunnel, session or router does to your traffic:
which probes are lost, how long the outage is in each direction, exactly which
wait makes it that long, and why each router chose the path it chose.

A command without SCENARIO takes the one that ships with the program: two VPN
tunnels between AWS and GCP, the best one deleted. SCENARIO is a file, the name
of a scenario that ships with the program (vpnsim scenarios), git:REV:PATH for a
file in another revision, or - for standard input. The result goes to standard
output, warnings to standard error.

Exit codes: 0 ok; 1 an expectation failed (or the wire check, or --fail-on of
diff and lab compare, or a trial of a lab, which Ctrl-C ends, too); 2 bad usage
or scenario, or an output that cannot be written; 3 nothing was tested (run: with
--strict, as are warnings); 4 check --env: an optional program is not installed;
lab: the machine lacks something.`

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "vpnsim",
		Short: "Predict failover gaps of redundant VPN and BGP designs",
		Long:  about,
		Example: `  vpnsim run                                  the failover that this program began with
  vpnsim run --set routers.aws.bgp.hold=9s    the same with another hold timer
  vpnsim run my.yaml --seed 7 -o run.pcapng   your own, and what Wireshark would have seen
  vpnsim explain route gcp 10.2.0.6           where packets go, and why
  vpnsim fit ping.log my.yaml                 which timer explains the gap that a real ping saw
  vpnsim check my.yaml -v                     what is wrong with it, and every value it uses`,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              a.unknownCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("vpnsim {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	f := root.PersistentFlags()
	f.StringVar(&a.format, "format", "text", "`how` to print: text, json or md")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "no warnings on standard error")
	f.BoolVar(&a.noColor, "no-color", false, "no colour; so does the environment variable NO_COLOR")
	f.BoolVar(&a.ascii, "ascii", false, "no signs beyond ASCII")
	f.IntVar(&a.width, "width", 0, "`columns` of the page; 0: those of the terminal, and without one no limit")
	// Cobra would take -v for this, which means something else to check.
	root.Flags().Bool("version", false, "print the version")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.globals(cmd) }
	root.AddCommand(a.runCommand(), a.explainCommand(), a.sweepCommand(), a.tuneCommand(), a.diffCommand(), a.testCommand(), a.fitCommand(), a.checkCommand(), a.peerCommand(), a.labCommand(), a.exportCommand(), a.scenariosCommand())
	root.SetHelpCommand(a.helpCommand())
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

// formats are the values of --format; moreFormats annotates a command with those that
// it has besides.
var formats = []string{"text", "json", "md"}

const moreFormats = "formats"

func (a *app) globals(cmd *cobra.Command) error {
	formats := append(slices.Clone(formats), strings.Fields(cmd.Annotations[moreFormats])...)
	if !slices.Contains(formats, a.format) {
		return usagef(scenarios.DidYouMean(a.format, formats), "--format %q is not known", a.format)
	}
	if a.width < 0 || a.width > 0 && a.width < leastWidth {
		return usagef("", "--width %d is less than %d columns", a.width, leastWidth)
	}
	return nil
}

// helpCommand is cobra's, but for a command that does not exist.
func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about a command",
		RunE: func(help *cobra.Command, args []string) error {
			cmd, rest, err := help.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return a.unknownCommand(help.Root(), args)
			}
			return cmd.Help()
		},
	}
}

// unknownCommand says what was probably meant: another command, or to run the
// scenario of that name.
func (a *app) unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	_, builtin := scenarios.Builtin(args[0])
	if _, err := os.Stat(args[0]); err == nil || builtin || strings.HasSuffix(args[0], ".yaml") {
		return usagef(fmt.Sprintf("did you mean `vpnsim run %s`?", args[0]), "there is no command %q", args[0])
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usagef(scenarios.DidYouMean(args[0], append(names, "help")), "there is no command %q", args[0])
}

// flagError adds what was probably meant to pflag's complaint.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		invalid *pflag.InvalidValueError
	)
	if errors.As(err, &invalid) {
		kind := "valid"
		switch invalid.GetFlag().Value.Type() {
		case "uint64":
			kind = "a whole number, 0 or more"
		case "int":
			kind = "a whole number"
		}
		return usagef("", "--%s: %q is not %s", invalid.GetFlag().Name, invalid.GetValue(), kind)
	}
	if !errors.As(err, &unknown) {
		return usagef(fmt.Sprintf("`%s --help` lists the flags", cmd.CommandPath()), "%s", err)
	}
	name := unknown.GetSpecifiedName()
	if len(name) == 1 {
		return usagef(fmt.Sprintf("`%s --help` lists the flags", cmd.CommandPath()), "there is no flag -%s", name)
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			known = append(known, "--"+f.Name)
		}
	})
	help := scenarios.DidYouMean("--"+name, known)
	if !strings.HasPrefix(help, "did you mean") {
		help = fmt.Sprintf("`%s --help` lists the flags", cmd.CommandPath())
	}
	return usagef(help, "there is no flag --%s", name)
}
