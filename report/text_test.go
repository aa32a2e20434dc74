package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func printed(t *testing.T, doc Document, opt Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Text(&b, doc, opt); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestUnknownViewsAndStylesAreRefused(t *testing.T) {
	for _, opt := range []Options{{Show: []string{"pings"}}, {Ping: "busybox"}} {
		var b bytes.Buffer
		if err := Text(&b, seedCase(), opt); err == nil || b.Len() > 0 {
			t.Errorf("%+v: error %v, %d bytes written", opt, err, b.Len())
		}
		if opt.Ping != "" && Explanation(&b, explained(), opt) == nil {
			t.Errorf("Explanation took %+v", opt)
		}
	}
}

// What is printed of a chain adds up as printed, whatever the waits are; and it
// is never more than half a unit away from the truth.
func TestPrintedWaitsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var chain []Wait
		at := Seconds(0)
		for range rapid.IntRange(1, 12).Draw(t, "waits") {
			d := Seconds(rapid.Int64Range(0, 40_000_000_000).Draw(t, "ns"))
			chain = append(chain, Wait{StartS: at, EndS: at + d})
			at += d
		}
		took, decimals := shares(chain)
		sum := int64(0)
		for i, s := range took {
			n, err := strconv.ParseInt(strings.Replace(strings.TrimSuffix(s, " s"), ".", "", 1), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			if d := chain[i].EndS - chain[i].StartS; d > 0 && decimals == 3 && d < 1_000_000 {
				t.Fatalf("a wait of %d ns is printed with three decimals", int64(d))
			}
			sum += n
		}
		want, _ := strconv.ParseInt(strings.Replace(at.Fixed(decimals), ".", "", 1), 10, 64)
		if sum != want {
			t.Fatalf("%v add up to %d units, printed is %d", took, sum, want)
		}
	})
}

func TestAChainThatDoesNotAddUpSaysSo(t *testing.T) {
	doc := seedCase()
	doc.Gaps[0].Chain = doc.Gaps[0].Chain[:2]
	if got := printed(t, doc, Options{}); !strings.Contains(got, "≠ the outage of 28.996123456 s: 0.1 s are not explained") {
		t.Errorf("the missing 0.1 s is hidden:\n%s", got)
	}
}

// A name in a scenario is somebody else's text: it reaches neither the terminal
// nor the table nor the markup.
func TestHostileNames(t *testing.T) {
	const evil = "a\x1b[31m\x07b\ncd|`<script>@you\u202e&\"' ![x](http://x) \xff"
	doc := rewrite(seedCase(), func(s string) string { return s + evil })
	doc.Probes[0].Name, doc.Gaps[0].Probe = evil, evil
	doc.Explain = explained().Explain
	doc.Explain.Question = evil
	for name, write := range map[string]func(io.Writer) error{
		"text":     func(w io.Writer) error { return Text(w, doc, Options{Show: Views}) },
		"answer":   func(w io.Writer) error { return Explanation(w, doc, Options{}) },
		"markdown": func(w io.Writer) error { return Markdown(w, doc) },
		"svg":      func(w io.Writer) error { return SVG(w, doc) },
	} {
		got := everything(t, write)
		for _, bad := range []string{"\x1b", "\x07", "\u202e", "\xff", "b\ncd"} {
			if bytes.Contains(got, []byte(bad)) {
				t.Errorf("%s passes %q on", name, bad)
			}
		}
		switch name {
		case "svg":
			wellFormed(t, got)
			if bytes.Contains(got, []byte("<script")) {
				t.Error("the picture holds a script element")
			}
		case "markdown":
			// What stands in the fenced transcript is shown as it is.
			outside, _, _ := strings.Cut(string(got), "<summary>ping</summary>")
			for _, bad := range []string{"<script", "@you", " ![x]", "cd|", "[x]("} {
				if strings.Contains(outside, bad) {
					t.Errorf("Markdown passes %q on", bad)
				}
			}
			for l := range strings.SplitSeq(outside, "\n") {
				bars := len(regexp.MustCompile(`(^|[^\\])\|`).FindAllString(l, -1))
				if strings.HasPrefix(l, "| routers.aws.propagation") && bars != 4 && bars != 6 {
					t.Errorf("%d columns' bars in %s", bars, l)
				}
			}
		}
	}
}

func TestNoColorUnlessAsked(t *testing.T) {
	for _, view := range Views {
		opt := Options{Show: []string{view}}
		plain := printed(t, seedCase(), opt)
		if strings.Contains(plain, "\x1b") {
			t.Errorf("%s holds an escape sequence", view)
		}
		opt.Color = true
		colored := printed(t, seedCase(), opt)
		if stripped := regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(colored, ""); stripped != plain {
			t.Errorf("%s says something else in colour", view)
		}
	}
}

func TestASCIIIsASCII(t *testing.T) {
	for name, doc := range documents {
		d := doc()
		d.Name = "plain"
		for i, r := range printed(t, d, Options{Show: Views, ASCII: true, All: true}) {
			if r > 126 {
				t.Fatalf("%s: %q at %d", name, r, i)
			}
		}
	}
}

