package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/scenarios"
)

func (a *app) scenariosCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "scenarios [NAME]",
		Short: "List the scenarios that ship with vpnsim, or print one",
		Example: `  vpnsim scenarios
  vpnsim scenarios aws-gcp > my.yaml     to begin with your own`,
		Args: atMost(1, "scenarios takes one name"),
		RunE: func(_ *cobra.Command, args []string) error {
			if a.format != "text" {
				return usagef("leave --format out", "scenarios prints text only")
			}
			if len(args) == 1 {
				data, ok := scenarios.Builtin(args[0])
				if !ok {
					return usagef(suggestion(args[0]), "no scenario called %q ships with vpnsim", args[0])
				}
				_, err := a.out.Write(data)
				return printed(err)
			}
			names := scenarios.BuiltinNames()
			width := 0
			for _, n := range names {
				width = max(width, len(n))
			}
			var b strings.Builder
			for _, n := range names {
				data, _ := scenarios.Builtin(n)
				title := ""
				if d, _ := scenarios.Load(n, data, nil); d != nil {
					title = d.Name
				}
				fmt.Fprintf(&b, "%-*s  %s\n", width, n, title)
			}
			_, err := fmt.Fprint(a.out, b.String())
			return printed(err)
		},
	}
}
