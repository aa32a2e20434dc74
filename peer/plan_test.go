package peer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/bgp/live"
	"github.com/vpnsim/vpnsim/peer"
)

const hub = `
vpnsim: v1
name: two clouds, one office
for: 60s
routers:
  aws:    {profile: aws-vgw, asn: 64512, networks: [10.2.0.0/16]}
  gcp:    {profile: gcp-cloud-router, asn: 65000, networks: [10.3.0.0/16]}
  office: {profile: frr, asn: 65010, networks: [10.1.0.0/16]}
links:
  a1: {aws: {inside: 169.254.10.1/30}, office: {inside: 169.254.10.2/30}, rtt: 2ms}
  a2: {office: {inside: 169.254.10.6/30}, aws: {inside: 169.254.10.5/30}, rtt: 2ms}
  g1: {gcp: {inside: 169.254.20.1/30}, office: {inside: 169.254.20.2/30}, rtt: 2ms}
`

// What flags mean, and what is said of flags that mean nothing.
func TestPlan(t *testing.T) {
	d := design(t, hub)
	for _, c := range []struct {
		flags peer.Flags
		want  string
	}{
		{peer.Flags{As: []string{"aws"}}, "office: a1 127.0.0.1:1790, a2 127.0.0.2:1790; not g1"},
		{peer.Flags{As: []string{"gcp"}}, "office: g1 127.0.0.1:1790; not a1 a2"},
		{peer.Flags{As: []string{"gcp", "aws"}}, "office: a1 127.0.0.1:1790, a2 127.0.0.2:1790, g1 127.0.0.3:1790; not"},
		{peer.Flags{As: []string{"office"}}, "which of the neighbours of office is real: aws, gcp? (--real aws)"},
		{peer.Flags{As: []string{"office"}, Real: "gcp"}, "gcp: g1 127.0.0.1:1790; not"},
		{peer.Flags{As: []string{"office"}, Real: "office"}, "office cannot be both real and played ()"},
		{peer.Flags{As: []string{"aws"}, Real: "gcp"}, "aws has no BGP session with gcp ()"},
		{peer.Flags{As: []string{"azure"}}, `--as: cloud.yaml has no router "azure" (known: aws, gcp, office)`},
		{peer.Flags{}, "--as does not say which router of cloud.yaml vpnsim is to play (known: aws, gcp, office)"},

		{peer.Flags{As: []string{"aws"}, Peer: []string{"192.0.2.1"}}, "office: a1 127.0.0.1:1790 calls 192.0.2.1:179, a2 127.0.0.2:1790 calls 192.0.2.1:179; not g1"},
		{peer.Flags{As: []string{"aws"}, Peer: []string{"a2=192.0.2.1:1791"}, Listen: []string{"10.0.0.1:179", "a1=10.0.0.2:179"}},
			"office: a1 10.0.0.2:179, a2 10.0.0.1:179 calls 192.0.2.1:1791; not g1"},
		{peer.Flags{As: []string{"aws"}, Listen: []string{"127.0.0.1:1790"}},
			"a1 and a2 both listen on 127.0.0.1:1790, and nothing tells their callers apart (give each an address of its own (--listen a2=…), or say where the callers come from (--peer a1=… --peer a2=…))"},
		{peer.Flags{As: []string{"aws"}, Listen: []string{"127.0.0.1:1790"}, Peer: []string{"192.0.2.1"}},
			"a1 and a2 both listen on 127.0.0.1:1790 and have the same peer: nothing tells their callers apart (give each an address of its own: --listen a2=…)"},
		{peer.Flags{As: []string{"aws"}, Listen: []string{"127.0.0.1:1790"}, Peer: []string{"a1=192.0.2.1", "a2=192.0.2.2"}},
			"office: a1 127.0.0.1:1790 calls 192.0.2.1:179, a2 127.0.0.1:1790 calls 192.0.2.2:179; not g1"},
		{peer.Flags{As: []string{"aws"}, Listen: []string{"1790"}}, `--listen: "1790" is no IPv4 address with a port (write --listen 127.0.0.1:1790)`},
		{peer.Flags{As: []string{"aws"}, Listen: []string{"[::1]:1790"}}, `--listen: "[::1]:1790" is no IPv4 address with a port (write --listen 127.0.0.1:1790)`},
		{peer.Flags{As: []string{"aws"}, Peer: []string{"router"}}, `--peer: "router" is no IPv4 address (write --peer 192.0.2.1 or --peer 192.0.2.1:1790)`},
		{peer.Flags{As: []string{"aws"}, Peer: []string{"g1=192.0.2.1"}}, `--peer: "g1" is no link to the real router (known: a1, a2)`},
		{peer.Flags{As: []string{"aws"}, Peer: []string{"a1=192.0.2.1", "a1=192.0.2.2"}}, "--peer: a1 is given twice ()"},
		{peer.Flags{As: []string{"aws"}, Peer: []string{"192.0.2.1", "192.0.2.2"}}, "--peer: both 192.0.2.1 and 192.0.2.2 are for all links (write --peer a1=192.0.2.2)"},
		{peer.Flags{As: []string{"aws"}, Keys: []string{"a1=secret"}}, "office: a1 127.0.0.1:1790 signed, a2 127.0.0.2:1790; not g1"},
		{peer.Flags{As: []string{"aws"}, Keys: []string{strings.Repeat("x", 81)}}, "--md5: a TCP MD5 password has 1 to 80 octets, not 81 ()"},
	} {
		plan, err := peer.NewPlan(d, c.flags, live.NewSecret)
		got := ""
		var bad *peer.Problem
		if errors.As(err, &bad) {
			got = fmt.Sprintf("%s (%s)", bad.Message, bad.Help)
		} else if err != nil {
			got = err.Error()
		} else {
			s := plan.Start(1)
			var links []string
			for _, l := range s.Links {
				x := l.Link + " " + l.Listen
				if l.Calls != "" {
					x += " calls " + l.Calls
				}
				if l.MD5 {
					x += " signed"
				}
				links = append(links, x)
			}
			got = strings.TrimSpace(s.Real + ": " + strings.Join(links, ", ") + "; not " + strings.Join(s.Unattached, " "))
		}
		if got != c.want {
			t.Errorf("%+v:\n got %s\nwant %s", c.flags, got, c.want)
		}
	}
}

