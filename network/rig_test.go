package network_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// The tests of this package begin with a scenario, as a user's runs do: one
// that ships with the program, one written in the test, or one made up by
// randomScenario. What they look at is what a user can see: the result.

// mustLoad loads a scenario that ships with the program, with changes.
func mustLoad(t testing.TB, name string, sets ...string) *topology.Design {
	t.Helper()
	data, ok := scenarios.Builtin(name)
	if !ok {
		t.Fatalf("there is no scenario %q", name)
	}
	return mustParse(t, string(data), sets...)
}

// mustParse loads a scenario from its text.
func mustParse(t testing.TB, text string, sets ...string) *topology.Design {
	t.Helper()
	d, diags := scenarios.Load("test.yaml", []byte(text), sets)
	if d == nil {
		t.Fatalf("%v\n%s", diags, text)
	}
	return d
}

// snapshot is what a run has shown, safe from the next run.
type snapshot struct {
	digest, events uint64
	probes         []pings
}

type pings struct {
	sent    int
	rtt     []time.Duration
	ttl     []uint8
	outages []network.Outage
	paths   []network.PathChange
}

func snap(r *network.Result) snapshot {
	s := snapshot{r.Digest, r.Events, nil}
	for i := range r.Probes {
		p := &r.Probes[i]
		s.probes = append(s.probes, pings{p.Sent, slices.Clone(p.RTT), slices.Clone(p.TTL), slices.Clone(p.Outages), p.Paths()})
	}
	return s
}

// diff says in what two runs differ; "" if in nothing. What the events were
// numbered does not count: chains are made of recorded runs only.
func (s snapshot) diff(o snapshot) string {
	var list []string
	if s.digest != o.digest {
		list = append(list, fmt.Sprintf("digest %016x, %016x", s.digest, o.digest))
	}
	if s.events != o.events {
		list = append(list, fmt.Sprintf("%d, %d events", s.events, o.events))
	}
	if d := s.sameGaps(o); d != "" {
		list = append(list, d)
	}
	return strings.Join(list, "; ")
}

// sameGaps is diff without the order of events.
func (s snapshot) sameGaps(o snapshot) string {
	var list []string
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for i := range s.probes {
		a, b := &s.probes[i], &o.probes[i]
		if a.sent != b.sent {
			say("probe %d sends %d, %d", i, a.sent, b.sent)
			continue
		}
		for q := range a.rtt {
			if a.rtt[q] != b.rtt[q] || a.rtt[q] != 0 && a.ttl[q] != b.ttl[q] {
				say("probe %d echo %d: rtt %v, %v, ttl %d, %d", i, q+1, a.rtt[q], b.rtt[q], a.ttl[q], b.ttl[q])
				break
			}
		}
		if x, y := intervals(a.outages), intervals(b.outages); x != y {
			say("probe %d outages %s, %s", i, x, y)
		}
	}
	return strings.Join(list, "; ")
}

func intervals(list []network.Outage) string {
	var s []string
	for _, o := range list {
		s = append(s, fmt.Sprintf("%v-%v(open %v, request %v, reply %v)", time.Duration(o.Start), time.Duration(o.End), o.Open, o.Request, o.Reply))
	}
	return strings.Join(s, " ")
}

// maker makes up scenarios.
type maker struct {
	*rand.Rand
	b       strings.Builder
	bfd     []string // settings, by router
	routers []string
	links   []madeLink
	restart bool // mostly about routers that restart
}

type madeLink struct {
	name   string
	tunnel bool
	ends   [2]string
}

func (m *maker) chance(p float64) bool { return m.Float64() < p }

func pick[T any](m *maker, list ...T) T { return list[m.IntN(len(list))] }

// ms is a duration of lo to hi milliseconds; now and then a round one, so that
// things coincide.
func (m *maker) ms(lo, hi int) string {
	if m.chance(0.3) {
		return fmt.Sprintf("%dms", max(lo, (lo+m.IntN(hi-lo+1))/1000*1000))
	}
	return fmt.Sprintf("%dus", (lo+m.IntN(hi-lo+1))*1000+m.IntN(1000))
}

