package measured

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vpnsim/vpnsim/lab"
	"github.com/vpnsim/vpnsim/report"
)

// Ask says what to compare with.
type Ask struct {
	// Plan builds that of a case again.
	Plan     func(*Case) (*lab.Plan, error)
	Runs     int // simulated, of each case
	Seed     uint64
	Workers  int               // cases at the same time
	Notes    map[string]string // to be printed beside cases, by name
	Version  string
	Progress func(done, all int)
}

// Compare makes the prediction of every case anew, and holds the trials against it.
func Compare(ctx context.Context, cases []*Case, ask Ask) (*report.LabCompare, error) {
	doc := &report.LabCompare{VPNSim: "v1", Kind: report.LabCompareKind, Version: ask.Version, Runs: ask.Runs, Seed: ask.Seed, Level: Level, Confidence: Confidence}
	plans := make([]*lab.Plan, len(cases))
	for i, c := range cases {
		var err error
		if plans[i], err = ask.Plan(c); err != nil {
			return nil, err
		}
	}
	predictions := make([]*prediction, len(cases))
	errs := make([]error, len(cases))
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		ended int
	)
	turns := make(chan struct{}, max(ask.Workers, 1))
	for i, c := range cases {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			predictions[i], errs[i] = predict(ctx, plans[i], time.Duration(c.LengthS), ask.Runs, ask.Seed)
			mu.Lock()
			defer mu.Unlock()
			if ended++; ask.Progress != nil {
				ask.Progress(ended, len(cases))
			}
		})
	}
	wg.Wait()
	for i, c := range cases {
		if errs[i] != nil {
			return nil, errs[i]
		}
		doc.Cases = append(doc.Cases, one(c, predictions[i], plans[i]))
		x := &doc.Cases[i]
		x.Note = ask.Notes[c.Name]
		doc.Trials, doc.Failed, doc.Duplicates = doc.Trials+x.Measured.N, doc.Failed+x.Failed, doc.Duplicates+c.Duplicates
		doc.Versions, doc.Programs, doc.Kernels = union(doc.Versions, c.Versions), union(doc.Programs, c.Programs), union(doc.Kernels, c.Kernels)
	}
	judge(doc)
	doc.Remarks = remarks(doc, cases)
	return doc, nil
}

// one case.
func one(c *Case, p *prediction, plan *lab.Plan) report.LabCase {
	x := report.LabCase{Case: c.Name, Scenario: c.Scenario, ScenarioSHA256: c.ScenarioSHA256, Changed: plan.Scenario.SHA256 != c.ScenarioSHA256,
		Sets: c.Sets, Routers: c.Routers, Tunnel: c.Tunnel, LengthS: c.LengthS, Programs: c.Programs, Kernels: c.Kernels}
	good := c.Good()
	x.Failed = len(c.Trials) - len(good)
	var seen []int64
	unfinished := 0
	for i := range good {
		seen = append(seen, int64(good[i].GapS))
		if open(&good[i]) {
			unfinished++
		}
	}
	compareGaps(&x, seen, p.gaps, p.every)
	x.Measured.Open, x.Predicted.Open = unfinished, p.open
	x.Events = events(c, p)
	return x
}

// open tells whether the longest gap of a trial had not ended with it.
func open(t *report.LabTrial) bool {
	return slices.ContainsFunc(t.Pings, func(p report.LabPing) bool { return p.GapS == t.GapS && t.GapS > 0 && p.MostS == nil })
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// remarks are what has to be known to read the rest.
func remarks(doc *report.LabCompare, cases []*Case) (list []string) {
	if doc.Duplicates > 0 {
		list = append(list, fmt.Sprintf("%d trials were there more than once and count once.", doc.Duplicates))
	}
	if len(doc.Kernels) > 1 {
		list = append(list, "Trials ran on different kernels: "+strings.Join(doc.Kernels, ", ")+".")
	}
	versions := map[string][]string{} // of a daemon
	for _, p := range doc.Programs {
		name, _, _ := strings.Cut(p, " ")
		versions[name] = append(versions[name], p)
	}
	for _, p := range doc.Programs {
		name, _, _ := strings.Cut(p, " ")
		if all := versions[name]; len(all) > 1 && all[0] == p {
			list = append(list, "Trials ran with different versions: "+strings.Join(all, ", ")+".")
		}
	}
	names := map[string]int{}
	for _, c := range cases {
		if names[c.Name]++; names[c.Name] == 2 {
			list = append(list, fmt.Sprintf("Not all results that are called %s were made under the same conditions; they stand apart.", c.Name))
		}
	}
	for i := range doc.Cases {
		if c := &doc.Cases[i]; c.Changed {
			list = append(list, fmt.Sprintf("%s: %s is not what it was when this was measured.", c.Case, c.Scenario))
		}
	}
	return list
}
