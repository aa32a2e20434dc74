package profile

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

func TestNames(t *testing.T) {
	want := []string{"aws-dx", "aws-tgw", "aws-vgw", "azure-vpngw", "bird", "cisco-ios", "frr", "frr-10", "gcp-cloud-router", "gobgp", "junos", "nokia-sros", "openbgpd", "quagga", "rfc1771", "rfc4271"}
	if got := Names(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if _, ok := Get("zebra"); ok {
		t.Error("a profile that is not there")
	}
}

// Every profile is complete, every value lies in its key's range and comes
// back from its own text, and every claim has a source.
func TestEveryValue(t *testing.T) {
	for _, name := range Names() {
		p, _ := Get(name)
		if p.Doc == "" || strings.Contains(p.Doc, "\n") {
			t.Errorf("%s: its description is %q", name, p.Doc)
		}
		for k, s := range p.Settings() {
			k := topology.Key(k)
			if !s.Set || s.Origin.Profile == "" {
				t.Errorf("%s: %s has no value or no origin", name, k)
			}
			if _, err := topology.ParseValue(k, s.Format(k)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			switch s.Origin.Status {
			case topology.Documented, topology.Measured, topology.Standard:
				if s.Origin.Source == "" {
					t.Errorf("%s: %s is %v without a source", name, k, s.Origin.Status)
				}
			case topology.Assumed:
				if s.Origin.Source == "" && s.Origin.Note == "" {
					t.Errorf("%s: %s is assumed without a word why", name, k)
				}
			default:
				t.Errorf("%s: %s is %v: that is not for profiles", name, k, s.Origin.Status)
			}
			if err := p.Check(k, s.Value); err != nil {
				t.Errorf("%s: its own %v", name, err)
			}
		}
	}
}

// The few values on which the outcomes hang.
func TestValuesThatMatter(t *testing.T) {
	keys := []topology.Key{topology.BGPHold, topology.BGPKeepalive, topology.BGPKeepaliveJitter, topology.BGPHoldJitter,
		topology.BGPMRAI, topology.BGPMRAIMode, topology.BGPMRAIWithdrawals, topology.BGPMultipath, topology.BGPMED,
		topology.BGPFastFallover, topology.VPNDPDTimeout, topology.VPNInitiate, topology.IPDecrementTTL}
	want := map[string]string{
		"aws-dx":           "90s 30s 1 1 0s none gated 1 100 true 40s false false",
		"aws-tgw":          "30s 10s 1 1 0s none gated 16 100 true 40s false false",
		"aws-vgw":          "30s 10s 1 1 0s none gated 1 100 true 40s false false",
		"azure-vpngw":      "180s 60s 1 1 0s none gated 8 -1 true 45s true false",
		"bird":             "240s 0s 0.75 0.75 0s none gated 1 -1 true 0s true true",
		"cisco-ios":        "180s 60s 1 1 30s since-last-update exempt 1 -1 true 0s true true",
		"frr":              "180s 60s 1 1 0s since-last-update flush 16 -1 true 0s true true",
		"frr-10":           "180s 60s 1 1 0s since-last-update gated 16 -1 true 0s true true",
		"gcp-cloud-router": "60s 20s 1 1 0s none gated 8 100 true 60s true false",
		"gobgp":            "90s 0s 1 1 0s none gated 1 -1 false 0s true true",
		"junos":            "90s 0s 0.75 1 0s out-delay gated 1 -1 true 0s true true",
		"nokia-sros":       "90s 0s 0.75 1 30s tick gated 1 -1 true 0s true true",
		"openbgpd":         "90s 0s 1 1 0s none gated 1 -1 false 0s true true",
		"quagga":           "180s 60s 1 1 30s tick exempt 1 -1 true 0s true true",
		"rfc1771":          "90s 30s 0.75 1 30s since-last-update exempt 1 -1 false 0s true true",
		"rfc4271":          "90s 0s 0.75 1 30s since-last-update gated 1 -1 false 0s true true",
	}
	for _, name := range Names() {
		p, _ := Get(name)
		s := p.Settings()
		words := make([]string, len(keys))
		for i, k := range keys {
			words[i] = s[k].Format(k)
		}
		if got := strings.Join(words, " "); got != want[name] {
			t.Errorf("%s\n got %s\nwant %s", name, got, want[name])
		}
	}
}

// What AWS documents is called documented, what nobody has said is called
// assumed, and an inherited value keeps its origin.
func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		profile string
		key     topology.Key
		status  topology.Status
		from    string
	}{
		{"aws-vgw", topology.BGPHold, topology.Documented, "aws-vgw"},
		{"aws-vgw", topology.BGPMRAI, topology.Assumed, "aws-vgw"},
		{"aws-vgw", topology.FIBDelay, topology.Assumed, "aws-vgw"},
		{"aws-vgw", topology.TCPRTO, topology.Measured, "rfc4271"},
		{"aws-tgw", topology.BGPHold, topology.Documented, "aws-vgw"},
		{"aws-tgw", topology.BGPMultipath, topology.Documented, "aws-tgw"},
		{"gcp-cloud-router", topology.BGPKeepalive, topology.Documented, "gcp-cloud-router"},
		{"gcp-cloud-router", topology.BGPKeepaliveFixed, topology.Assumed, "gcp-cloud-router"},
		{"gcp-cloud-router", topology.RouteTableDelay, topology.Assumed, "gcp-cloud-router"},
		{"rfc1771", topology.BGPMRAI, topology.Assumed, "rfc1771"},
		{"rfc1771", topology.BGPMRAIWithdrawals, topology.Standard, "rfc1771"},
		{"rfc1771", topology.BGPMRAIAfterWithdraw, topology.Standard, "rfc1771"},
		{"rfc1771", topology.BGPKeepaliveJitter, topology.Standard, "rfc4271"},
		{"bird", topology.BGPHoldJitter, topology.Measured, "bird"},
	} {
		p, _ := Get(c.profile)
		if o := p.Settings()[c.key].Origin; o.Status != c.status || o.Profile != c.from {
			t.Errorf("%s %s: %v of %s", c.profile, c.key, o.Status, o.Profile)
		}
	}
}

