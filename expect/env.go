package expect

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/report"
)

// names makes a run's values available to expressions.
func (env Env) names() names {
	n := names{
		Duration: parseDuration,
		At:       parseDuration,
		Blames:   func(g Gap, parameter string) bool { return g.Blame == parameter },
	}
	doc := env.Doc
	n.End = time.Duration(doc.EndS)
	for i := range doc.Gaps {
		g := gapOf(&doc.Gaps[i])
		n.Gaps = append(n.Gaps, g)
		n.Outage += g.Outage
		if i == 0 || g.Outage > n.Gap.Outage || g.Outage == n.Gap.Outage && g.Lost > n.Gap.Lost {
			n.Gap = g
		}
	}
	n.Blame = n.Gap.Blame
	n.Convergences = convergences(doc)
	for i, c := range n.Convergences {
		slower := !c.Converged && n.Convergence.Converged || c.Converged == n.Convergence.Converged && c.Seconds > n.Convergence.Seconds
		if i == 0 || slower {
			n.Convergence = c
		}
	}
	n.Converged, n.Repeats, n.Period = doc.Ending.State == report.AtRest, doc.Ending.State == report.Repeats, time.Duration(doc.Ending.PeriodS)
	for i := range doc.Sessions {
		n.Sessions = append(n.Sessions, sessionOf(&doc.Sessions[i]))
	}
	for i := range doc.Probes {
		p := &doc.Probes[i]
		n.Sent, n.Received, n.Lost = n.Sent+p.Sent, n.Received+p.Received, n.Lost+p.Lost
	}
	n.Best = func(router, prefix string, at time.Duration) (Route, error) {
		switch {
		case env.Best == nil:
			return Route{}, fmt.Errorf("no routes are known here")
		case at < 0 || at > n.End:
			return Route{}, fmt.Errorf("%s is outside the run, which ends at %s", seconds(at), seconds(n.End))
		}
		return env.Best(router, prefix, at)
	}
	between := func(what func(Forwarding) time.Duration) func(from, to string) (time.Duration, error) {
		return func(from, to string) (time.Duration, error) {
			f, err := forwardingBetween(doc, from, to)
			return what(f), err
		}
	}
	n.Forwarding = func(from, to string) (Forwarding, error) { return forwardingBetween(doc, from, to) }
	n.BlackHole = between(func(f Forwarding) time.Duration { return f.Lost - f.Loop })
	n.Loop = between(func(f Forwarding) time.Duration { return f.Loop })
	n.Stale = between(func(f Forwarding) time.Duration { return f.Stale })
	n.Asymmetric = between(func(f Forwarding) time.Duration { return f.Asymmetric })
	n.Session = func(router, link string) (Session, error) {
		for i := range doc.Sessions {
			if s := &doc.Sessions[i]; s.Router == router && s.Link == link {
				return sessionOf(s), nil
			}
		}
		return Session{}, fmt.Errorf("router %q has no session over %q", router, link)
	}
	n.Tunnel = func(router, link string) (Tunnel, error) {
		for i := range doc.Tunnels {
			if t := &doc.Tunnels[i]; t.Router == router && t.Link == link {
				return Tunnel{t.State, time.Duration(t.SinceS)}, nil
			}
		}
		return Tunnel{}, fmt.Errorf("router %q has no tunnel %q", router, link)
	}
	return n
}

// parseDuration reads 30s, 500ms or 1m30s; a number alone has no unit.
func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if _, bare := strconv.ParseFloat(text, 64); bare == nil {
		return 0, fmt.Errorf("%q has no unit: write %ss", text, text)
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration: write 30s, 500ms or 1m30s", text)
	}
	return d, nil
}

// seconds writes a duration as people say it: "28.93 s".
func seconds(d time.Duration) string {
	if d == Never {
		return "never"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s"
}

// maxListed values of a list are written out.
const maxListed = 10

// format writes a value for "got".
func format(v any) string {
	switch v := v.(type) {
	case time.Duration:
		return seconds(v)
	case string:
		return strconv.Quote(v)
	case float64:
		return strconv.FormatFloat(v, 'g', 6, 64)
	case Gap:
		return fmt.Sprintf("%s with %d lost", seconds(v.Outage), v.Lost)
	case Convergence:
		more := ""
		if !v.Converged {
			more = "more than "
		}
		return fmt.Sprintf("%s%s with %d announced, %d withdrawn", more, seconds(v.Seconds), v.Announcements, v.Withdrawals)
	case Forwarding:
		return fmt.Sprintf("ok %s, lost %s", seconds(v.OK), seconds(v.Lost))
	case Route:
		if !v.Exists {
			return "no route"
		}
		return fmt.Sprintf("via %s, next hop %s", v.Tunnel, v.NextHop)
	case Session:
		return v.Router + " over " + v.Link + ": " + v.State
	case Tunnel:
		return v.State
	}
	list := reflect.ValueOf(v)
	if list.Kind() != reflect.Slice {
		return fmt.Sprint(v)
	}
	var parts []string
	for i := 0; i < list.Len() && i < maxListed; i++ {
		parts = append(parts, format(list.Index(i).Interface()))
	}
	if list.Len() > maxListed {
		parts = append(parts, fmt.Sprintf("%d more", list.Len()-maxListed))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