func TestEveryReplyLine(t *testing.T) {
	got := printed(t, seedCase(), Options{Show: []string{"ping"}, All: true})
	if n := strings.Count(got, "bytes from"); n != 271 {
		t.Errorf("%d reply lines, want all 271", n)
	}
	if strings.Contains(got, "left out") {
		t.Error("something was left out")
	}
}

// However the losses lie: what is shown and what is said to be left out are
// together all the probes there were.
func TestNothingIsLeftOutSilently(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 120).Draw(t, "probes")
		dead := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "lost")
		calm := rapid.IntRange(0, n).Draw(t, "calm")
		pr := vmToEC2()
		pr.Echoes = echoes(n, func(seq int) string {
			if seq > calm && dead[seq-1] {
				return "by chance"
			}
			return ""
		})
		p := &page{}
		p.replies(pr)
		sum := 0
		for l := range strings.SplitSeq(strings.TrimSpace(p.buf.String()), "\n") {
			var a, b, k int
			switch {
			case strings.Contains(l, "bytes from"):
				sum++
			case strings.HasPrefix(l, "… "):
				fmt.Sscanf(l, "… %d", &k)
				sum += k
			default:
				if c, _ := fmt.Sscanf(strings.TrimSpace(l), "icmp_seq %d–%d: %d lost", &a, &b, &k); c != 3 {
					fmt.Sscanf(strings.TrimSpace(l), "icmp_seq %d: %d lost", &a, &k)
				}
				sum += k
			}
		}
		if sum != n {
			t.Fatalf("%d of %d probes are accounted for:\n%s", sum, n, p.buf.String())
		}
	})
}

// An address, a parameter or an option is not cut; nothing else sticks out.
func TestWidthIsKeptWhereWordsAllowIt(t *testing.T) {
	for _, width := range []int{80, 100, 140} {
		for l := range strings.SplitSeq(printed(t, seedCase(), Options{Width: width}), "\n") {
			if n := len([]rune(l)); n > width && !strings.Contains(l, "http") && !strings.Contains(l, "--set") && !strings.Contains(l, "takes away") {
				t.Errorf("width %d: %d columns in %q", width, n, l)
			}
		}
	}
}

// Ten thousand probes and a thousand gaps are a few screens, quickly.
func TestALongRunStaysShort(t *testing.T) {
	doc := header("run")
	pr := vmToEC2()
	pr.Echoes = echoes(10_000, func(seq int) string {
		if seq%10 == 0 {
			return "reply, in tun1: lost to chance"
		}
		return ""
	})
	doc.Probes, doc.EndS = []Probe{pinged(pr)}, 10_000*sec
	for i := 1; i <= 1000; i++ {
		doc.Gaps = append(doc.Gaps, Gap{N: i, Probe: "ping", LastOKSeq: 10*i - 1, FirstOKSeq: 10*i + 1, Lost: 1, Direction: "loss"})
	}
	start := time.Now()
	if n := strings.Count(printed(t, doc, Options{Width: 100}), "\n"); n > 100 {
		t.Errorf("%d lines", n)
	}
	svg := everything(t, func(w io.Writer) error { return SVG(w, doc) })
	if len(svg) > 200_000 {
		t.Errorf("the picture has %d bytes", len(svg))
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

// A gap that begins with one direction and ends with the other is longer than
// either: then neither is marked as being it.
func TestAGapOfBothDirectionsIsNeithers(t *testing.T) {
	for _, c := range []struct {
		request, reply Seconds
		marks, neither int
	}{{2e9, 10e9, 1, 0}, {10e9, 2e9, 1, 0}, {10e9, 10e9, 0, 0}, {7e9, 8e9, 0, 1}} {
		doc := seedCase()
		g := &doc.Gaps[0]
		g.OutageS, g.RequestOutageS, g.ReplyOutageS = 10e9, c.request, c.reply
		got := string(everything(t, func(w io.Writer) error { return Text(w, doc, Options{Show: []string{"gaps"}}) }))
		if marks, neither := strings.Count(got, "this is the gap"), strings.Count(got, "neither direction alone"); marks != c.marks || neither != c.neither {
			t.Errorf("request %v, reply %v: %d marks, neither %d times", c.request, c.reply, marks, neither)
		}
	}
}

// A link's path is up until the story takes it down, and up again afterwards.
func TestALinkThatWentDownIsALane(t *testing.T) {
	doc := header("run")
	doc.EndS = 300e9
	doc.Timeline = []Moment{{AtS: 90e9, Lane: "tunnel", Link: "l1", State: "down"}, {AtS: 150e9, Lane: "tunnel", Link: "l1", State: "path up"}}
	got := lanes(doc, "tunnel", doc.EndS)
	if len(got) != 1 || len(got[0].spans) != 3 || got[0].spans[0].state != "path up" || got[0].spans[2].to != doc.EndS {
		t.Fatalf("%+v", got)
	}
	svg := string(everything(t, func(w io.Writer) error { return SVG(w, doc) }))
	if !strings.Contains(svg, ">path of l1<") || strings.Count(svg, `class="up"`) < 2 {
		t.Errorf("the picture shows it otherwise:\n%s", svg)
	}
}