func TestRangesAndOffers(t *testing.T) {
	for _, c := range []struct {
		profile string
		key     topology.Key
		text    string
		want    string // part of the complaint; "": allowed
	}{
		{"gcp-cloud-router", topology.BGPKeepalive, "20s", ""},
		{"gcp-cloud-router", topology.BGPKeepalive, "60s", ""},
		{"gcp-cloud-router", topology.BGPKeepalive, "10s", "allows 20s at least"},
		{"gcp-cloud-router", topology.BGPKeepalive, "uniform(30s, 61s)", "allows 60s at most"},
		{"aws-vgw", topology.BGPHold, "30s", ""},
		{"aws-vgw", topology.BGPHold, "9s", "aws-vgw has 30s and no way to change it"},
		{"aws-vgw", topology.BGPMultipath, "2", "no way to change it"},
		{"aws-tgw", topology.BGPMultipath, "2", ""},
		{"aws-tgw", topology.BGPHold, "9s", "aws-tgw has 30s"},
		{"aws-vgw", topology.VPNDPDTimeout, "20s", "allows 30s at least"},
		{"aws-vgw", topology.VPNRekeyFuzz, "101%", "allows 1 at most"},
		{"azure-vpngw", topology.BGPKeepalive, "10s", "no way to change it"},
		{"frr", topology.BGPHold, "3s", ""},
		{"gcp-cloud-router", topology.BFDMinTx, "300ms", "allows 1s at least"},
		{"gcp-cloud-router", topology.BFDMultiplier, "3", "allows 5 at least"},
		{"gcp-cloud-router", topology.BFDMultiplier, "5", ""},
		{"aws-dx", topology.BGPHold, "9s", ""},
		{"aws-dx", topology.BFDMinRx, "100ms", "aws-dx has 300ms and no way to change it"},
	} {
		p, _ := Get(c.profile)
		v, err := topology.ParseValue(c.key, c.text)
		if err != nil {
			t.Fatal(err)
		}
		err = p.Check(c.key, v)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s %s: %v, want …%s…", c.profile, c.key, c.text, err, c.want)
		}
	}
	for _, c := range []struct {
		profile, feature string
		offered          bool
	}{
		{"aws-vgw", "bfd", false}, {"aws-tgw", "bfd", false}, {"azure-vpngw", "bfd", false}, {"gcp-cloud-router", "bfd", true},
		{"aws-vgw", "ecmp", false}, {"aws-tgw", "ecmp", true}, {"frr", "bfd", true}, {"aws-dx", "bfd", true},
	} {
		p, _ := Get(c.profile)
		if o, ok := p.Offers(c.feature); !ok || o.Offered != c.offered {
			t.Errorf("%s %s: %v, known %v", c.profile, c.feature, o.Offered, ok)
		}
	}
	if p, _ := Get("rfc4271"); true {
		if _, ok := p.Offers("bfd"); ok {
			t.Error("an RFC offers nothing")
		}
	}
}

