package peer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/bgp/live"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
)

// Options of a run.
type Options struct {
	Seed   uint64
	Settle time.Duration // the story begins so long after every session has come up
	Wait   time.Duration // give up when they have not come up after so long; 0: never
	For    time.Duration // after the beginning of the story; 0: until the context ends
	Ready  func()        // called once the plan's addresses are listened at
	// Emit gets every line of the timeline, in order, from the goroutine of Run.
	Emit func(report.PeerLine)
}

// ErrNeverUp is how a run ends whose sessions have not come up in time.
var ErrNeverUp = errors.New("not every session has come up")

// ListenError is an address that cannot be listened at.
type ListenError struct {
	Addr netip.AddrPort
	Err  error
}

func (e *ListenError) Error() string { return fmt.Sprintf("cannot listen on %v: %v", e.Addr, e.Err) }
func (e *ListenError) Unwrap() error { return e.Err }

// runner is a run in progress. Everything of it belongs to the goroutine of Run.
type runner struct {
	plan *Plan
	opt  Options
	n    *network.Network
	log  *trace.Log
	hub  *live.Hub
	zero time.Time // when the network's clock was at zero

	carried  []*carried // connections
	told     []network.ToOutside
	calls    []bgp.ConnID // the number of the router's last call, by attachment
	refusals []string     // what came of the last call, where it was told, by attachment
	noted    int          // notes that have been told
	upSince  time.Time    // when every session has come up; zero: not all are up
	begun    bool
	late     time.Duration // the most by which an event was late
}

// Run runs until the time is over or ctx ends, and says goodbye with a CEASE.
func Run(ctx context.Context, plan *Plan, opt Options) (*report.PeerSummary, error) {
	r := &runner{plan: plan, opt: opt, log: &trace.Log{}, hub: live.NewHub(), calls: make([]bgp.ConnID, len(plan.Links)), refusals: make([]string, len(plan.Links))}
	defer r.hub.Close()
	if err := r.listen(); err != nil {
		return nil, err
	}
	opt.Ready()
	out := &network.Outside{Router: plan.Real, Tell: func(x network.ToOutside) { r.told = append(r.told, x) }}
	for _, a := range plan.Links {
		out.Links = append(out.Links, network.OutsideLink{Link: a.Link, Calls: a.Peer.IsValid()})
	}
	r.n = network.New(plan.Design, network.Options{Log: r.log, Outside: out})
	r.n.Begin(opt.Seed)
	r.noted = len(r.log.Notes) // the warm-up of the others is nobody's concern
	r.zero = time.Now()
	err := r.loop(ctx)
	r.goodbye()
	if err != nil {
		return nil, err
	}
	return r.summary(), nil
}

// listen opens the listeners: one for each address.
func (r *runner) listen() error {
	done := map[netip.AddrPort]bool{}
	for i := range r.plan.Links {
		at := r.plan.Links[i].Listen
		if done[at] && at.Port() != 0 { // any port is another one each time
			continue
		}
		done[at] = true
		opt := live.Options{TTLSecurity: r.plan.TTL}
		for j := range r.plan.Links {
			if a := &r.plan.Links[j]; a.Listen == at && !a.Secret.IsZero() {
				opt.Keys = append(opt.Keys, live.Key{Peers: a.peers(), Secret: a.Secret})
			}
		}
		bound, err := r.hub.Listen(at, opt)
		if err != nil {
			return &ListenError{at, err}
		}
		if at.Port() == 0 {
			r.plan.Links[i].Listen = bound
		}
	}
	return nil
}

// peers are the addresses that may call.
func (a *Attachment) peers() netip.Prefix {
	if a.Peer.IsValid() {
		return netip.PrefixFrom(a.Peer.Addr(), 32)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}

func (r *runner) now() sim.Time { return sim.Time(time.Since(r.zero)) }

// loop holds the network's clock to the real one, until it is over.
func (r *runner) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		r.catchUp()
		end, err := r.due()
		if err != nil {
			return err
		}
		if at, ok := r.n.Next(); ok {
			if t := r.zero.Add(time.Duration(at)); end.IsZero() || t.Before(end) {
				end = t
			}
		}
		var wake <-chan time.Time
		if !end.IsZero() {
			timer.Reset(time.Until(end))
			wake = timer.C
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case ev := <-r.hub.Events():
			r.catchUp() // what was due before it came
			r.socket(ev)
		}
		if r.over() {
			return nil
		}
	}
}

// catchUp lets everything happen that is due, instant by instant: however late it
// is, what one instant has to tell the router or the user is told before the next.
func (r *runner) catchUp() {
	for {
		now := r.now()
		at, ok := r.n.Next()
		due := ok && at <= now
		if due {
			r.late = max(r.late, now.Sub(at))
			now = at
		}
		r.n.Advance(now)
		r.tellNotes()
		told := r.told
		r.told = nil
		for _, x := range told {
			r.deliver(x)
		}
		if !due {
			return
		}
	}
}

// due looks whether the story can begin, and tells when to look again.
func (r *runner) due() (time.Time, error) {
	if r.begun {
		if r.opt.For == 0 {
			return time.Time{}, nil
		}
		begun, _ := r.n.Begun()
		return r.zero.Add(time.Duration(begun) + r.opt.For), nil
	}
	if !r.allUp() {
		r.upSince = time.Time{}
		if r.opt.Wait == 0 {
			return time.Time{}, nil
		}
		limit := r.zero.Add(r.opt.Wait)
		if !time.Now().Before(limit) {
			return time.Time{}, ErrNeverUp
		}
		return limit, nil
	}
	if r.upSince.IsZero() {
		r.upSince = time.Now()
	}
	if begin := r.upSince.Add(r.opt.Settle); time.Now().Before(begin) {
		return begin, nil
	}
	r.begun = true
	at := max(r.n.Now(), r.now())
	r.n.Inject(at, network.FromOutside{Kind: network.InBegin})
	r.n.Advance(at)
	r.emit(report.PeerLine{Kind: "story", Words: "every session is up: the story begins"}, at)
	r.catchUp()
	return r.due()
}

// over tells whether the time is over.
func (r *runner) over() bool {
	begun, ok := r.n.Begun()
	return ok && r.opt.For > 0 && r.now() >= begun.Add(r.opt.For)
}

// allUp tells whether the sessions of all attached links are Established.
func (r *runner) allUp() bool {
	for _, a := range r.plan.Links {
		if state, _, _, _ := r.n.Session(a.Link, 1-a.End); state != bgp.Established {
			return false
		}
	}
	return true
}

func (r *runner) inject(x network.FromOutside) { r.n.Inject(max(r.n.Now(), r.now()), x) }
