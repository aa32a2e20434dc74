package sweep

import (
	"errors"
	"fmt"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/topology"
)

// designSampler runs a design and reads the metrics off its result.
type designSampler struct {
	net     *network.Network
	metrics []Metric
	events  bool // the story has some; otherwise all that happens is that the network comes up
}

// NewSampler runs a design. The metrics are some of Metrics.
func NewSampler(d *topology.Design, metrics []Metric) (Sampler, error) {
	if d.Internet != nil {
		return nil, errors.New("a sweep over a graph of ASes without packets is not supported: generate a graph of at most 500 ASes")
	}
	opt := network.Options{}
	for _, m := range metrics {
		switch m.Name {
		case Gap, Request, Reply, Outage, Lost:
			if len(d.Probes) == 0 {
				return nil, fmt.Errorf("the scenario has no probe: there is no %s to be measured", m.Name)
			}
		case Convergence, Updates:
			opt.Convergence = true
		case Drops:
		default:
			return nil, fmt.Errorf("there is no metric %q", m.Name)
		}
	}
	return &designSampler{network.New(d, opt), metrics, len(d.Story) > 0}, nil
}

// Usual are the metrics that a design's sweep is about when nobody asks for others.
func Usual(d *topology.Design) []Metric {
	names := []string{Gap, Request, Reply, Outage, Lost}
	if len(d.Probes) == 0 {
		names = []string{Convergence, Updates}
	}
	var list []Metric
	for _, n := range names {
		m, _ := Find(n)
		list = append(list, m)
	}
	return list
}

// InstantOf is how short an outage has to be for a ping to lose no more than one probe: the
// shortest interval of the design's pings. 0: there is none.
func InstantOf(d *topology.Design) time.Duration {
	var shortest time.Duration
	for _, p := range d.Probes {
		if shortest == 0 || p.Every < shortest {
			shortest = p.Every
		}
	}
	return shortest
}

// Check is the digest of one run, which tells builds of the program apart.
func Check(d *topology.Design, seed uint64) string {
	return fmt.Sprintf("%016x", network.New(d, network.Options{}).Run(seed).Digest)
}

func (s *designSampler) Sample(seed uint64, out []int64) (r Remark, err error) {
	res := s.net.Run(seed)
	if res.Cut {
		r |= Cut
	}
	var gap, request, reply, outage time.Duration
	lost := 0
	for i := range res.Probes {
		p := &res.Probes[i]
		lost += p.Lost()
		for j := range p.Outages {
			o := &p.Outages[j]
			if o.Open {
				r |= Open
			}
			length := o.End.Sub(o.Start)
			outage += length
			gap, request, reply = max(gap, length), max(request, o.Request), max(reply, o.Reply)
		}
	}
	var slowest time.Duration
	updates := 0
	for i := range res.Reactions {
		x := &res.Reactions[i]
		if x.Fault < 0 && s.events {
			continue // it came up, and that is not what the story is about
		}
		if !x.Over {
			r |= Open
		}
		slowest = max(slowest, x.Last.Sub(x.At))
		updates += x.Announced + x.Withdrawn
	}
	drops := 0
	for i := range res.Drops {
		drops += res.Drops[i].Chance()
	}
	for i := range s.metrics {
		switch s.metrics[i].Name {
		case Drops:
			out[i] = int64(drops)
		case Gap:
			out[i] = int64(gap)
		case Request:
			out[i] = int64(request)
		case Reply:
			out[i] = int64(reply)
		case Outage:
			out[i] = int64(outage)
		case Lost:
			out[i] = int64(lost)
		case Convergence:
			out[i] = int64(slowest)
		case Updates:
			out[i] = int64(updates)
		}
	}
	return r, nil
}