// dist is a duration or a distribution within those milliseconds.
func (m *maker) dist(lo, hi int) string {
	switch m.IntN(6) {
	case 0:
		return fmt.Sprintf(`"uniform(%dms, %dms)"`, lo, hi)
	case 1:
		return fmt.Sprintf(`"normal(%dms, %dus)"`, (lo+hi)/2, (hi-lo)*100)
	case 2:
		return fmt.Sprintf(`"choice(%dms, %dms, %dms)"`, lo, (lo+hi)/2, hi)
	case 3:
		return fmt.Sprintf(`"exp(%dms, %dus)"`, lo, (hi-lo)*200+1)
	}
	return m.ms(lo, hi)
}

var profiles = []string{"aws-vgw", "aws-tgw", "gcp-cloud-router", "azure-vpngw", "frr", "bird", "gobgp", "cisco-ios", "rfc4271", "rfc1771", "frr-10", "quagga", "junos", "nokia-sros", "openbgpd"}

// randomScenario makes up a network and a story: two routers with one to three
// links between them, or three in a row or in a ring; every profile, many
// timers changed; faults of every kind at any time; probes in both directions.
func randomScenario(seed uint64) string {
	return makeScenario(&maker{Rand: rand.New(rand.NewPCG(seed, 0x76706e73696d))}, seed)
}

// restartScenario is one whose routers know graceful restart, ask for little
// time, and restart, die, hang or fall silent a lot.
func restartScenario(seed uint64) string {
	return makeScenario(&maker{Rand: rand.New(rand.NewPCG(seed, 0x7265737461)), restart: true}, seed)
}

func makeScenario(m *maker, seed uint64) string {
	length := 40 + m.IntN(160)
	m.line("vpnsim: v1")
	m.line("name: random %d", seed)
	m.line("warmup: %ds", 10+m.IntN(60))
	m.line("for: %ds", length)
	m.makeRouters()
	m.makeLinks()
	m.makeProbes(length)
	m.makeStory(length)
	return m.b.String()
}

func (m *maker) line(format string, args ...any) { fmt.Fprintf(&m.b, format+"\n", args...) }

