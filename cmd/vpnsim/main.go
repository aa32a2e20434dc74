// Command vpnsim predicts how long traffic is lost when a tunnel, a session or
// a router of a redundant VPN and BGP design fails, which timer is to blame,
// and why each router chose its path.
//
// Here are flags and printing only, one file per command; what a command
// answers comes from the packages: scenarios reads the file, explain runs and
// looks into it, report writes the answer, export the record. What is common
// to the commands stands in its own files: source.go finds the scenario,
// output.go writes files, terminal.go knows the screen, exit.go the codes with
// which the program ends.
package main

import (
	"io"
	"os"
)

func main() {
	os.Exit(program(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// program is main with its surroundings as arguments. It returns the exit code.
func program(args []string, in io.Reader, out, err io.Writer) int {
	a := &app{in: in, out: out, err: err}
	root := a.command()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(err)
	return a.exitCode(root.Execute())
}
