package main

import (
	"errors"
	"fmt"

	"github.com/vpnsim/vpnsim/report"
)

// How the program ends. A script can tell a design that misses its goal from a
// command that was mistyped.
const (
	exitOK      = 0
	exitFailed  = 1 // an expectation failed
	exitBad     = 2 // bad usage or scenario
	exitNothing = 3 // nothing was tested; run: with --strict, which takes warnings for that, too
	exitLacks   = 4 // the environment lacks something
)

// usageError is what the user can mend, and how.
type usageError struct{ message, help string }

func (e *usageError) Error() string { return e.message }

func usagef(help, format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...), help}
}

// badScenario ends the program after every problem of a scenario is known.
type badScenario struct{ problems []report.Diagnostic }

func (e *badScenario) Error() string { return "the scenario cannot run" }

// nothingTested ends the program: there was nothing to be tested.
type nothingTested struct{ message, help string }

func (e *nothingTested) Error() string { return e.message }

// ending ends the program with a code; the answer has been printed.
type ending int

func (e ending) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitCode prints what went wrong and returns the code for it.
func (a *app) exitCode(err error) int {
	var (
		code  ending
		bad   *badScenario
		usage *usageError
		none  *nothingTested
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &bad):
		report.Diagnostics(a.err, bad.problems, a.options(a.err))
	case errors.As(err, &none):
		a.complain(none.message, none.help)
		return exitNothing
	case errors.As(err, &usage):
		a.complain(usage.message, usage.help)
	default:
		a.complain(err.Error(), "")
	}
	return exitBad
}

// complain writes a message that has no place in a file.
func (a *app) complain(message, help string) {
	report.Diagnostics(a.err, []report.Diagnostic{{File: "vpnsim", Message: message, Help: help}}, a.options(a.err))
}

// warn writes a remark that does not end the program.
func (a *app) warn(message string) {
	if !a.quiet {
		report.Diagnostics(a.err, []report.Diagnostic{{File: "vpnsim", Severity: "warning", Message: message}}, a.options(a.err))
	}
}
