package report

import (
	"bytes"
	"strings"
	"testing"
)

func checked() Check {
	return Check{VPNSim: "v1", Kind: "check", Version: "v0", Scenarios: []CheckedScenario{
		{Scenario: "bad.yaml", Errors: 1, Warnings: 1, Diagnostics: []Diagnostic{
			{File: "bad.yaml", Line: 3, Col: 5, Severity: "error", Message: `router "aws" has no key "hodl"`, Help: `did you mean "hold"?`},
			{File: "--set routers.aws.asn", Severity: "warning", Message: "odd"},
		}},
		{Scenario: "good.yaml", Name: "good", OK: true, Assumed: 1, Values: []Value{
			{"for", "300s", "default"},
			{"routers.aws.asn", "64512", "good.yaml:4:3"},
			{"routers.aws.bgp.mrai", "0s", "profile aws-vgw, assumed: AWS does not say"},
			{"story[0].at", "90s", "good.yaml:9:3"},
			{"assume.story[0].at", "nobody knows", "good.yaml:12:3"},
		}},
	}}
}

func TestCheckText(t *testing.T) {
	var b bytes.Buffer
	if err := CheckText(&b, checked(), Options{}); err != nil {
		t.Fatal(err)
	}
	want := `bad.yaml:3:5: router "aws" has no key "hodl"
    did you mean "hold"?
--set routers.aws.asn: warning: odd
bad.yaml: ✗ 1 error, 1 warning

parameter             value  where it comes from
for                   300s   default

routers.aws.asn       64512  good.yaml:4:3
routers.aws.bgp.mrai  0s     profile aws-vgw, assumed: AWS does not say

story[0].at           90s    good.yaml:9:3

assumed by the scenario  where           why
story[0].at              good.yaml:12:3  nobody knows

good.yaml: ✓ ok, 1 value is assumed
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// A file's name and its contents are somebody else's text.
func TestCheckOfHostileText(t *testing.T) {
	c := checked()
	c.Scenarios[0].Scenario = "x\x1b[2J.yaml"
	c.Scenarios[0].Diagnostics[0].Message = "a\nbad.yaml:1:1: forged\x1b]0;title\a | <img src=x> @someone"
	var text, md bytes.Buffer
	if err := CheckText(&text, c, Options{}); err != nil {
		t.Fatal(err)
	}
	if s := text.String(); strings.ContainsAny(s, "\x1b\a") || strings.Contains(s, "\nbad.yaml:1:1") {
		t.Errorf("%q", s)
	}
	if err := CheckMarkdown(&md, c); err != nil {
		t.Fatal(err)
	}
	if s := md.String(); strings.Contains(s, "<img") || strings.Contains(s, " @someone") || strings.Contains(s, "\x1b") {
		t.Errorf("%q", s)
	}
}

func TestCheckJSONHasNoNull(t *testing.T) {
	var b bytes.Buffer
	if err := CheckJSON(&b, Check{Scenarios: []CheckedScenario{{}}}); err != nil {
		t.Fatal(err)
	}
	if s := b.String(); strings.Contains(s, "null") || !strings.Contains(s, `"diagnostics": []`) {
		t.Error(s)
	}
}
