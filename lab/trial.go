//go:build linux

package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/vpnsim/vpnsim/pinglog"
	"github.com/vpnsim/vpnsim/topology"
)

// patience is how long sessions may take to come up.
const patience = 120 * time.Second

// settle waits until all has been quiet for so long that what the sessions have begun with
// is over. News may travel in rounds of MRAI; where it never ends, the wait does.
func (g *rig) settle(ctx context.Context) error {
	quiet := g.plan.settle()
	for latest := time.Now().Add(patience); ; {
		until := g.latestNews().Add(quiet)
		if now := time.Now(); until.Before(now) || now.After(latest) {
			return nil
		}
		if err := sleepUntil(ctx, until); err != nil {
			return err
		}
	}
}

// trial runs once. What it has made is gone when it returns, but for captures, whose names
// begin with capture.
func (p *Plan) trial(ctx context.Context, led *ledger, number int, seed uint64, length time.Duration, capture string) (t *Trial, err error) {
	g := &rig{plan: p, led: led, name: fmt.Sprintf("%s-%d", led.run, number), seed: seed}
	g.dir = filepath.Join(led.dir, strconv.Itoa(number))
	defer g.tearDown()
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return nil, err
	}
	if err := g.build(); err != nil {
		return nil, err
	}
	defer func() { _, _, e := g.untap(capture); err = errors.Join(err, e) }() // also of a trial that fails
	if err := g.tap(); err != nil {
		return nil, err
	}
	if err := g.comeUp(ctx, patience); err != nil {
		return nil, err
	}
	if err := g.settle(ctx); err != nil {
		return nil, err
	}
	if err := sleepUntil(ctx, time.Now().Add(g.phase())); err != nil {
		return nil, err
	}
	watcher, err := g.watch()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	err = g.ping()
	t = &Trial{Seed: seed, Begin: p.shift}
	if err == nil {
		err = g.story(ctx, begin, length, t)
	}
	if err == nil {
		err = sleepUntil(ctx, begin.Add(length))
	}
	changes, missed := watcher.stop(begin)
	for _, c := range changes {
		t.Changes = append(t.Changes, Change{p.shift + c.at.Sub(begin), c.router, c.prefix.String(), c.via, c.down})
	}
	t.SAs = g.changesOfSAs(begin)
	if err = errors.Join(err, missed); err != nil {
		return nil, err
	}
	heard, unheard, err := g.untap(capture)
	if err != nil {
		return nil, err
	}
	t.hear(p.Design, heard, begin, unheard)
	return t, g.readPings(t)
}

// phase is a random one between the sessions' timers and the story, unless the story's
// own beginning is as random.
func (g *rig) phase() time.Duration {
	keepalive := g.plan.keepalive()
	if at := g.plan.Design.Story[0].At; at.Max()-at.Min() >= keepalive {
		return 0
	}
	random := g.stream("phase")
	return time.Duration(random.Uint64() % uint64(max(keepalive, 1)))
}

// keepalive is the longest interval between keepalives, as far as it is known before a
// session has negotiated it.
func (p *Plan) keepalive() (most time.Duration) {
	for i := range p.Design.Links {
		l := &p.Design.Links[i]
		hold := min(l.Ends[0].Settings[topology.BGPHold].Dist.Max(), l.Ends[1].Settings[topology.BGPHold].Dist.Max())
		most = max(most, hold/3)
	}
	return most
}

// story fires the events, each at its time, which the seed has drawn.
func (g *rig) story(ctx context.Context, begin time.Time, length time.Duration, t *Trial) error {
	story := g.plan.Design.Story
	at := make([]time.Duration, len(story))
	order := make([]int, len(story))
	for i := range story {
		random := g.stream(fmt.Sprint("story ", i))
		at[i], order[i] = story[i].At.Draw(random.Uint64()), i
		if until := story[i].Until; until > 0 {
			at[i] += at[until-1]
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(at[a], at[b]) })
	var err error
	for _, i := range order {
		due := begin.Add(at[i] - g.plan.shift)
		if due.Sub(begin) > length {
			break
		}
		chosen := false
		if i == order[0] {
			chosen, err = g.await(ctx, &story[i], begin.Add(story[i].At.Min()-g.plan.shift))
		}
		if !chosen && err == nil {
			err = sleepUntil(ctx, due)
		}
		if err != nil {
			return err
		}
		now := time.Now()
		for k := range story { // what undoes it comes as long after it
			if story[k].Until == i+1 {
				at[k] += now.Sub(due)
			}
		}
		if err := g.strike(&story[i]); err != nil {
			return fmt.Errorf("%s:%d: %w", story[i].Pos.File, story[i].Pos.Line, err)
		}
		t.Faults = append(t.Faults, Fired{i, g.plan.shift + now.Sub(begin), time.Since(now)})
	}
	return nil
}