func (m *maker) makeRouters() {
	m.routers = []string{"a", "b"}
	if m.chance(0.35) {
		m.routers = append(m.routers, "c")
	}
	m.line("routers:")
	m.makeBFD()
	sameAS := m.chance(0.1)
	for i, r := range m.routers {
		asn := 65001 + i
		if sameAS {
			asn = 65001
		}
		m.line("  %s:", r)
		m.line("    profile: %s", pick(m, profiles...))
		m.line("    asn: %d", asn)
		m.line("    networks: [10.%d.0.0/16]", i+1)
		var bgp, other []string
		maybe := func(list *[]string, p float64, key, value string) {
			if m.chance(p) {
				*list = append(*list, key+": "+value)
			}
		}
		maybe(&bgp, 0.5, "hold", pick(m, "0s", "3s", "6s", "9s", "15s", "30s", `"uniform(6s, 30s)"`))
		maybe(&bgp, 0.3, "keepalive", m.dist(1000, 8000))
		maybe(&bgp, 0.3, "keepalive_jitter", pick(m, "0.75", "0.9", "1"))
		maybe(&bgp, 0.2, "hold_jitter", pick(m, "0.75", "1"))
		maybe(&bgp, 0.2, "keepalive_fixed", "true")
		maybe(&bgp, 0.5, "connect_retry", m.dist(500, 20000))
		maybe(&bgp, 0.5, "idle_hold", m.dist(0, 5000))
		maybe(&bgp, 0.3, "idle_hold_reset", m.dist(0, 3000))
		maybe(&bgp, 0.2, "delay_open", m.dist(100, 3000))
		maybe(&bgp, 0.2, "send_hold", m.dist(5000, 20000))
		maybe(&bgp, 0.1, "passive", "true")
		maybe(&bgp, 0.4, "mrai_mode", pick(m, "since-last-update", "tick", "out-delay"))
		maybe(&bgp, 0.4, "mrai", m.dist(0, 30000))
		maybe(&bgp, 0.2, "mrai_ibgp", m.dist(0, 30000))
		maybe(&bgp, 0.2, "mrai_scope", pick(m, "peer", "prefix"))
		maybe(&bgp, 0.2, "mrai_jitter", pick(m, "0.75", "1"))
		maybe(&bgp, 0.2, "mrai_granularity", pick(m, "0s", "1s", "300ms"))
		maybe(&bgp, 0.2, "mrai_withdrawals", pick(m, "gated", "exempt", "flush"))
		maybe(&bgp, 0.2, "mrai_after_withdrawal", pick(m, "true", "false"))
		maybe(&bgp, 0.2, "mrai_new_prefix", pick(m, "gated", "exempt"))
		maybe(&bgp, 0.2, "first_update", m.dist(0, 3000))
		maybe(&bgp, 0.3, "processing", m.dist(0, 1500))
		maybe(&bgp, 0.3, "multipath", pick(m, "1", "2", "8"))
		maybe(&bgp, 0.1, "max_prefixes", pick(m, "1", "2"))
		maybe(&bgp, 0.1, "max_prefixes_action", pick(m, "drop", "warn"))
		maybe(&bgp, 0.1, "max_prefixes_restart", m.dist(0, 20000))
		maybe(&bgp, 0.1, "min_hold", pick(m, "6s", "15s"))
		gentle := 0.1
		if m.restart {
			gentle = 0.9
		}
		maybe(&bgp, gentle, "graceful_restart", pick(m, `"off"`, "helper", "restarter", "restarter", "restarter"))
		maybe(&bgp, 0.7, "restart_time", pick(m, "0s", "5s", "20s", `"uniform(1s, 30s)"`))
		maybe(&bgp, gentle, "graceful_notification", pick(m, "true", "false"))
		maybe(&bgp, 0.2, "stalepath_time", m.dist(1000, 40000))
		maybe(&bgp, 0.3, "selection_deferral", m.dist(0, 30000))
		maybe(&bgp, gentle, "long_lived", pick(m, `"off"`, "helper", "restarter", "restarter"))
		maybe(&bgp, 0.3, "long_lived_time", pick(m, "0s", "10s", `"uniform(5s, 60s)"`))
		maybe(&bgp, 0.1, "graceful_rules", pick(m, "rfc", "bird"))
		maybe(&bgp, 0.2, "fast_fallover", pick(m, "true", "false"))
		maybe(&other, 0.4, "fib", "{delay: "+m.dist(0, 3000)+", survives: "+pick(m, "true", "false")+"}")
		maybe(&other, 0.3, "route_table", "{kind: "+pick(m, "none", "gateway", "tunnel")+", delay: "+m.dist(0, 2000)+"}")
		maybe(&other, 0.2, "ip", "{decrement_ttl: "+pick(m, "true", "false")+"}")
		maybe(&other, 0.2, "tcp", "{rto: "+m.dist(5, 400)+", syn_retry: "+m.dist(200, 1500)+"}")
		maybe(&other, 0.1, "stall", "{every: "+pick(m, "15s", m.dist(1000, 60000))+", for: "+m.dist(0, 20000)+"}")
		vpn := []string{"ike: " + pick(m, "v1", "v2")}
		maybe(&vpn, 0.5, "dpd_interval", pick(m, "0s", m.dist(2000, 12000)))
		maybe(&vpn, 0.3, "dpd_retry", m.dist(1000, 5000))
		maybe(&vpn, 0.3, "dpd_retries", pick(m, "0", "1", "3"))
		maybe(&vpn, 0.3, "dpd_timeout", m.dist(0, 20000))
		maybe(&vpn, 0.5, "dpd_action", pick(m, "clear", "restart", "none"))
		maybe(&vpn, 0.4, "initiate", pick(m, "true", "false"))
		maybe(&vpn, 0.3, "on_traffic", pick(m, "true", "false"))
		maybe(&vpn, 0.3, "retransmit", m.dist(500, 4000))
		maybe(&vpn, 0.3, "retry", m.dist(0, 10000))
		maybe(&vpn, 0.3, "child_lifetime", m.dist(20000, 90000))
		maybe(&vpn, 0.2, "ike_lifetime", m.dist(30000, 90000))
		maybe(&vpn, 0.3, "interface_follows_sa", pick(m, "true", "false"))
		if len(bgp) > 0 {
			m.line("    bgp: {%s}", strings.Join(bgp, ", "))
		}
		m.line("    vpn: {%s}", strings.Join(vpn, ", "))
		if i < len(m.bfd) {
			m.line("    bfd: {%s}", m.bfd[i])
		}
		for _, o := range other {
			m.line("    %s", o)
		}
	}
	m.line("hosts:")
	for i, r := range m.routers {
		icmp := ""
		if m.chance(0.05) {
			icmp = ", security_group: {icmp: false}"
		}
		m.line("  h%s: {on: %s, ip: 10.%d.0.5%s}", r, r, i+1, icmp)
	}
}

