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
	var all []gathered
	for i, c := range cases {
		if errs[i] != nil {
			return nil, errs[i]
		}
		seen := gapsOf(c, predictions[i])
		all = append(all, gather(c, seen, predictions[i]))
		doc.Cases = append(doc.Cases, one(c, seen, predictions[i], plans[i]))
		x := &doc.Cases[i]
		x.Note = ask.Notes[c.Name]
		doc.Trials, doc.Failed, doc.Duplicates = doc.Trials+x.Measured.N, doc.Failed+x.Failed, doc.Duplicates+c.Duplicates
		doc.Versions, doc.Programs, doc.Kernels = union(doc.Versions, c.Versions), union(doc.Programs, c.Programs), union(doc.Kernels, c.Kernels)
	}
	judge(doc)
	doc.Together, doc.Timers = together(all), blame(doc)
	doc.Remarks = remarks(doc, cases)
	return doc, nil
}

// gapsOf are the longest gaps of a case's trials as they are compared: one that had not ended
// with its trial is no longer than those that are predicted not to end, only watched for some
// seconds more.
func gapsOf(c *Case, p *prediction) (seen []int64) {
	for _, t := range c.Good() {
		gap := int64(t.GapS)
		if p.open > 0 && open(&t) {
			gap = min(gap, slices.Max(p.gaps))
		}
		seen = append(seen, gap)
	}
	return seen
}

// one case.
func one(c *Case, seen []int64, p *prediction, plan *lab.Plan) report.LabCase {
	x := report.LabCase{Case: c.Name, Scenario: c.Scenario, ScenarioSHA256: c.ScenarioSHA256, Changed: plan.Scenario.SHA256 != c.ScenarioSHA256,
		Sets: c.Sets, Routers: c.Routers, Tunnel: c.Tunnel, LengthS: c.LengthS, Programs: c.Programs, Kernels: c.Kernels}
	good := c.Good()
	x.Failed = len(c.Trials) - len(good)
	unfinished, gaps := 0, []int64(nil)
	for i := range good {
		gaps = append(gaps, int64(good[i].GapS))
		if open(&good[i]) {
			unfinished++
		}
	}
	compareGaps(&x, seen, p.gaps, p.every)
	x.Measured = sample(split(gaps)) // as they were measured
	x.Measured.Open, x.Predicted.Open = unfinished, p.open
	x.Events = events(c, p)
	return x
}

// open tells whether the longest gap of a trial had not ended with it; what was sent in its
// last second may have been on its way.
func open(t *report.LabTrial) bool {
	return slices.ContainsFunc(t.Pings, func(p report.LabPing) bool { return p.GapS == t.GapS && int64(t.GapS) > instant && p.MostS == nil })
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// fewRuns do not show how short and how long predicted gaps can be.
const fewRuns = 100

// remarks are what has to be known to read the rest.
func remarks(doc *report.LabCompare, cases []*Case) (list []string) {
	if doc.Runs < fewRuns {
		list = append(list, fmt.Sprintf("So few simulated runs (%d) do not show the range of the predicted gaps, and a case that is said to leave it may be in it; take %d at least.", doc.Runs, fewRuns))
	}
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
	var apart, failed, unfinished []string
	changed := map[string][]string{} // by scenario
	var scenarios []string
	for i, c := range cases {
		x := &doc.Cases[i]
		if names[c.Name]++; names[c.Name] == 2 {
			apart = append(apart, c.Name)
		}
		if x.Changed {
			if changed[c.Scenario] == nil {
				scenarios = append(scenarios, c.Scenario)
			}
			changed[c.Scenario] = append(changed[c.Scenario], c.Name)
		}
		if x.Failed > 0 {
			failed = append(failed, fmt.Sprintf("%s (%d of %d)", c.Name, x.Failed, len(c.Trials)))
		}
		share := percent(float64(x.Predicted.Open) / float64(x.Predicted.N))
		if x.Measured.N > 0 && (x.Measured.Open > 0 || share != percent(0)) {
			unfinished = append(unfinished, fmt.Sprintf("%s (%d of %d, predicted %s)", c.Name, x.Measured.Open, x.Measured.N, share))
		}
	}
	say := func(text string, list []string) []string {
		if len(list) == 0 {
			return nil
		}
		return []string{text + strings.Join(list, ", ") + "."}
	}
	list = append(list, say("Results with these names were made under several conditions, which stand apart: ", apart)...)
	for _, s := range scenarios {
		list = append(list, s+" is not what it was when this was measured: "+strings.Join(changed[s], ", ")+".")
	}
	list = append(list, say("Trials that failed do not count: ", failed)...)
	return append(list, say("Gaps that had not ended when measuring did are longer than they count: ", unfinished)...)
}