// strike does what an event says.
func (g *rig) strike(f *topology.Fault) error {
	var errs []error
	ends := func(do func(w *wire, e int) error) {
		l := &g.plan.Design.Links[f.Link]
		for e := range 2 {
			whose := f.Router < 0 || l.Ends[e].Router == f.Router
			way := f.Direction == topology.BothWays || (f.Direction == topology.FromA) == (e == 0)
			if whose && way {
				errs = append(errs, do(g.wires[f.Link], e))
			}
		}
	}
	switch f.Kind {
	case topology.TunnelDelete:
		ends(func(_ *wire, e int) error { return g.deleteEnd(f.Link, e, f.Notify) })
	case topology.TunnelCreate:
		ends(func(_ *wire, e int) error { return g.createEnd(f.Link, e) })
	case topology.LinkDown, topology.LinkUp:
		ends(func(_ *wire, e int) error { return g.setLink(f.Link, e, f.Kind == topology.LinkUp) })
	case topology.BlackHole:
		ends(func(w *wire, e int) error { w.swallow(e, true); return nil })
	case topology.PacketLoss:
		ends(func(w *wire, e int) error { w.lose(e, topology.Loss{P: f.P}); return nil })
	case topology.Heal:
		ends(func(w *wire, e int) error {
			w.swallow(e, false)
			w.lose(e, g.plan.Design.Links[f.Link].Loss)
			return nil
		})
	case topology.SessionShut, topology.SessionStart:
		ends(func(_ *wire, e int) error { return g.session(f.Link, e, f.Kind == topology.SessionStart) })
	case topology.RouterKill:
		g.routers[f.Router].signal(syscall.SIGKILL)
	case topology.RouterFreeze:
		g.routers[f.Router].signal(syscall.SIGSTOP)
	case topology.RouterThaw:
		g.routers[f.Router].signal(syscall.SIGCONT)
	case topology.RouterRestart:
		errs = append(errs, g.routers[f.Router].quit())
	case topology.RouterStart:
		errs = append(errs, g.routers[f.Router].start())
	case topology.SessionRefresh:
		ends(func(_ *wire, e int) error {
			l := &g.plan.Design.Links[f.Link]
			r := g.routers[l.Ends[e].Router]
			return r.daemon.refresh(r, l.Ends[1-e].Inside.Addr().String())
		})
	case topology.PrefixWithdraw, topology.PrefixAnnounce:
		r := g.routers[f.Router]
		errs = append(errs, r.daemon.originate(r, f.Prefix, f.Kind == topology.PrefixAnnounce))
	case topology.PropagationOff, topology.PropagationOn:
		r := g.routers[f.Router]
		errs = append(errs, r.daemon.propagate(r, f.Kind == topology.PropagationOn))
	}
	return errors.Join(errs...)
}

// session is shut at one end of a link by the operator, or started.
func (g *rig) session(link, end int, start bool) error {
	l := &g.plan.Design.Links[link]
	r := g.routers[l.Ends[end].Router]
	return r.daemon.session(r, l.Ends[1-end].Inside.Addr().String(), start)
}

// ping starts those of the scenario.
func (g *rig) ping() error {
	for i := range g.plan.Design.Probes {
		pr := &g.plan.Design.Probes[i]
		every := strconv.FormatFloat(pr.Every.Seconds(), 'f', -1, 64)
		args := []string{"-D", "-n", "-i", every}
		if pr.Size != 56 {
			args = append(args, "-s", strconv.Itoa(pr.Size))
		}
		_, to := g.plan.Design.Ends(pr)
		p, err := g.led.start(g.hosts[pr.From], g.pingLog(i), "ping", append(args, to.String())...)
		if err != nil {
			return err
		}
		g.pings = append(g.pings, p)
	}
	return nil
}

func (g *rig) pingLog(probe int) string {
	return filepath.Join(g.dir, fmt.Sprintf("ping%d.log", probe))
}

// readPings ends the pings and works out what they have seen.
func (g *rig) readPings(t *Trial) error {
	for i, p := range g.pings {
		p.stop(syscall.SIGINT) // so that it prints its last lines
		data, err := os.ReadFile(g.pingLog(i))
		if err != nil {
			return err
		}
		log, err := pinglog.Read("ping", data)
		if err != nil {
			return fmt.Errorf("ping of %s: %w: %s", g.plan.Design.Probes[i].Name, err, lastWords(data))
		}
		s := &log.Series[0]
		seen := Ping{Probe: i, Sent: s.Sent(), Received: s.Received()}
		for _, gap := range s.Gaps() {
			if gap.FirstLost == 1 {
				return fmt.Errorf("the ping was not answered at the beginning: %d were lost, routes have changed as %v", gap.Lost, t.Changes)
			}
			if gap.Most == 0 && gap.Lost == 1 {
				seen.Sent-- // ended before an answer could come
				continue
			}
			// The real ping does not keep its interval: 2 % more is usual on a busy machine.
			d := (gap.Least + gap.Most) / 2
			if gap.Most == 0 {
				d = gap.Least + g.plan.Design.Probes[i].Every
			}
			if d > seen.Gap {
				seen.Gap, seen.Least, seen.Most = d, gap.Least, gap.Most
			}
		}
		t.Pings = append(t.Pings, seen)
	}
	return nil
}
