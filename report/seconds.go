package report

// Seconds are nanoseconds inside and a decimal number outside. They never pass
// through a float: 0.1 has no exact one, and the waits of a gap have to add up
// to the nanosecond for whoever reads the JSON, too.

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// String is s as a decimal number without needless zeros: 28.93, 30, -0.000001.
func (s Seconds) String() string {
	whole, frac, sign := s.split()
	text := sign + strconv.FormatUint(whole, 10)
	if frac != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%09d", frac), "0")
	}
	return text
}

// Fixed is s with the given number of decimals (0 to 9), rounded to the
// nearest, halves away from zero.
func (s Seconds) Fixed(decimals int) string {
	unit := uint64(1)
	for range 9 - decimals {
		unit *= 10
	}
	whole, frac, sign := s.split()
	frac = (frac + unit/2) / unit
	if limit := 1_000_000_000 / unit; frac >= limit {
		whole, frac = whole+1, frac-limit
	}
	if whole == 0 && frac == 0 {
		sign = ""
	}
	if decimals == 0 {
		return sign + strconv.FormatUint(whole, 10)
	}
	return fmt.Sprintf("%s%d.%0*d", sign, whole, decimals, frac)
}

// split is s as whole seconds, nanoseconds and "-" or "".
func (s Seconds) split() (whole, frac uint64, sign string) {
	n := uint64(s)
	if s < 0 {
		// The smallest int64 has no positive twin; its two's complement, read
		// as unsigned, is the right magnitude.
		n, sign = -n, "-"
	}
	return n / 1e9, n % 1e9, sign
}

// MarshalJSON writes s as a JSON number.
func (s Seconds) MarshalJSON() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalJSON reads a JSON number of seconds. A number finer than a
// nanosecond, or beyond 292 years, is an error rather than another number.
func (s *Seconds) UnmarshalJSON(b []byte) error {
	text := string(b)
	if text == "null" {
		return nil
	}
	// Only JSON's own numbers: Rat would also take fractions and hexadecimal.
	// The length is limited so that 1e999999999 costs nothing.
	if len(text) > 40 || strings.Trim(text, "0123456789+-.eE") != "" {
		return fmt.Errorf("%.40s is not a number of seconds", text)
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		if exp, err := strconv.Atoi(text[i+1:]); err != nil || exp < -40 || exp > 40 {
			return fmt.Errorf("%s is not a number of seconds", text)
		}
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return fmt.Errorf("%s is not a number of seconds", text)
	}
	r.Mul(r, big.NewRat(1e9, 1))
	if !r.IsInt() {
		return fmt.Errorf("%s seconds are finer than a nanosecond", text)
	}
	if !r.Num().IsInt64() {
		return fmt.Errorf("%s seconds are too many", text)
	}
	*s = Seconds(r.Num().Int64())
	return nil
}
