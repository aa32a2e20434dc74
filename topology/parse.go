package topology

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Values as people write them, in scenarios, in profiles and behind --set:
//
//	30s  1m30s  100ms            a duration; the unit is mandatory
//	uniform(85s, 95s)            anything between
//	normal(10ms, 2ms)            mean, standard deviation
//	exp(5ms, 1ms)                at least 5 ms, plus an exponential of mean 1 ms
//	choice(0s, 30s)              one of them, equally likely
//	3   true   clear   0.75      a number, a switch, one of a Key's words, a share
//
// Whatever Format prints, ParseValue reads back as the same value.

// MaxDuration is the longest duration that can be written: about 11 years.
// Longer ones are mistakes, and sums of shorter ones do not overflow.
const MaxDuration = 100_000 * time.Hour

// ParseDuration reads one duration.
func ParseDuration(text string) (time.Duration, error) {
	s := strings.TrimSpace(text)
	if s == "" {
		return 0, fmt.Errorf("a duration is missing: write 30s, 1m30s or 500ms")
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return 0, fmt.Errorf("%s has no unit: write %ss (or %sms, %sm, %sh)", s, s, s, s, s)
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration: write 30s, 1m30s, 500ms or a distribution such as uniform(85s, 95s)", s)
	}
	if d < 0 {
		return 0, fmt.Errorf("%s is negative", s)
	}
	if d > MaxDuration {
		return 0, fmt.Errorf("%s is longer than %v", s, MaxDuration)
	}
	return d, nil
}

// shapes of distributions: how many arguments, and how to write them.
var shapes = []struct {
	name     string
	min, max int
	usage    string
}{
	{"uniform", 2, 2, "uniform(least, most)"},
	{"normal", 2, 2, "normal(mean, deviation)"},
	{"exp", 2, 2, "exp(least, mean of the rest)"},
	{"choice", 1, 64, "choice(one, another, ...)"},
}

// ParseDist reads a duration or a distribution of durations.
func ParseDist(text string) (Dist, error) {
	s := strings.TrimSpace(text)
	name, rest, call := strings.Cut(s, "(")
	if !call {
		d, err := ParseDuration(s)
		return Const(d), err
	}
	name = strings.TrimSpace(name)
	for _, shape := range shapes {
		if shape.name != name {
			continue
		}
		inside, ok := strings.CutSuffix(rest, ")")
		if !ok {
			return Dist{}, fmt.Errorf("%q does not end with ): write %s", s, shape.usage)
		}
		args := strings.Split(inside, ",")
		if len(args) < shape.min || len(args) > shape.max || strings.TrimSpace(inside) == "" {
			return Dist{}, fmt.Errorf("%q: write %s", s, shape.usage)
		}
		v := make([]time.Duration, len(args))
		for i, a := range args {
			var err error
			if v[i], err = ParseDuration(a); err != nil {
				return Dist{}, fmt.Errorf("%s: %w", name, err)
			}
		}
		return newDist(name, v)
	}
	return Dist{}, fmt.Errorf("%q is no distribution: there are uniform(a, b), normal(mean, deviation), exp(least, mean) and choice(a, b, ...)", name)
}

func newDist(name string, v []time.Duration) (Dist, error) {
	switch name {
	case "uniform":
		if v[0] > v[1] {
			return Dist{}, fmt.Errorf("uniform(%s, %s): the first has to be the smaller", FormatDuration(v[0]), FormatDuration(v[1]))
		}
		return NewUniform(v[0], v[1]), nil
	case "normal":
		if v[1] == 0 {
			return Dist{}, fmt.Errorf("normal with a deviation of 0: write %s", FormatDuration(v[0]))
		}
		return NewNormal(v[0], v[1]), nil
	case "exp":
		if v[1] == 0 {
			return Dist{}, fmt.Errorf("exp with a mean of 0: write %s", FormatDuration(v[0]))
		}
		return NewExp(v[0], v[1]), nil
	}
	return NewChoice(v...), nil
}

// FormatDuration writes seconds from one second on, since that is how timers
// are spoken of (90s, 28800s), and milli-, micro- or nanoseconds below.
func FormatDuration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + FormatDuration(-d)
	case d == 0 || d >= time.Second:
		return decimal(int64(d), 9) + "s"
	case d >= time.Millisecond:
		return decimal(int64(d), 6) + "ms"
	case d >= time.Microsecond:
		return decimal(int64(d), 3) + "us"
	}
	return strconv.FormatInt(int64(d), 10) + "ns"
}

