//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/stats"
)

// Whoever presses Ctrl-C keeps the trials that have ended, beside a prediction.
func TestTrialsThatHaveEndedSurviveAnInterruption(t *testing.T) {
	if testing.Short() {
		t.Skip("real daemons, in real time")
	}
	p := plan(t, fmt.Sprintf(twoTunnels, `{at: 2s, shut: tun2, by: gcp}`), Flags{With: "gobgp"})
	if lacks := p.Lacks(); len(lacks) > 0 {
		t.Skipf("%s is missing: %s", lacks[0].What, lacks[0].Help)
	}
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	opt := Options{Trials: 3, Parallel: 1, Seed: 7, Runs: 10, For: 3 * time.Second}
	opt.Each = func(int, *Trial, error) { interrupt() }
	res, err := Run(ctx, p, opt)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if doc := p.Document(opt, res); !doc.Interrupted || len(doc.Trials) != 1 || doc.Trials[0].Seed != 7 || doc.Measured.N != 1 || doc.Predicted.N != 10 {
		t.Errorf("%+v", doc)
	}
}

// A trial that was interrupted is not in the document, and one that has failed is.
func TestTheDocumentOfAnInterruptedRun(t *testing.T) {
	p := plan(t, fmt.Sprintf(twoTunnels, `{at: 2s, shut: tun2, by: gcp}`), Flags{With: "bird"})
	res := newResults(4)
	res.add(1, nil, errors.New("bird has ended"))
	res.add(3, &Trial{Pings: []Ping{{Sent: 10, Received: 10}}}, nil)
	res.Interrupted, res.Predicted = true, stats.NewHistogram(stats.Millisecond)
	doc := p.Document(Options{Trials: 4, Seed: 1}, res)
	if !doc.Interrupted || len(doc.Trials) != 2 || doc.Trials[0].Number != 2 || doc.Trials[0].Error == "" || doc.Trials[1].Seed != 4 || doc.Measured.N != 1 {
		t.Errorf("%+v", doc)
	}
}