// That others can call is said.
func TestPlanIsOpen(t *testing.T) {
	d := design(t, hub)
	for _, c := range []struct {
		listen []string
		open   string
	}{
		{nil, ""}, {[]string{"a1=127.9.9.9:1"}, ""}, {[]string{"a2=0.0.0.0:1790"}, "0.0.0.0:1790"}, {[]string{"a1=169.254.10.1:179"}, "169.254.10.1:179"},
	} {
		plan, err := peer.NewPlan(d, peer.Flags{As: []string{"aws"}, Listen: c.listen}, live.NewSecret)
		if err != nil {
			t.Fatal(err)
		}
		if at, open := plan.Open(); open != (c.open != "") || open && at.String() != c.open {
			t.Errorf("%v: %v, %v", c.listen, at, open)
		}
	}
}

// A real router is spoken to over IPv4 only: a link that asks for more is refused.
func TestPlanWithIPv6(t *testing.T) {
	d := design(t, `vpnsim: v1
routers:
  aws: {profile: aws-tgw, asn: 64512, networks: [10.2.0.0/16, 2001:db8:2::/48]}
  office: {profile: frr, asn: 65010, networks: 10.1.0.0/16}
links:
  a1: {aws: {inside: [169.254.10.1/30, fd00::1/126]}, office: {inside: [169.254.10.2/30, fd00::2/126]}, rtt: 2ms}
`)
	_, err := peer.NewPlan(d, peer.Flags{As: []string{"aws"}}, live.NewSecret)
	if err == nil || !strings.Contains(err.Error(), "a1: a real router is spoken to over IPv4 and about IPv4 only") {
		t.Errorf("%v", err)
	}
	d = design(t, `vpnsim: v1
routers:
  aws: {profile: aws-tgw, asn: 64512, networks: [10.2.0.0/16, 2001:db8:2::/48], bgp: {families: ipv4}}
  office: {profile: frr, asn: 65010, networks: 10.1.0.0/16, bgp: {families: ipv4}}
links:
  a1: {aws: {inside: [169.254.10.1/30, fd00::1/126]}, office: {inside: [169.254.10.2/30, fd00::2/126]}, rtt: 2ms}
`)
	if _, err := peer.NewPlan(d, peer.Flags{As: []string{"aws"}}, live.NewSecret); err != nil {
		t.Error(err)
	}
}
