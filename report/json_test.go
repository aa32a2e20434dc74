package report

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSecondsAreDecimalsWithoutLoss(t *testing.T) {
	for s, want := range map[Seconds]string{
		0: "0", 30 * sec: "30", 28_930 * ms: "28.93", 1: "0.000000001", -1: "-0.000000001",
		-54_200 * ms: "-54.2", 28_930_000_001: "28.930000001",
		math.MaxInt64: "9223372036.854775807", math.MinInt64: "-9223372036.854775808",
	} {
		if got := s.String(); got != want {
			t.Errorf("%d ns = %s, want %s", int64(s), got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := Seconds(rapid.Int64().Draw(t, "ns"))
		b, err := json.Marshal(s)
		if err != nil || !json.Valid(b) {
			t.Fatalf("%d ns: %s, %v", int64(s), b, err)
		}
		var back Seconds
		if err := json.Unmarshal(b, &back); err != nil || back != s {
			t.Fatalf("%d ns came back as %d: %v", int64(s), int64(back), err)
		}
	})
}

func TestSecondsRefuseWhatIsNoNanosecond(t *testing.T) {
	for _, bad := range []string{"0.0000000001", "1e300", "1e-12", `"1"`, "9223372037", "[]", "1e999999999", "true"} {
		var s Seconds
		if err := json.Unmarshal([]byte(bad), &s); err == nil {
			t.Errorf("%s was read as %d ns", bad, int64(s))
		}
	}
	var s Seconds
	if err := json.Unmarshal([]byte("2.5e1"), &s); err != nil || s != 25*sec {
		t.Errorf("2.5e1 = %d ns, %v; want 25 s", int64(s), err)
	}
}

func TestSecondsFixed(t *testing.T) {
	for _, c := range []struct {
		s        Seconds
		decimals int
		want     string
	}{
		{28_996_123_456, 3, "28.996"}, {999_500_000, 0, "1"}, {999_999_999, 3, "1.000"}, {1_499_999, 3, "0.001"},
		{1_500_000, 3, "0.002"}, {-1_500_000, 3, "-0.002"}, {-400, 3, "0.000"}, {400, 9, "0.000000400"}, {math.MinInt64, 0, "-9223372037"},
	} {
		if got := c.s.Fixed(c.decimals); got != c.want {
			t.Errorf("%d ns with %d decimals = %s, want %s", int64(c.s), c.decimals, got, c.want)
		}
	}
}

func TestJSONComesBackAsItWas(t *testing.T) {
	for name, doc := range documents {
		var b, again bytes.Buffer
		if err := JSON(&b, doc()); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "null") {
			t.Errorf("%s holds a null", name)
		}
		var back Document
		d := json.NewDecoder(&b)
		d.DisallowUnknownFields()
		text := b.String()
		if err := d.Decode(&back); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := JSON(&again, back); err != nil || again.String() != text {
			t.Errorf("%s is another document after reading it back (%v)", name, err)
		}
	}
}

func TestJSONDoesNotChangeTheCallersDocument(t *testing.T) {
	doc := Document{Gaps: []Gap{{}}}
	if err := JSON(&bytes.Buffer{}, doc); err != nil {
		t.Fatal(err)
	}
	if doc.Probes != nil || doc.Gaps[0].Chain != nil {
		t.Error("the empty lists were put into the document itself")
	}
}

// docs/json.md has a section for every type of Document and Check, with a row for every
// field, and no row besides.
func TestEveryFieldIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string][]string{}
	section := ""
	row := regexp.MustCompile("^\\| `([a-z0-9_]+)` \\|")
	for line := range strings.SplitSeq(string(page), "\n") {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			section = name
		}
		if m := row.FindStringSubmatch(line); m != nil {
			documented[section] = append(documented[section], m[1])
		}
	}
	seen := map[string]bool{}
	var check func(reflect.Type)
	check = func(typ reflect.Type) {
		for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ.Name()] || typ == reflect.TypeFor[Amount]() {
			return // an Amount is a number
		}
		seen[typ.Name()] = true
		var names []string
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
			check(f.Type)
		}
		got := documented[typ.Name()]
		slices.Sort(names)
		slices.Sort(got)
		if !slices.Equal(names, got) {
			t.Errorf("docs/json.md, section %s\n has %v\nwant %v", typ.Name(), got, names)
		}
	}
	check(reflect.TypeFor[Document]())
	check(reflect.TypeFor[Check]())
	check(reflect.TypeFor[Sweep]())
	check(reflect.TypeFor[Diff]())
	check(reflect.TypeFor[Test]())
	check(reflect.TypeFor[Fit]())
	check(reflect.TypeFor[Worst]())
	check(reflect.TypeFor[Sensitivity]())
	check(reflect.TypeFor[Tune]())
	check(reflect.TypeFor[PeerStart]())
	check(reflect.TypeFor[Export]())
	check(reflect.TypeFor[PeerLine]())
	check(reflect.TypeFor[PeerSummary]())
	check(reflect.TypeFor[Lab]())
	check(reflect.TypeFor[LabDoctor]())
	check(reflect.TypeFor[LabCompare]())
	for name := range documented {
		if !seen[name] {
			t.Errorf("docs/json.md documents %q, which is no part of a document", name)
		}
	}
}
