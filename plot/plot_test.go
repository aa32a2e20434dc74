package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/stats"
)

var update = flag.Bool("update", false, "write the golden files")

// pictures are one of each kind.
func pictures() map[string]func(io.Writer, Format) error {
	few := stats.NewHistogram(stats.Millisecond)
	for _, v := range []int64{0, 0, 0, 0, 0, 21_400_000_000, 23_900_000_000, 26_100_000_000, 27_500_000_000, 29_800_000_000} {
		few.Add(v)
	}
	lost := stats.NewHistogram(1)
	for _, v := range []int64{0, 1, 1, 2, 7} {
		lost.Add(v)
	}
	holds, curves := twoCurves()
	names := holds
	names.Label, names.Names = "profile", []string{"aws", "gcp", "azure with a name that is too long", "frr", "bird", "junos"}
	xs, ys, z := heat()
	many := twoSeries()
	for i := range 6 {
		many = append(many, Series{strings.Repeat("a name <b> that nobody & nothing fits ", i), sample(50+i, float64(10+i*3), float64(14+i*4))})
	}
	return map[string]func(io.Writer, Format) error{
		"ecdf": func(w io.Writer, f Format) error {
			return ECDF(w, f, "Outage of vm -> ec2", "outage", Seconds, []Series{{"ten tries", few}})
		},
		"count": func(w io.Writer, f Format) error {
			return ECDF(w, f, "Probes lost", "probes", Count, []Series{{"five tries", lost}})
		},
		"many": func(w io.Writer, f Format) error {
			return ECDF(w, f, strings.Repeat("A title that goes on and on. ", 9), strings.Repeat("outage ", 40), Seconds, many)
		},
		"quantiles": func(w io.Writer, f Format) error {
			return Quantiles(w, f, "What the hold time does", holds, "outage", Seconds, curves)
		},
		"names": func(w io.Writer, f Format) error {
			return Quantiles(w, f, "What the profile does", names, "outage", Seconds, curves)
		},
		"heatmap": func(w io.Writer, f Format) error {
			return HeatMap(w, f, "p99 of the outage", "bgp.hold (s)", "ike.dpd_interval", xs, ys, z, "s")
		},
		"front": func(w io.Writer, f Format) error {
			return Front(w, f, "What a shorter outage costs", "p99 of the outage (s)", "false drops per tunnel-year", tried())
		},
	}
}

// Small pictures as they were looked at.
func TestGoldenPictures(t *testing.T) {
	for _, name := range []string{"ecdf", "count", "heatmap", "front", "quantiles"} {
		var b bytes.Buffer
		if err := pictures()[name](&b, SVG); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".svg", b.Bytes())
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is another picture; look at it, then go test ./plot -update", name)
	}
}

// The same data are the same bytes, and nothing of a picture is outside of it: whatever
// names and titles are given, all text ends before the edge does.
func TestPicturesAreWholeAndTheSameBytes(t *testing.T) {
	for name, draw := range pictures() {
		for _, format := range []Format{SVG, PNG} {
			var a, b bytes.Buffer
			if err := draw(&a, format); err != nil {
				t.Fatal(name, err)
			}
			if format == SVG || name == "ecdf" { // pixels take their time, and are made of the same lines
				if err := draw(&b, format); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
					t.Errorf("%s: the second %s differs (%v)", name, format, err)
				}
			}
			if format == PNG {
				img, err := png.Decode(&a)
				if err != nil {
					t.Fatal(name, err)
				}
				edges(t, name, img)
				continue
			}
			texts := 0
			for d := xml.NewDecoder(&a); ; {
				token, err := d.Token()
				if err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(name, err)
				}
				start, ok := token.(xml.StartElement)
				if !ok || start.Name.Local != "text" {
					continue
				}
				at := map[string]float64{}
				for _, attr := range start.Attr {
					at[attr.Name.Local], _ = strconv.ParseFloat(attr.Value, 64)
				}
				texts++
				// Labels of a vertical axis are turned: their x is elsewhere, and the PNG shows them.
				if end := at["x"] + at["textLength"]; at["textLength"] <= 0 || end > 504-5 && name != "heatmap" {
					t.Errorf("%s: a text goes from %g to %g of 504", name, at["x"], end)
				}
			}
			if texts < 10 {
				t.Errorf("%s has %d texts", name, texts)
			}
		}
	}
}

// edges of a picture are white.
func edges(t *testing.T, name string, img image.Image) {
	t.Helper()
	b := img.Bounds()
	for x := b.Min.X; x < b.Max.X; x++ {
		for y := b.Min.Y; y < b.Max.Y; y++ {
			if x > b.Min.X+3 && x < b.Max.X-4 && y > b.Min.Y+3 && y < b.Max.Y-4 {
				continue
			}
			if r, g, bl, _ := img.At(x, y).RGBA(); r+g+bl < 3*0xf000 {
				t.Fatalf("%s: ink at the edge, at %d, %d", name, x, y)
			}
		}
	}
}

