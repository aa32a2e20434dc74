package main

import (
	"bytes"
	"context"

	"github.com/vpnsim/vpnsim/lab"
)

// lacking says what a lab lacks here. The user is not asked to be root where a user
// namespace does.
func (a *app) lacking(list []lab.Need) error {
	said := map[string]bool{}
	for _, n := range list {
		if !said[n.What] {
			a.complain(n.What+" is missing", n.Help)
		}
		said[n.What] = true
	}
	if len(list) > 0 {
		return ending(exitLacks)
	}
	return nil
}

// asRoot has the same command run once more as root of a user namespace, for who is not
// root. Done: it has. input is what standard input was, if that has been read.
func (a *app) asRoot(ctx context.Context, input []byte) (done bool, _ error) {
	if !lab.Small() {
		return false, nil
	}
	code, err := lab.Again(ctx, bytes.NewReader(input), a.out, a.err)
	switch {
	case err != nil:
		a.complain(err.Error(), "run it as root (sudo)")
		return true, ending(exitLacks)
	case code != 0:
		return true, ending(code)
	}
	return true, nil
}

// atHome prepares the namespace that asRoot has made.
func (a *app) atHome() error {
	if err := lab.Enter(); err != nil {
		a.complain("a user namespace does not do here: "+err.Error(), "run it as root (sudo)")
		return ending(exitLacks)
	}
	return nil
}
