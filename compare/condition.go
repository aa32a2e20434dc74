package compare

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// Condition is one that fails a comparison: p99 > +2s, lost mean > +0.5, instant < -5%.
type Condition struct {
	Text     string
	Metric   sweep.Metric
	Of       string  // p99, mean, max or instant
	Quantile float64 // of p99: 0.99; of max: 1
	More     bool    // >, otherwise <
	Limit    float64 // nanoseconds, whole numbers, or a share
}

// What a condition may be about.
const (
	mean    = "mean"
	largest = "max"
	instant = "instant"
)

var shape = regexp.MustCompile(`^\s*(?:([A-Za-z_]+)\s+)?([A-Za-z][A-Za-z0-9.]*)\s*([<>=!]+)\s*(.*?)\s*$`)

const example = "p99 > +2s, lost p99 > +3, mean > +500ms, instant < -5%"

// ParseCondition reads a condition. What does not name its metric is about usual.
func ParseCondition(text, usual string) (*Condition, error) {
	m := shape.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("it is not like %s", example)
	}
	name, of, op, limit := m[1], m[2], m[3], m[4]
	c := &Condition{Text: strings.TrimSpace(text), Of: of, More: op == ">"}
	if name == "" {
		name = usual
	}
	metric, ok := sweep.Find(name)
	if !ok {
		return nil, fmt.Errorf("there is no metric %q (%s)", name, scenarios.DidYouMean(name, metricNames()))
	}
	c.Metric = metric
	if op != ">" && op != "<" {
		return nil, fmt.Errorf("%s is not known: a shift is > or < something", op)
	}
	switch p, err := strconv.ParseFloat(strings.TrimPrefix(of, "p"), 64); {
	case of == mean, of == instant:
	case of == largest:
		c.Quantile = 1
	case strings.HasPrefix(of, "p") && err == nil && p > 0 && p < 100:
		c.Quantile = p / 100
	case slices.Contains(metricNames(), of):
		return nil, fmt.Errorf("it does not say what of %s: p50, p99, mean or max", of)
	default:
		return nil, fmt.Errorf("%q is none of p50, p90, p99.9 …, mean, max and instant", of)
	}
	if of == instant && metric.Unit != sweep.Duration {
		return nil, fmt.Errorf("%s is a number: no run is instant by it", metric.Name)
	}
	return c, c.limit(limit)
}

// limit reads the shift that is too much.
func (c *Condition) limit(text string) error {
	sign, rest := 1.0, text
	signed := true
	switch {
	case strings.HasPrefix(text, "+"):
		rest = text[1:]
	case strings.HasPrefix(text, "-"):
		sign, rest = -1, text[1:]
	default:
		signed = false
	}
	var err error
	switch {
	case c.Of == instant:
		points, ok := strings.CutSuffix(rest, "%")
		if c.Limit, err = decimal(points); err != nil || !ok {
			return fmt.Errorf("%q is no shift of a share: write it in percentage points, like -5%%", text)
		}
		c.Limit /= 100
	case c.Metric.Unit == sweep.Duration:
		d, err := topology.ParseDuration(rest)
		if err != nil {
			return fmt.Errorf("%s %s is a duration, and %w", c.Metric.Name, c.Of, err)
		}
		c.Limit = float64(d)
	default:
		if c.Limit, err = decimal(rest); err != nil {
			return fmt.Errorf("%s %s is a number without unit, and %q is none", c.Metric.Name, c.Of, text)
		}
	}
	if c.Limit *= sign; !signed && c.Limit != 0 {
		return fmt.Errorf("it is about a shift, so write its sign: %s", c.suggestion(text))
	}
	if c.More == (c.Limit < 0) && c.Limit != 0 {
		return fmt.Errorf("a change that changes nothing would meet it")
	}
	return nil
}

// suggestion is the limit with a sign.
func (c *Condition) suggestion(text string) string {
	if c.More {
		return "> +" + text
	}
	return "< -" + text
}

func decimal(text string) (float64, error) {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

// met tells whether an estimate meets the condition, and whether its interval excludes that
// there is no change in its direction.
func (c *Condition) met(value, low, high float64, lowKnown, highKnown bool) (met, certain bool) {
	if c.More {
		return value > c.Limit, lowKnown && low > 0
	}
	return value < c.Limit, highKnown && high < 0
}

func metricNames() (names []string) {
	for _, m := range sweep.Metrics {
		names = append(names, m.Name)
	}
	return names
}