func decoded(t *testing.T, draw func(io.Writer, Format) error) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := draw(&b, PNG); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func grey(img image.Image, x, y int) int {
	r, g, b, _ := img.At(x, y).RGBA()
	return int(r+g+b) / 3 >> 8
}

// Where every run takes one second, the curve goes straight up there: on a row below the
// median's mark, the only ink is the axis and the curve.
func TestCurveIsWhereTheDataAre(t *testing.T) {
	for _, seconds := range []int64{1, 17} {
		h := stats.NewHistogram(stats.Millisecond)
		for range 400 {
			h.Add(seconds * 1e9)
		}
		img := decoded(t, func(w io.Writer, f Format) error {
			return ECDF(w, f, "", "outage", Seconds, []Series{{"all the same", h}})
		})
		row := img.Bounds().Max.Y * 2 / 3
		var black []int
		for x := range img.Bounds().Max.X {
			// Letters of the axis are at the far left.
			if grey(img, x, row) < 0xb0 && (len(black) == 0 || x > black[len(black)-1]+3) && x > 95 {
				black = append(black, x)
			}
		}
		if len(black) != 2 {
			t.Fatalf("ink at %v", black)
		}
		left, right := float64(black[0])+4*150/72, float64(img.Bounds().Max.X)-10*150/72 // the axis has a padding of 4 points, the picture a margin of 10
		if want := left + (right-left)/1.02; math.Abs(float64(black[1])-want) > 4 {
			t.Errorf("%d s: the curve is at %d, want %.0f", seconds, black[1], want)
		}
	}
}

// The largest number is the darkest, what was not run is white.
func TestHeatMapsShades(t *testing.T) {
	img := decoded(t, func(w io.Writer, f Format) error {
		return HeatMap(w, f, "", "x", "y", []string{"a", "b", "c", "d"}, []string{"y"}, [][]float64{{30, 10, math.NaN(), 20}}, "s")
	})
	// Above the letters of the cells, along one row.
	row := img.Bounds().Max.Y / 3
	var shades []int
	for x := 100; x < img.Bounds().Max.X-20; x++ {
		s := grey(img, x, row)
		if s == grey(img, x+3, row) && s == grey(img, x+30, row) && (len(shades) == 0 || shades[len(shades)-1] != s) {
			shades = append(shades, s)
		}
	}
	if want := []int{70, 245, 255, 158}; !reflect.DeepEqual(shades, want) {
		t.Errorf("shades %v, want %v", shades, want)
	}
}