// decimal writes n with the point moved by digits, without idle zeros.
func decimal(n int64, digits int) string {
	if n < 0 {
		return "-" + decimal(-n, digits)
	}
	s := fmt.Sprintf("%0*d", digits+1, n)
	whole, part := s[:len(s)-digits], strings.TrimRight(s[len(s)-digits:], "0")
	if part == "" {
		return whole
	}
	return whole + "." + part
}

// String writes d so that ParseDist reads it back.
func (d Dist) String() string {
	two := func(name string) string {
		return name + "(" + FormatDuration(d.A) + ", " + FormatDuration(d.B) + ")"
	}
	switch d.Kind {
	case Uniform:
		return two("uniform")
	case Normal:
		return two("normal")
	case Exp:
		return two("exp")
	case Choice:
		words := make([]string, len(d.Values))
		for i, v := range d.Values {
			words[i] = FormatDuration(v)
		}
		return "choice(" + strings.Join(words, ", ") + ")"
	}
	return FormatDuration(d.A)
}

// ParseValue reads a value of k and checks its range. The error names the key
// and says how to write it.
func ParseValue(k Key, text string) (Value, error) {
	v, err := parseValue(k.Info(), strings.TrimSpace(text))
	if err == nil {
		err = v.inRange(k)
	}
	if err != nil {
		return Value{}, fmt.Errorf("%s: %w", k, err)
	}
	return v, nil
}

func parseValue(info *KeyInfo, s string) (v Value, err error) {
	switch info.Type {
	case TypeDuration:
		v.Dist, err = ParseDist(s)
	case TypeInt:
		if v.Int, err = strconv.ParseInt(s, 10, 64); err != nil {
			err = fmt.Errorf("%q is not a whole number from %d to %d", s, info.Min, info.Max)
		}
	case TypeBool:
		switch s {
		case "true":
			v.Bool = true
		case "false":
		default:
			err = fmt.Errorf("%q: write true or false", s)
		}
	case TypeEnum:
		for _, word := range info.Enum {
			if word == s {
				v.Enum = s
				return v, nil
			}
		}
		err = fmt.Errorf("%q is not one of %s", s, strings.Join(info.Enum, ", "))
	case TypeRatio:
		v.Int, err = parseRatio(s)
	}
	return v, err
}

// parseRatio reads 0.75 or 75% as 750.
func parseRatio(s string) (int64, error) {
	digits, shift := s, 3
	if p, ok := strings.CutSuffix(s, "%"); ok {
		digits, shift = strings.TrimSpace(p), 1
	}
	whole, part, point := strings.Cut(digits, ".")
	if len(part) > shift || point && part == "" || strings.ContainsAny(part, "+-") {
		return 0, ratioError(s)
	}
	n, err := strconv.ParseInt(whole+part+strings.Repeat("0", shift-len(part)), 10, 64)
	if err != nil {
		return 0, ratioError(s)
	}
	return n, nil
}

func ratioError(s string) error {
	return fmt.Errorf("%q is not a share: write 0.75 or 75%%, with at most three decimals", s)
}

// inRange checks v against the range of its key.
func (v Value) inRange(k Key) error {
	info := k.Info()
	var lo, hi int64
	switch info.Type {
	case TypeDuration:
		lo, hi = int64(v.Dist.Min()), int64(v.Dist.Max())
	case TypeInt, TypeRatio:
		lo, hi = v.Int, v.Int
	default:
		return nil
	}
	if lo < info.Min {
		return fmt.Errorf("%s is less than %s", v.Format(k), formatNumber(info.Type, info.Min))
	}
	if hi > info.Max {
		return fmt.Errorf("%s is more than %s", v.Format(k), formatNumber(info.Type, info.Max))
	}
	// RFC 4271 §4.2: the Hold Time is zero or at least three seconds, and
	// the OPEN has room for whole seconds only.
	if k == BGPHold {
		if lo > 0 && lo < 3*sec || lo == 0 && hi > 0 {
			return fmt.Errorf("%s: a hold time is 0s (none) or at least 3s", v.Format(k))
		}
		if v.Dist.Kind == Fixed && lo%sec != 0 {
			return fmt.Errorf("%s: a hold time is offered in whole seconds", v.Format(k))
		}
	}
	return nil
}

func formatNumber(t ValueType, n int64) string {
	switch t {
	case TypeDuration:
		return FormatDuration(time.Duration(n))
	case TypeRatio:
		return decimal(n, 3)
	}
	return strconv.FormatInt(n, 10)
}

// Format writes v, a value of k, so that ParseValue reads it back.
func (v Value) Format(k Key) string {
	switch t := k.Info().Type; t {
	case TypeDuration:
		return v.Dist.String()
	case TypeBool:
		return strconv.FormatBool(v.Bool)
	case TypeEnum:
		return v.Enum
	default:
		return formatNumber(t, v.Int)
	}
}
