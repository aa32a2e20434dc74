package scenarios_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// drawn writes a design's routers and links in a line.
func drawn(d *topology.Design) string {
	var words []string
	for i := range d.Routers {
		words = append(words, d.Routers[i].Name)
	}
	for i := range d.Links {
		words = append(words, d.Links[i].Name)
	}
	return strings.Join(words, " ")
}

func TestGenerate(t *testing.T) {
	schema := compileSchema(t)
	for graph, want := range map[string]string{
		"clique: 3":                            "r1 r2 r3 r1-r2 r1-r3 r2-r3",
		"chain: 3":                             "r1 r2 r3 r1-r2 r2-r3",
		"ring: 3":                              "r1 r2 r3 r1-r2 r2-r3 r1-r3",
		"b-clique: 2":                          "r1 r2 r3 r4 r1-r2 r2-r3 r1-r4 r3-r4",
		"tree: {depth: 1, fanout: 2}":          "r1 r2 r3 r1-r2 r1-r3",
		"as-graph: {synthetic: 4, seed: 1}":    "as1 as2 as3 as4 as1-as2 as1-as3 as2-as3 as2-as4 as1-as4",
		"clique: 3, rtt: 4ms, hosts: [r1, r2]": "r1 r2 r3 r1-r2 r1-r3 r2-r3",
		`chain: 3, prefix: [10.0.0.0/24], origin: r2, delay: "uniform(1ms, 2ms)"`: "r1 r2 r3 r1-r2 r2-r3",
	} {
		text := "vpnsim: v1\ngenerate: {" + graph + "}\n"
		d := loadText(t, text)
		if got := drawn(d); got != want {
			t.Errorf("%s: %s, want %s", graph, got, want)
		}
		if err := schema.Validate(decode(t, []byte(text))); err != nil {
			t.Errorf("%s: %v", graph, err)
		}
		for i := range d.Links {
			for e, end := range d.Links[i].Ends {
				if want := fmt.Sprintf("100.64.0.%d/31", 2*i+e); end.Inside.String() != want || !end.BGP {
					t.Errorf("%s: %s has %v, want %s", graph, d.Links[i].Name, end.Inside, want)
				}
			}
		}
		for _, w := range scenarios.Lint(d) {
			t.Errorf("%s: %v", graph, w)
		}
	}
}

// mixed is a ring with a written router, host and link, and with changes to
// what is generated.
const mixed = `vpnsim: v1
params: {n: 4}
generate:
  ring: $n
  profile: frr
  rtt: 20ms
  prefix: 10.0.0.0/24
  hosts: [r1, r3]
  bgp: {mrai: 5s, processing: 1ms}
routers:
  site: {profile: bird, asn: 65001, networks: [10.1.0.0/16]}
  r2: {profile: gobgp, bgp: {mrai: 7s}}
  r3:
hosts:
  pc: {on: site, ip: 10.1.0.2}
links:
  up: {site: {inside: 192.168.1.1/30}, r2: {inside: 192.168.1.2/30}, rtt: 1ms}
  r1-r2: {delay: 1ms, r1: {bgp: {med: 7}}}
probes:
  - pc -> h3
  - h1 -> h3
story:
  - {at: 10s, down: r2-r3, for: 20s}
  - {at: 20s, kill: r$n}
expect: best("site", "10.0.0.0/24", end).exists
`

func TestGenerateStandsBesideWhatIsWritten(t *testing.T) {
	d := loadText(t, mixed)
	if got := drawn(d); got != "r1 r2 r3 r4 site r1-r2 r2-r3 r3-r4 r1-r4 up" {
		t.Error(got)
	}
	r2, r3 := &d.Routers[1], &d.Routers[2]
	if r2.Profile != "gobgp" || r2.ASN != 64602 || r2.ID.String() != "198.18.0.2" || r2.Settings[topology.BGPMRAI].Dist.A != 7*time.Second ||
		r2.Settings[topology.BGPProcessing].Dist.A != time.Millisecond {
		t.Errorf("r2: %s, AS %d, %v, MRAI %v", r2.Profile, r2.ASN, r2.ID, r2.Settings[topology.BGPMRAI].Dist)
	}
	if r3.Profile != "frr" || r3.Networks[0].Prefix.String() != "10.128.3.0/24" || r3.Settings[topology.BGPMRAI].Dist.A != 5*time.Second {
		t.Errorf("r3: %+v %v", r3.Profile, r3.Networks)
	}
	if l := &d.Links[0]; l.Delay.Dist.A != time.Millisecond || l.Ends[0].Settings[topology.BGPMED].Int != 7 || l.Ends[1].Settings[topology.BGPMED].Int == 7 {
		t.Errorf("r1-r2: %v", l.Delay)
	}
	for i, want := range []string{"h1 10.0.0.2", "h3 10.128.3.2", "pc 10.1.0.2"} {
		if got := d.Hosts[i].Name + " " + d.Hosts[i].Addr.String(); got != want {
			t.Errorf("host %s, want %s", got, want)
		}
	}
	if d.Story[0].Link != 1 || d.Story[2].Router != 3 {
		t.Errorf("%+v", d.Story)
	}
}