// An interval that has no known end has no bar there.
func TestUnknownEndsAreOpen(t *testing.T) {
	draw := func(i stats.Interval) string {
		var b bytes.Buffer
		err := Quantiles(&b, SVG, "", Parameter{Label: "x", Values: []float64{1}}, "y", Count, []Curve{{"c", []Point{{Value: 50, Interval: i}, {Value: 100, Interval: stats.Interval{LowKnown: true, HighKnown: true, Low: 99, High: 100}}}[:1]}})
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	known := draw(stats.Interval{Low: 40, High: 60, LowKnown: true, HighKnown: true})
	open := draw(stats.Interval{Low: 40, High: 1 << 40, LowKnown: true})
	if strings.Contains(known, "Arrows") || !strings.Contains(open, "Arrows") {
		t.Error("the note tells what is not there, or does not tell what is")
	}
	// What an unknown end would be is nowhere, also not on the axis.
	if other := draw(stats.Interval{Low: 40, High: -5, LowKnown: true}); other != open {
		t.Error("an end that is not known is drawn")
	}
}

// In black and white, curves differ by dash and by mark.
func TestStylesDifferWithoutColour(t *testing.T) {
	for i, a := range styles {
		for _, b := range styles[:i] {
			if reflect.DeepEqual(a.dash, b.dash) || reflect.TypeOf(a.glyph) == reflect.TypeOf(b.glyph) {
				t.Errorf("%+v and %+v", a, b)
			}
		}
	}
}

func TestWhatCannotBeDrawn(t *testing.T) {
	none, nan := []Series{{"none", stats.NewHistogram(1)}}, math.NaN()
	holds, curves := twoCurves()
	for name, err := range map[string]error{
		"no series":        ECDF(io.Discard, SVG, "", "", Seconds, nil),
		"an empty series":  ECDF(io.Discard, SVG, "", "", Seconds, none),
		"nine series":      ECDF(io.Discard, SVG, "", "", Seconds, make([]Series, 9)),
		"no format":        ECDF(io.Discard, "gif", "", "", Seconds, twoSeries()),
		"no curve":         Quantiles(io.Discard, SVG, "", holds, "", Seconds, nil),
		"too few points":   Quantiles(io.Discard, SVG, "", holds, "", Seconds, []Curve{{"c", curves[0].Points[1:]}}),
		"nothing was run":  Quantiles(io.Discard, SVG, "", Parameter{Values: []float64{1}}, "", Seconds, []Curve{{"c", []Point{{None: true}}}}),
		"NaN on an axis":   Quantiles(io.Discard, SVG, "", Parameter{Values: []float64{nan}}, "", Seconds, []Curve{{"c", []Point{{}}}}),
		"no cell":          HeatMap(io.Discard, SVG, "", "", "", nil, nil, nil, ""),
		"only empty cells": HeatMap(io.Discard, SVG, "", "", "", []string{"a"}, []string{"b"}, [][]float64{{nan}}, ""),
		"a row too short":  HeatMap(io.Discard, SVG, "", "", "", []string{"a", "b"}, []string{"b"}, [][]float64{{1}}, ""),
		"no row":           HeatMap(io.Discard, SVG, "", "", "", []string{"a"}, []string{"b"}, nil, ""),
		"infinite":         HeatMap(io.Discard, SVG, "", "", "", []string{"a"}, []string{"b"}, [][]float64{{math.Inf(1)}}, ""),
		"no point":         Front(io.Discard, SVG, "", "", "", nil),
		"a point nowhere":  Front(io.Discard, SVG, "", "", "", []FrontPoint{{X: nan}}),
		"no curve to type": Terminal(io.Discard, 80, 20, Seconds, false, none),
		"a failing writer": ECDF(failing{}, SVG, "", "", Seconds, twoSeries()),
	} {
		if err == nil {
			t.Errorf("%s is drawn", name)
		}
	}
	if _, err := FormatOf("x.pdf"); err == nil {
		t.Error("x.pdf has a format")
	}
	if f, err := FormatOf("a.b/x.SVG"); f != SVG || err != nil {
		t.Error(f, err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

// What is drawn in a terminal, in both alphabets; in the plain one there is only ASCII.
func TestTerminal(t *testing.T) {
	var lines, plain bytes.Buffer
	if err := Terminal(&lines, 80, 20, Seconds, false, twoSeries()); err != nil {
		t.Fatal(err)
	}
	golden(t, "terminal.txt", lines.Bytes())
	if err := Terminal(&plain, 60, 14, Seconds, true, twoSeries()); err != nil {
		t.Fatal(err)
	}
	golden(t, "terminal-ascii.txt", plain.Bytes())
	for _, b := range plain.Bytes() {
		if b > 126 {
			t.Fatalf("byte %#x in\n%s", b, plain.Bytes())
		}
	}
}

// Whatever the size of terminal and data, lines are no longer than asked for.
func TestTerminalsWidth(t *testing.T) {
	for _, wide := range []int{40, 61, 80, 133, 200} {
		for _, most := range []int64{0, 1, 7, 300_000, 999_000_000, 31_000_000_000, 3_600_000_000_000} {
			h := stats.NewHistogram(stats.Millisecond)
			h.Add(0)
			h.Add(most)
			for _, unit := range []Unit{Seconds, Count} {
				var b bytes.Buffer
				if err := Terminal(&b, wide, 16, unit, false, []Series{{strings.Repeat("name", 30), h}, {"b", h}}); err != nil {
					t.Fatal(err)
				}
				rows := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
				for _, line := range rows {
					if n := len([]rune(line)); n > wide {
						t.Errorf("%d columns of %d: %s", n, wide, line)
					}
				}
				if len(rows) > 20 {
					t.Errorf("%d lines", len(rows))
				}
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.24: "0.24", 20.45: "20.4", 20: "20", 1234.5: "1234", 0.0016: "0.0016", 1e-7: "1e-07", -3.14159: "-3.14", 1e9: "1e+09", 100: "100"} {
		if got := number(v); got != want {
			t.Errorf("%g is written %s, want %s", v, got, want)
		}
	}
	for _, c := range []struct {
		low, high float64
		want      string
	}{{0, 30.6, "[0 5 10 15 20 25 30] 0"}, {0, 1, "[0 0.2 0.4 0.6 0.8 1] 1"}, {-2, 2, "[-2 -1 0 1 2] 0"}, {5, 5, "[5] 2"}} {
		values, decimals := round(c.low, c.high, 7)
		var rounded []float64
		for _, v := range values {
			rounded = append(rounded, math.Round(v*1e6)/1e6)
		}
		if got := fmt.Sprint(rounded, " ", decimals); strings.Join(strings.Fields(got), " ") != c.want {
			t.Errorf("from %g to %g: %s, want %s", c.low, c.high, got, c.want)
		}
	}
}
