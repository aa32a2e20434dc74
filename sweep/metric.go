package sweep

import (
	"slices"

	"github.com/vpnsim/vpnsim/stats"
)

// Metric is a number that every run gives.
type Metric struct {
	Name  string
	Unit  Unit
	Means string
}

// Unit of a metric.
type Unit string

const (
	Duration Unit = "s" // counted in nanoseconds, shown in seconds
	Count    Unit = "1"
)

// width of the bins that a unit is counted in.
func (u Unit) width() int64 {
	if u == Duration {
		return stats.Millisecond
	}
	return 1
}

// The metrics of a scenario with probes, over all of them …
const (
	Gap     = "gap"
	Request = "request"
	Reply   = "reply"
	Outage  = "outage"
	Lost    = "lost"
)

// … and of any scenario.
const (
	Convergence = "convergence"
	Updates     = "updates"
)

// Drops can be had of every scenario.
const Drops = "drops"

// Metrics are all that a scenario's runs can be asked for.
var Metrics = []Metric{
	{Gap, Duration, "the longest interval of a run in which a round trip would fail"},
	{Request, Duration, "the longest time in one outage during which the way there was broken"},
	{Reply, Duration, "the longest time in one outage during which the way back was broken"},
	{Outage, Duration, "all intervals of a run in which a round trip would fail, together"},
	{Lost, Count, "probes without a reply"},
	{Convergence, Duration, "the longest time that routing took to react to one event of the story; without a story, how long the network took to come up"},
	{Updates, Count, "announcements and withdrawals after the first event of the story (without a story, all of them), counted prefix by prefix"},
	{Drops, Count, "BGP sessions and tunnels that were dropped although the story had done nothing to them: false alarms of hold timers, BFD and dead peer detection"},
}

// Find is the metric of that name.
func Find(name string) (Metric, bool) {
	i := slices.IndexFunc(Metrics, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		return Metric{}, false
	}
	return Metrics[i], true
}