// makeBFD switches BFD on in every other network, mostly at all routers: fast and
// slow, alike and not, so that it is up when the story begins, or comes and goes.
func (m *maker) makeBFD() {
	if m.chance(0.5) {
		return
	}
	strict := m.chance(0.3)
	for range m.routers {
		settings := []string{fmt.Sprintf("enabled: %v", m.chance(0.9))}
		maybe := func(p float64, key, value string) {
			if m.chance(p) {
				settings = append(settings, key+": "+value)
			}
		}
		maybe(0.8, "min_tx", pick(m, "300ms", "1s", m.dist(20, 2000)))
		maybe(0.8, "min_rx", pick(m, "300ms", "1s", m.dist(20, 2000)))
		maybe(0.6, "multiplier", pick(m, "1", "2", "3", "5"))
		maybe(0.3, "jitter", pick(m, "0.75", "0.9", "1"))
		maybe(0.2, "passive", "true")
		maybe(0.5, "independent", pick(m, "true", "false"))
		if strict {
			maybe(0.9, "strict", "true")
			maybe(0.5, "strict_hold", m.dist(1000, 30000))
		}
		m.bfd = append(m.bfd, strings.Join(settings, ", "))
	}
}

func (m *maker) makeLinks() {
	pairs := [][2]string{{"a", "b"}}
	if len(m.routers) == 3 {
		pairs = append(pairs, [2]string{"b", "c"})
		if m.chance(0.4) {
			pairs = append(pairs, [2]string{"c", "a"})
		}
	}
	for _, p := range pairs {
		for range 1 + m.IntN(3) {
			m.links = append(m.links, madeLink{fmt.Sprintf("l%d", len(m.links)), m.chance(0.6), p})
		}
	}
	// Plain links stand under links, tunnels under tunnels.
	for _, tunnels := range []bool{false, true} {
		head := false
		for i, l := range m.links {
			if l.tunnel != tunnels {
				continue
			}
			if !head {
				head = true
				m.line(map[bool]string{false: "links:", true: "tunnels:"}[tunnels])
			}
			m.line("  %s:", l.name)
			for e, r := range l.ends {
				outside := ""
				if tunnels {
					outside = fmt.Sprintf("outside: 198.51.%d.%d, ", i, e+1)
				}
				m.line("    %s: {%sinside: 169.254.%d.%d/30}", r, outside, i, e+1)
			}
			switch m.IntN(8) {
			case 0:
				m.line("    rtt: %s", m.dist(100, 900))
			default:
				m.line("    rtt: %s", m.dist(0, 40))
			}
			switch m.IntN(12) {
			case 0:
				m.line("    loss: %.3f", m.Float64()*0.2)
			case 1:
				m.line("    loss: {p: 0.01, bad: 0.8, to_bad: 0.05, to_good: 0.3}")
			}
		}
	}
}

func (m *maker) makeProbes(length int) {
	m.line("probes:")
	for range 1 + m.IntN(3) {
		i := m.IntN(len(m.routers))
		j := (i + 1 + m.IntN(len(m.routers)-1)) % len(m.routers)
		more := ""
		if m.chance(0.2) {
			more += ", start: " + m.ms(0, length*500)
		}
		if m.chance(0.2) {
			more += ", for: " + m.ms(1000, length*500)
		}
		m.line("  - {ping: h%s -> h%s, every: %s%s}", m.routers[i], m.routers[j], pick(m, "1s", "200ms", "5s", m.ms(100, 3000)), more)
	}
}

func (m *maker) makeStory(length int) {
	n := m.IntN(6)
	if n == 0 {
		return
	}
	m.line("story:")
	for range n {
		m.line("  - {at: %s, %s}", m.dist(0, length*1000), m.fault(length))
	}
}

