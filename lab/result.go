package lab

import (
	"fmt"
	"time"

	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/topology"
)

// Options of a run.
type Options struct {
	Trials   int
	Parallel int // so many trials at the same time
	Seed     uint64
	Runs     int           // of the simulation
	For      time.Duration // end each trial so long after its ping has begun; 0: the scenario's end
	Pcap     string        // keep what every router heard in this folder; empty: do not
	Each     func(number int, t *Trial, err error)
}

// Job is one plan of several that are run together.
type Job struct {
	Plan *Plan
	Opt  Options // but for Parallel
}

// Results of a run: in the order of the trials, nil for one that failed. One that has
// neither failed nor succeeded was interrupted, or never began.
type Results struct {
	Trials      []*Trial
	Errors      []error
	Measured    *stats.Histogram
	Predicted   *stats.Histogram
	Interrupted bool
}

func newResults(trials int) *Results {
	return &Results{Trials: make([]*Trial, trials), Errors: make([]error, trials), Measured: stats.NewHistogram(stats.Millisecond)}
}

// add what came of a trial, counted from 0.
func (r *Results) add(trial int, t *Trial, err error) {
	r.Trials[trial], r.Errors[trial] = t, err
	if err == nil {
		r.Measured.Add(int64(t.Gap()))
	}
}

// Length is how long each trial measures.
func (p *Plan) Length(opt Options) time.Duration {
	p.bringForward()
	length := p.Design.For - p.shift
	if opt.For > 0 {
		length = min(length, opt.For)
	}
	return length
}

// Tells says what is wrong with opt: in trials that end so soon nothing happens.
func (p *Plan) Tells(opt Options) error {
	length, first := p.Length(opt), p.Design.Story[0].At.Max()
	for i := range p.Design.Story {
		if f := &p.Design.Story[i]; f.Until == 0 {
			first = min(first, f.At.Max())
		}
	}
	if first -= p.shift; length <= first {
		return problem(fmt.Sprintf("the story's first event comes up to %s after a trial's beginning, and what comes of it has to be seen, too", topology.FormatDuration(first)),
			"trials of %s end before anything happens", topology.FormatDuration(length))
	}
	return nil
}

// Overhead is about how long a trial takes besides: to come up, and to settle.
func (p *Plan) Overhead() time.Duration { return 11*time.Second + p.settle() }

// Trial is what one run of the scenario on real daemons has shown.
type Trial struct {
	Seed    uint64
	Begin   time.Duration // the scenario's time at which the ping began
	Faults  []Fired
	Pings   []Ping
	Changes []Change
	// What the routers said to each other while the pings ran, except for keepalives,
	// and all that each said while the trial ran, counted. Of that, so many packets were
	// Missed.
	Messages []Message
	Speeches []Speech
	Missed   int
	SAs      []SA
}

// Fired is an event of the story that was done.
type Fired struct {
	Event int           // of the story
	At    time.Duration // by the scenario's clock
	Took  time.Duration // until it was done: an operator's command takes a while
}

// Ping is what one of them has seen.
type Ping struct {
	Probe          int
	Sent, Received int
	Gap            time.Duration // the longest: probes lost in a row, times the interval that ping has really kept
	Least, Most    time.Duration // so long it was in truth, by ping's own clock; Most 0: it had not ended
}

// Change is one of a router's kernel routes.
type Change struct {
	At     time.Duration // by the scenario's clock
	Router string
	Prefix string
	Via    string // empty: the route is gone
	Down   string // the interface that went down and took it; empty: the daemon changed it
}

// SA of a tunnel that has come, or gone, at one end.
type SA struct {
	At     time.Duration // by the scenario's clock
	Router string
	Tunnel string
	Up     bool
}

// Gap is the longest that any ping has seen.
func (t *Trial) Gap() (d time.Duration) {
	for _, p := range t.Pings {
		d = max(d, p.Gap)
	}
	return d
}
