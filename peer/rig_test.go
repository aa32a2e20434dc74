package peer_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp/live"
	"github.com/vpnsim/vpnsim/peer"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// patience is how long a test waits for what must come. It is no measure: nothing
// here depends on how fast this machine is.
const patience = 40 * time.Second

// cloud is a scenario of which the tests play "cloud", and some other program is
// "office". Hold times are as short as RFC 4271 allows.
const cloud = `
vpnsim: v1
name: a cloud and an office
for: 60s
routers:
  cloud:  {profile: aws-vgw, asn: 64512, networks: [10.2.0.0/16], bgp: {hold: 3s, idle_hold: 1s, idle_hold_reset: 1s, connect_retry: 2s, connect_retry_jitter: 1}}
  office: {profile: gobgp, asn: 65010, networks: [10.1.0.0/16], bgp: {hold: 3s}}
hosts:
  ec2: {on: cloud, ip: 10.2.0.6}
  pc:  {on: office, ip: 10.1.0.2}
links:
  l1: {cloud: {inside: 169.254.10.1/30}, office: {inside: 169.254.10.2/30}, rtt: 2ms}
probe: {ping: pc -> ec2, every: 1s}
story:
`

func design(t *testing.T, text string, sets ...string) *topology.Design {
	t.Helper()
	d, diags := scenarios.Load("cloud.yaml", []byte(text), sets)
	if d == nil {
		t.Fatal(diags)
	}
	return d
}

// playing is a run of vpnsim's side.
type playing struct {
	t       *testing.T
	plan    *peer.Plan
	cancel  context.CancelFunc
	ready   chan struct{}
	done    chan struct{}
	mu      sync.Mutex
	lines   []report.PeerLine
	more    chan struct{} // closed when there are more lines
	summary *report.PeerSummary
	err     error
}

// play starts vpnsim's side, which listens wherever there is a free port.
func play(t *testing.T, d *topology.Design, f peer.Flags, opt peer.Options) *playing {
	t.Helper()
	f.As = []string{"cloud"}
	if len(f.Listen) == 0 {
		f.Listen = []string{"127.0.0.1:0"}
	}
	plan, err := peer.NewPlan(d, f, live.NewSecret)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &playing{t: t, plan: plan, cancel: cancel, ready: make(chan struct{}), done: make(chan struct{}), more: make(chan struct{})}
	opt.Seed = 1
	opt.Ready = func() { close(p.ready) }
	opt.Emit = func(l report.PeerLine) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.lines = append(p.lines, l)
		close(p.more)
		p.more = make(chan struct{})
	}
	go func() {
		defer close(p.done)
		p.summary, p.err = peer.Run(ctx, plan, opt)
	}()
	t.Cleanup(func() {
		p.end()
		if t.Failed() {
			t.Log("\n" + p.text())
		}
	})
	select {
	case <-p.ready:
	case <-p.done:
		t.Fatal(p.err)
	}
	return p
}

func (p *playing) at() netip.AddrPort { return p.plan.Links[0].Listen }

func (p *playing) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, l := range p.lines {
		story := "-"
		if l.StoryS != nil {
			story = l.StoryS.Fixed(3)
		}
		fmt.Fprintf(&b, "%s %s %s: %s\n", l.At[11:23], story, l.Kind, l.Words)
	}
	return b.String()
}

// until waits for a line that contains words, after the from-th, and returns what
// comes after it.
func (p *playing) until(from int, words string) int {
	p.t.Helper()
	late := time.After(patience)
	for {
		p.mu.Lock()
		for i := from; i < len(p.lines); i++ {
			if strings.Contains(p.lines[i].Words, words) {
				p.mu.Unlock()
				return i + 1
			}
		}
		more := p.more
		p.mu.Unlock()
		select {
		case <-more:
		case <-p.done:
			p.t.Fatalf("the run is over (%v) without %q", p.err, words)
		case <-late:
			p.t.Fatalf("%q does not come", words)
		}
	}
}

// end ends the run as Ctrl-C does.
func (p *playing) end() *report.PeerSummary {
	p.cancel()
	<-p.done
	return p.summary
}

// guards tells why this kernel can sign no segments and check no TTL; "" if it can.
func guards(key string) string {
	secret, err := live.NewSecret(key)
	if err != nil {
		return err.Error()
	}
	h := live.NewHub()
	defer h.Close()
	_, err = h.Listen(netip.MustParseAddrPort("127.0.0.1:0"), live.Options{TTLSecurity: true,
		Keys: []live.Key{{Peers: netip.MustParsePrefix("127.0.0.2/32"), Secret: secret}}})
	if err != nil {
		return fmt.Sprintf("no TCP MD5 or TTL security here: %v", err)
	}
	return ""
}