// The seed's clouds, as a sum: 30 s are negotiated, and GCP's keepalives come
// every 10 s.
func TestSeedNegotiation(t *testing.T) {
	aws, _ := Get("aws-vgw")
	gcp, _ := Get("gcp-cloud-router")
	a, g := aws.Settings(), gcp.Settings()
	hold := min(a[topology.BGPHold].Dist.Min(), g[topology.BGPHold].Dist.Min())
	if hold != 30*time.Second || g[topology.BGPKeepaliveFixed].Bool || min(hold/3, g[topology.BGPKeepalive].Dist.Min()) != 10*time.Second {
		t.Errorf("hold %v", hold)
	}
}

// Settings is a copy: who changes it changes nobody else's.
func TestSettingsAreTheCallers(t *testing.T) {
	p, _ := Get("frr")
	s := p.Settings()
	s[topology.BGPHold].Int = 77
	if p.Settings()[topology.BGPHold].Int == 77 {
		t.Error("a profile can be changed from outside")
	}
}

// Mistakes in the data are found, all at once.
func TestLoadErrors(t *testing.T) {
	_, err := load(fstest.MapFS{
		"data/a.yaml": {Data: []byte("doc: one\nextends: b\nvalues:\n" +
			"  - {key: bgp.hold, value: 30, status: documented}\n" +
			"  - {key: bgp.holt, value: 30s, status: documented, source: x}\n" +
			"  - {key: bgp.med, value: 5, status: guessed, source: x}\n" +
			"  - {key: bgp.med, value: 5, status: assumed}\n" +
			"ranges:\n  - {key: bgp.med, min: 6, max: 9, source: x}\n  - {key: nothing, fixed: true, source: x}\n" +
			"offers:\n  - {feature: teleport, offered: true, source: x}\n")},
		"data/b.yaml": {Data: []byte("doc: two\nextends: a\nvalues: []\n")},
		"data/c.yaml": {Data: []byte("doc: three\nextends: nobody\nvalue: []\n")},
		"data/d.yaml": {Data: []byte("doc: four\ndoc: five\n")},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"bgp.hold is documented, but by whom?", "30 has no unit", `unknown key "bgp.holt"`, `unknown status "guessed"`,
		"bgp.med stands twice", "bgp.med is assumed, but why?", "its own bgp.med 5: a allows 6 at least",
		`range of an unknown key "nothing"`, `unknown feature "teleport"`, "extends itself", `c: extends "nobody"`, "value",
		"c: has no value for bgp.hold", "data/d.yaml",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := load(data); err != nil {
			b.Fatal(err)
		}
	}
}

// Who restarts gracefully, and how many prefixes a cloud takes. FRR is a helper by
// default, with the N bit on (doc/user/bgp.rst), and was measured to announce
// long-lived graceful restart too; BIRD to be aware of both; GoBGP to have it off. A
// Juniper router shows of AWS "Restart time requested by this peer: 120".
func TestWhoRestartsGracefully(t *testing.T) {
	keys := []topology.Key{topology.BGPGracefulRestart, topology.BGPRestartTime, topology.BGPGracefulNotify, topology.BGPLongLived, topology.BGPGracefulRules, topology.BGPMaxPrefixes}
	for name, want := range map[string]string{
		"aws-vgw":          "restarter 120s false off rfc 100",
		"aws-tgw":          "restarter 120s false off rfc 1000",
		"azure-vpngw":      "off 120s false off rfc 4000",
		"gcp-cloud-router": "restarter 1s false off rfc 0",
		"frr":              "helper 120s true restarter rfc 0",
		"bird":             "helper 120s false helper bird 0",
		"gobgp":            "off 90s false off rfc 0",
		"cisco-ios":        "off 120s false off rfc 0",
		"rfc4271":          "off 120s false off rfc 0",
	} {
		p, _ := Get(name)
		s := p.Settings()
		var words []string
		for _, k := range keys {
			words = append(words, s[k].Format(k))
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
