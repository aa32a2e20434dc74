//go:build !linux

package lab

import (
	"context"
	"errors"
	"io"

	"github.com/vpnsim/vpnsim/daemonconf"
)

// Elsewhere than on Linux there are no network namespaces, and no lab.

var errLinux = errors.New("a lab takes Linux")

// Needs looks at the machine.
func Needs() []Need {
	return []Need{{What: "Linux", For: "network namespaces", Help: "run it on Linux, in a virtual machine for example"}}
}

// Version of a daemon that is installed.
func Version(d daemonconf.Daemon) string { return d.Title() }

// Kernel is its release.
func Kernel() string { return "" }

// Run does the trials.
func Run(context.Context, *Plan, Options) (*Results, error) { return nil, errLinux }

// RunAll does the trials of several plans.
func RunAll(context.Context, []Job, int, func(int, *Results) error) error { return errLinux }

// Small tells whether a lab takes Again here.
func Small() bool { return false }

// Enter does nothing here.
func Enter() error { return nil }

// Again runs this program once more.
func Again(context.Context, io.Reader, io.Writer, io.Writer) (int, error) { return 0, errLinux }

// Leftover is what a run that is dead has left behind.
type Leftover struct {
	Run       string
	Processes []int
	Spaces    []string
}

// Leftovers finds them.
func Leftovers() ([]Leftover, error) { return nil, nil }

// Clean removes what a dead run has left behind.
func (Leftover) Clean() error { return errLinux }

func swanVersion() string { return "" }
