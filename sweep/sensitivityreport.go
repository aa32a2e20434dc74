package sweep

import (
	"cmp"
	"slices"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/stats"
)

// Document says what was found, the strongest effect first.
func (s *Sensitivity) Document(id *Identity, version string) report.Sensitivity {
	doc := report.Sensitivity{VPNSim: "v1", Kind: "sensitivity", Version: version, Scenario: id.Scenario, Name: id.Name, ScenarioSHA256: id.SHA256, Sets: id.Sets,
		Metric: s.Metric.Name, Means: s.Metric.Means, Unit: string(s.Metric.Unit), FirstSeed: id.First, Runs: s.Seeds, Rows: s.Rows, Confidence: Confidence,
		Chance: indexOf(s.Chance)}
	for i := range s.Parameters {
		e := &s.Parameters[i]
		changed := e.Changed()
		_, mean := e.Strongest()
		x := report.SensitivityParameter{Path: e.Path, Changed: shareOf(changed), Nothing: changed.K == 0, Indices: indexOf(e.Sobol),
			Strength: inUnit(max(mean.Value, -mean.Value), s.Metric.Unit)}
		for j, p := range e.Pairs {
			x.Values = append(x.Values, report.SensitivityValue{Value: e.Values[j], N: p.N(), Changed: shareOf(p.Changed(Confidence)), Mean: meanOf(p.Mean(Confidence), s.Metric.Unit)})
		}
		doc.Parameters = append(doc.Parameters, x)
	}
	slices.SortStableFunc(doc.Parameters, func(a, b report.SensitivityParameter) int {
		return cmp.Or(cmp.Compare(b.Strength, a.Strength), cmp.Compare(b.Changed.Share, a.Changed.Share))
	})
	return doc
}

func indexOf(x stats.Index) report.SensitivityIndex {
	estimate := func(e stats.Estimate) report.SensitivityEstimate {
		return report.SensitivityEstimate{Value: e.Value, Low: e.Low, High: e.High}
	}
	return report.SensitivityIndex{First: estimate(x.First), Total: estimate(x.Total)}
}
