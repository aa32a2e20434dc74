package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/jstemmer/go-junit-report/v2/junit"
)

// JUnit writes t as the XML that CI systems read: a suite for each scenario, a case for
// each expectation. No times are in it, since the same test gives the same bytes.
func JUnit(w io.Writer, t Test) error {
	t = rewritten(t, xmlText)
	suites := junit.Testsuites{Name: "vpnsim", Time: noTime}
	for i := range t.Scenarios {
		s := &t.Scenarios[i]
		suite := junit.Testsuite{Name: s.Scenario, ID: i, File: s.Scenario, Time: noTime}
		suite.AddProperty("scenario_sha256", s.ScenarioSHA256)
		suite.AddProperty("seeds", fmt.Sprintf("%d runs from seed %d", t.Runs, t.FirstSeed))
		suite.AddProperty("version", t.Version)
		var errs []string
		for _, d := range s.Diagnostics {
			errs = append(errs, strings.TrimRight(fmt.Sprintf("%s:%d:%d: %s %s", d.File, d.Line, d.Col, d.Message, d.Help), " "))
		}
		if len(errs) > 0 {
			suite.AddTestcase(junit.Testcase{Name: "the scenario can be read", Classname: s.Scenario, Time: noTime,
				Error: &junit.Result{Message: errs[0], Type: "scenario", Data: strings.Join(errs, "\n")}})
		}
		if len(errs) == 0 && s.Runs == 0 {
			suite.AddTestcase(junit.Testcase{Name: "expects nothing", Classname: s.Scenario, Time: noTime,
				Skipped: &junit.Result{Message: "the scenario has no expectations"}})
		}
		for j := range s.Expectations {
			e := &s.Expectations[j]
			c := junit.Testcase{Name: e.Expr, Classname: s.Scenario, Time: noTime}
			if e.OK {
				if e.Many {
					c.SystemOut = &junit.Output{Data: strings.TrimSpace(e.Got + "\n" + e.unsure())}
				}
			} else {
				c.Failure = &junit.Result{Message: e.saw(), Type: "expectation", Data: e.place() + ": " + e.Failure()}
			}
			suite.AddTestcase(c)
		}
		if b := s.Baseline; b != nil {
			for k := range b.Values {
				if v := &b.Values[k]; v.Worse {
					suite.AddTestcase(junit.Testcase{Name: v.Expr + " against the baseline", Classname: s.Scenario, Time: noTime,
						Failure: &junit.Result{Message: b.Words(v), Type: "baseline", Data: b.Words(v)}})
				}
			}
		}
		suites.AddSuite(suite)
		suites.Skipped = 0 // Jenkins knows no such attribute here
	}
	if _, err := io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"); err != nil {
		return err
	}
	return suites.WriteXML(w)
}

const noTime = "0.000"

// xmlText leaves out what XML has no way to write.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// Failure is what there is to say about an expectation that has failed, in lines.
func (e *TestedExpectation) Failure() string {
	lines := []string{e.Expr, e.saw()}
	if s := e.unsure(); s != "" {
		lines = append(lines, s)
	}
	lines = append(lines, "replay: "+e.Replay)
	if len(e.Chain) > 0 {
		lines = append(lines, e.because())
		for _, c := range e.waits() {
			line := c[0] + "  " + c[1]
			if c[2] != "" {
				line += ", " + c[2]
			}
			if c[3] != "" {
				line += " (" + c[3] + ")"
			}
			lines = append(lines, "  "+line)
		}
	}
	return strings.Join(lines, "\n")
}