// fault is anything that can happen, mostly with its reversal.
func (m *maker) fault(length int) string {
	l := pick(m, m.links...)
	end := pick(m, l.ends[:]...)
	router := m.IntN(len(m.routers))
	undone := ""
	if m.chance(0.7) {
		undone = ", for: " + m.dist(100, length*400)
	}
	direction := ""
	if m.chance(0.5) {
		direction = ", direction: " + pick(m, "from ", "to ") + end
	}
	if m.restart {
		switch m.IntN(6) {
		case 0, 1:
			return fmt.Sprintf("restart: %s, for: %s", m.routers[router], m.dist(100, length*200))
		case 2, 3:
			return fmt.Sprintf("kill: %s%s", m.routers[router], undone)
		case 4:
			return fmt.Sprintf("freeze: %s%s", m.routers[router], undone)
		}
		return fmt.Sprintf("blackhole: %s%s%s", l.name, direction, undone)
	}
	switch m.IntN(13) {
	case 0:
		if l.tunnel {
			return fmt.Sprintf("delete: %s, by: %s, notify: %v%s", l.name, end, m.chance(0.5), undone)
		}
		return fmt.Sprintf("down: %s%s", l.name, undone)
	case 1, 2:
		return fmt.Sprintf("blackhole: %s%s%s", l.name, direction, undone)
	case 3:
		return fmt.Sprintf("loss: %s, p: %.2f%s%s", l.name, 0.05+m.Float64()*0.95, direction, undone)
	case 4:
		return fmt.Sprintf("down: %s%s", l.name, undone)
	case 5:
		return fmt.Sprintf("shut: %s, by: %s%s", l.name, end, undone)
	case 6:
		return fmt.Sprintf("kill: %s%s", m.routers[router], undone)
	case 7:
		return fmt.Sprintf("freeze: %s%s", m.routers[router], undone)
	case 8:
		return fmt.Sprintf("propagate: {router: %s, on: false}%s", m.routers[router], undone)
	case 9:
		return fmt.Sprintf("refresh: %s, by: %s", l.name, end)
	case 11:
		return fmt.Sprintf("restart: %s, for: %s", m.routers[router], m.dist(100, length*200))
	case 10:
		return fmt.Sprintf("announce: 10.9.%d.0/24, by: %s%s", m.IntN(4), m.routers[router], undone)
	}
	return fmt.Sprintf("withdraw: 10.%d.0.0/16, by: %s%s", router+1, m.routers[router], undone)
}

// pair is a small scenario that tests add a story to: a pings b over t1, and t2
// stands by. The timers are short and without jitter, so that what happens
// can be reckoned: hold 9 s, keepalives every 3 s, 10 ms to program a route,
// 5 ms each way.
const pair = `vpnsim: v1
name: two tunnels
for: 200s
routers:
  a: {profile: rfc4271, asn: 65001, networks: [10.1.0.0/16], egress: t1, bgp: &timers {hold: 9s, keepalive: 3s, keepalive_jitter: 1, idle_hold: 2s, idle_hold_jitter: 1, idle_hold_reset: 2s, connect_retry: 10s, connect_retry_jitter: 1, processing: 0s, mrai: 0s, mrai_mode: none}, fib: {delay: 10ms}}
  b: {profile: rfc4271, asn: 65002, networks: [10.2.0.0/16], egress: t1, bgp: *timers, fib: {delay: 10ms}}
hosts:
  ha: {on: a, ip: 10.1.0.5}
  hb: {on: b, ip: 10.2.0.5}
tunnels:
  t1:
    a: {outside: 198.51.100.1, inside: 169.254.1.1/30}
    b: {outside: 203.0.113.1, inside: 169.254.1.2/30}
    rtt: 10ms
  t2:
    a: {outside: 198.51.100.2, inside: 169.254.2.1/30}
    b: {outside: 203.0.113.2, inside: 169.254.2.2/30}
    rtt: 10ms
probe: {ping: ha -> hb, every: 100ms}
`

// at is an instant in seconds.
func at(s float64) sim.Time { return sim.Time(s * 1e9) }