// --set reaches what is generated from, and what has been generated, of which
// it changes one.
func TestSetOfWhatIsGenerated(t *testing.T) {
	d := loadText(t, mixed, "routers.r4.bgp.mrai=9s", "links.r3-r4.rtt=8ms", "hosts.h3.ip=10.128.3.9", "n=5", "generate.rtt=30ms", "routers.r5.bgp.hold=9s")
	if len(d.Routers) != 6 || len(d.Links) != 6 {
		t.Fatal(drawn(d))
	}
	for i, want := range []time.Duration{5, 7, 5, 9, 5} {
		if got := d.Routers[i].Settings[topology.BGPMRAI].Dist.A; got != want*time.Second {
			t.Errorf("MRAI of r%d: %v, want %d s", i+1, got, want)
		}
	}
	for i, want := range []time.Duration{1, 15, 4, 15, 15} {
		if got := d.Links[i].Delay.Dist.A; got != want*time.Millisecond {
			t.Errorf("delay of %s: %v, want %d ms", d.Links[i].Name, got, want)
		}
	}
	if s := d.Routers[4].Settings[topology.BGPHold]; s.Origin.String() != "--set" || d.Hosts[1].Addr.String() != "10.128.3.9" {
		t.Errorf("hold of r5: %+v, h3 %v", s, d.Hosts[1].Addr)
	}
	if o := d.Links[1].Delay.Origin.String(); o != "--set" {
		t.Errorf("generate.rtt: %s", o)
	}
	d = loadText(t, mixed, "generate={clique: 3, hosts: [r1, r3]}", "story=[]", "expect=[]")
	if got := drawn(d); got != "r1 r2 r3 site r1-r2 r1-r3 r2-r3 up" || d.Routers[0].Profile != "rfc4271" {
		t.Error(got)
	}
}

// The relationships of a file become routers that are called by their numbers,
// with the policies that providers, customers and peers have.
func TestGenerateFromRelationships(t *testing.T) {
	read := scenarios.Files(func(name string) ([]byte, error) {
		if name != "some/rel.txt" {
			return nil, fmt.Errorf("no %s here", name)
		}
		return []byte("64500|64501|-1\n64500|64502|-1\n64501|64502|0\n"), nil
	})
	d, ds := scenarios.Load("x.yaml", []byte("vpnsim: v1\ngenerate: {as-graph: {file: some/rel.txt}, prefix: 10.0.0.0/24, origin: as64502, hosts: as64501}\n"), nil, read)
	if d == nil {
		t.Fatal(ds)
	}
	if got := drawn(d); got != "as64500 as64501 as64502 as64500-as64501 as64500-as64502 as64501-as64502" || d.Hosts[0].Name != "h64501" || len(d.Routers[2].Networks) != 1 {
		t.Error(got)
	}
	var got []string
	for _, r := range scenarios.Effective(d) {
		if strings.Contains(r.Path, "port[0]") {
			got = append(got, r.Path+" "+r.Value)
		}
	}
	want := `links.as64500-as64501.as64501.import[0] any: local_pref 80, add community 64600:1
links.as64500-as64501.as64501.export[0] community 64600:1: reject
links.as64500-as64502.as64502.import[0] any: local_pref 80, add community 64600:1
links.as64500-as64502.as64502.export[0] community 64600:1: reject
links.as64501-as64502.as64501.import[0] any: local_pref 90, add community 64600:1
links.as64501-as64502.as64501.export[0] community 64600:1: reject
links.as64501-as64502.as64502.import[0] any: local_pref 90, add community 64600:1
links.as64501-as64502.as64502.export[0] community 64600:1: reject`
	if strings.Join(got, "\n") != want {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}
