package pinglog

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// MaxFile is more than a week of ping takes.
const MaxFile = 64 << 20

// maxProbes of one series: what is numbered higher is no ping's.
const maxProbes = 1 << 22

// mostInterval between two probes; with maxProbes it keeps every time in its range.
const mostInterval = 10 * time.Minute

// Error says what is wrong with a log, where, and what to do.
type Error struct {
	File      string
	Line, Col int // 0: the file as a whole
	Message   string
	Help      string
}

func (e *Error) Error() string {
	place := e.File
	if e.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", place, e.Line, e.Col)
	}
	return place + ": " + e.Message
}

const formats = "read are the logs of ping (Linux with or without -D and -O, BusyBox, BSD, macOS), fping -c, -l or -C with or without -D, and mtr --raw"

// Read reads a log. file is its name for messages.
func Read(file string, data []byte) (*Log, error) {
	fail := func(line, col int, help, format string, args ...any) (*Log, error) {
		return nil, &Error{file, line, col, fmt.Sprintf(format, args...), help}
	}
	if len(data) > MaxFile {
		return fail(0, 0, "cut out the minutes around the gap", "%d bytes are more than the %d that a log may have", len(data), MaxFile)
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return fail(1, 1, "save it as UTF-8", "this is UTF-16")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	r := reader{log: &Log{File: file}}
	n := 0
	for len(data) > 0 {
		line, rest, whole := bytes.Cut(data, []byte("\n"))
		n, data = n+1, rest
		if i := bytes.IndexFunc(line, notText); i >= 0 {
			return fail(n, i+1, formats, "control character 0x%02x: this is no text", line[i])
		}
		text := strings.TrimSpace(string(line))
		if text == "" {
			continue
		}
		if r.n = n; !r.line(text, whole) {
			r.log.Ignored++
		}
	}
	if r.elided != 0 {
		return fail(r.elided, 1, "print it with vpnsim run --all", "lines were left out here, and nobody knows which of them were answers")
	}
	if r.several != 0 {
		return fail(r.several, 1, "keep the lines of one of them: grep '^10.2.0.6 '", "this log is of more than one target")
	}
	r.close()
	if len(r.log.Series) == 0 {
		help := formats
		switch {
		case n == 0:
			return fail(0, 0, help, "the file is empty")
		case r.windows:
			help = "Windows' ping does not number its probes, nor send them at even intervals: use fping, or ping in WSL"
		case r.json:
			help = "of mtr's reports none says when a probe was lost: use mtr --raw"
		}
		return fail(1, 1, help, "there is no line about a probe in it")
	}
	return r.log, nil
}

// notText tells what no terminal has printed. Colours, backspaces and whatever
// encoding the user's language has are harmless.
func notText(r rune) bool {
	return r < ' ' && r != '\t' && r != '\r' && r != '\x1b' && r != '\b' && r != '\a' || r == 0x7f
}

// reader reads line after line.
type reader struct {
	log     *Log
	n       int // number of the line
	json    bool
	windows bool
	several int // the line on which a second target shows up
	elided  int // the line in whose place there were others

	s           *Series
	target      string
	last        int // number of the last probe, counted on
	any         bool
	header      bool          // the series shows its beginning
	start       int           // number of a first probe
	transmitted int           // by ping's closing lines
	elapsed     time.Duration // by them
	command     time.Duration // by the command line that was pasted, too
	hops        map[int]*hop  // mtr
}

// hop of mtr: the rounds that were sent to it and whether they came back.
type hop struct {
	host   string
	probes []Probe
	open   map[int]int // the number on the wire: the place in probes
}

var (
	// [1795395529.073041] stands before each line with -D.
	stamp = regexp.MustCompile(`^\[(\d{1,12})\.(\d{1,9})\]\s+`)
	// The words around it are in the user's language, the names of the fields are not.
	seqField = regexp.MustCompile(`(?:icmp_seq|icmp_req|\bseq)[= ](\d{1,9})\b`)
	ttlField = regexp.MustCompile(`\b(?:ttl|hlim)=\d+`)
	// time=7.64 ms, temps=7.64 ms, 時間=7.64ミリ秒; <1 where a clock is coarse.
	rttField = regexp.MustCompile(`\b(?:ttl|hlim)=\d+\s+[^\s=<]+[=<]\s?(\d+(?:\.\d+)?)`)
	header   = regexp.MustCompile(`^PING (\S+)`)
	counts   = regexp.MustCompile(`^(\d{1,9}) packets transmitted, \d+ (?:packets )?received.*?(?:time (\d{1,12}) ?ms)?$`)
	command  = regexp.MustCompile(`(?:^|[\s$#>])(?:ping6?|mtr)\s(?:.*\s)?-i\s?(\d+(?:\.\d+)?)(?:\s|$)|(?:^|[\s$#>])fping\s(?:.*\s)?-p\s?(\d+)(?:\s|$)`)
	fpingRow = regexp.MustCompile(`^(\S+)\s+: \[(\d{1,9})\], (?:timed out|.*?(\d+(?:\.\d+)?) ms|.*)`)
	fpingAll = regexp.MustCompile(`^(\S+)\s+:((?: (?:-|\d+(?:\.\d+)?))+)$`)
	elision  = regexp.MustCompile(`^(?:…|\.\.\.) \d+ lines? left out$`)
	mtrLine  = regexp.MustCompile(`^(?:x \d{1,3} \d{1,9}|p \d{1,3} \d{1,10}(?: \d{1,9})?|[hd] \d{1,3} \S+)$`)
)

// line reads one line; false: it says nothing about a probe. whole tells that it
// has its end.
func (r *reader) line(text string, whole bool) bool {
	if r.n == 1 && (text[0] == '{') {
		r.json = true
	}
	if elision.MatchString(text) && r.elided == 0 {
		r.elided = r.n
	}
	r.windows = r.windows || strings.Contains(text, " TTL=")
	if !whole && !complete(text) {
		// Half a number is another number.
		r.log.Cut = true
		return true
	}
	if mtrLine.MatchString(text) {
		return r.is(MTR) && r.mtr(strings.Fields(text))
	}
	var at time.Duration
	if m := stamp.FindStringSubmatch(text); m != nil {
		at, text = clock(m[1], m[2]), text[len(m[0]):]
	}
	if m := fpingRow.FindStringSubmatch(text); m != nil {
		return r.is(Fping) && r.fping(m, at)
	}
	if m := fpingAll.FindStringSubmatch(text); m != nil {
		return r.is(FpingCount) && r.fpingC(m)
	}
	if m := header.FindStringSubmatch(text); m != nil {
		command := r.command
		if r.s != nil {
			command = 0 // that was the last ping's
		}
		r.close()
		r.target, r.header, r.start, r.command = m[1], true, 1, command
		if r.log.Format == "" || r.log.Format == Iputils {
			r.log.Format = Iputils
			if strings.HasSuffix(text, " data bytes") {
				r.log.Format = BSD
			}
		}
		if strings.HasSuffix(text, " data bytes") {
			r.start = 0 // BSD and BusyBox count from 0
		}
		return true
	}
	if m := counts.FindStringSubmatch(text); m != nil {
		r.transmitted, _ = strconv.Atoi(m[1])
		if ms, err := strconv.Atoi(m[2]); err == nil {
			r.elapsed = time.Duration(ms) * time.Millisecond
		}
		return true
	}
	if m := seqField.FindStringSubmatchIndex(text); m != nil {
		seq, _ := strconv.Atoi(text[m[2]:m[3]])
		if strings.Contains(text, "Request timeout for") {
			if r.log.Format == "" {
				r.log.Format = BSD
			}
		}
		return (r.is(Iputils) || r.is(BSD)) && r.echo(text, seq, at)
	}
	if m := command.FindStringSubmatch(text); m != nil {
		d := milliseconds(m[2]) // fping's period
		if m[1] != "" {
			d = 1000 * milliseconds(m[1])
		}
		if d > 0 && d <= mostInterval {
			r.close()
			r.command = d
			return true
		}
	}
	return false
}

// complete tells whether a line without an end of line lacks nothing that it
// would be misread without.
func complete(text string) bool {
	return strings.HasSuffix(text, " ms") || strings.HasSuffix(text, ")") || strings.HasSuffix(text, "Unreachable") || fpingAll.MatchString(text) && strings.HasSuffix(text, "-")
}

// is decides the format with the first line about a probe. Lines of another
// format are none about a probe.
func (r *reader) is(format string) bool {
	if r.log.Format == "" {
		r.log.Format = format
	}
	return r.log.Format == format
}

func clock(sec, frac string) time.Duration {
	s, _ := strconv.ParseInt(sec, 10, 64)
	f, _ := strconv.ParseInt((frac + "000000000")[:9], 10, 64)
	if s > math.MaxInt64/int64(time.Second)-1 {
		return 0
	}
	return time.Duration(s)*time.Second + time.Duration(f)
}

func milliseconds(text string) time.Duration {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v < 0 || v > 1e9 {
		return 0
	}
	return time.Duration(math.Round(v * float64(time.Millisecond)))
}

// begin makes sure that there is a series.
func (r *reader) begin(first int) {
	if r.s == nil {
		r.s = &Series{Line: r.n, Target: r.target, First: first, Last: first}
		if r.header {
			r.s.First = min(r.start, first)
		}
		r.any = false
	}
}

// close ends a series.
func (r *reader) close() {
	r.closeMTR()
	none := r.s == nil && r.header && r.transmitted > 0
	if none {
		r.begin(r.start) // nothing was answered, and only the count tells
	}
	if r.s != nil && (none || len(r.s.Probes) > 0) {
		if !r.header {
			r.transmitted = 0 // nobody knows from which number on it counts
			if r.s.First > 1 {
				r.elapsed = 0
			}
		}
		r.s.finish(r.transmitted, r.elapsed, r.command)
		r.log.Series = append(r.log.Series, *r.s)
	}
	r.s, r.header, r.start, r.transmitted, r.elapsed, r.target, r.any, r.command = nil, false, 0, 0, 0, "", false, 0
}

// unwrap counts on a number of sixteen bits: it is the one next to the last one.
// Of a ping that was interrupted for nine hours nobody knows.
func (r *reader) unwrap(seq int) int {
	const size = 1 << 16
	if r.any && seq < size {
		seq += (r.last - seq + size/2) / size * size
		if r.last-seq > size/2 {
			seq += size
		}
	}
	r.last, r.any = seq, true
	return seq
}

// echo is a line of ping. What has a TTL is a reply; everything else that names a
// number ("no answer yet for icmp_seq=9", "Destination Host Unreachable", in any
// language) says that it was sent.
func (r *reader) echo(text string, seq int, at time.Duration) bool {
	if seq > maxProbes {
		return false
	}
	r.begin(seq)
	if seq = r.unwrap(seq); seq > maxProbes {
		return false
	}
	p := Probe{Seq: seq, Line: r.n}
	if ttlField.MatchString(text) {
		p.Answered = true
		if m := rttField.FindStringSubmatch(text); m != nil {
			p.RTT = milliseconds(m[1])
		}
		if at > p.RTT {
			p.sent = at - p.RTT // it is printed when the answer comes
		}
	}
	r.s.Probes = append(r.s.Probes, p)
	return true
}

func (r *reader) sameTarget(host string) {
	if r.target == "" {
		r.target = host
	}
	if host != r.target && r.several == 0 {
		r.several = r.n
	}
}

func (r *reader) fping(m []string, at time.Duration) bool {
	r.sameTarget(m[1])
	seq, _ := strconv.Atoi(m[2])
	if seq > maxProbes {
		return false
	}
	if r.s != nil && r.any && seq < r.last-1<<15 {
		command := r.command
		r.close()
		r.target, r.command = m[1], command
	}
	r.begin(seq)
	r.last, r.any = max(r.last, seq), true
	p := Probe{Seq: seq, Line: r.n}
	if m[3] != "" {
		p.Answered, p.RTT = true, milliseconds(m[3])
		if at > p.RTT {
			p.sent = at - p.RTT
		}
	}
	r.s.Target = r.target
	r.s.Probes = append(r.s.Probes, p)
	return true
}

// fpingC is the one line that fping -C has for a target: a time or a dash for each probe.
func (r *reader) fpingC(m []string) bool {
	r.sameTarget(m[1])
	r.begin(0)
	r.s.Target = r.target
	for i, f := range strings.Fields(m[2]) {
		p := Probe{Seq: i, Line: r.n}
		if f != "-" {
			p.Answered, p.RTT = true, milliseconds(f)
		}
		r.s.Probes = append(r.s.Probes, p)
	}
	return true
}

// mtr: x HOP NUMBER is sent, p HOP MICROSECONDS NUMBER comes back, h HOP ADDRESS
// says from whom.
func (r *reader) mtr(f []string) bool {
	if r.hops == nil {
		r.hops = map[int]*hop{}
	}
	at, _ := strconv.Atoi(f[1])
	h := r.hops[at]
	if h == nil {
		h = &hop{open: map[int]int{}}
		r.hops[at] = h
	}
	switch f[0] {
	case "x":
		seq, _ := strconv.Atoi(f[2])
		h.open[seq] = len(h.probes)
		h.probes = append(h.probes, Probe{Seq: len(h.probes), Line: r.n})
	case "p":
		i := len(h.probes) - 1 // older versions do not say which
		if len(f) == 4 {
			seq, _ := strconv.Atoi(f[3])
			var ok bool
			if i, ok = h.open[seq]; !ok {
				return false
			}
			delete(h.open, seq)
		}
		if i < 0 {
			return false
		}
		us, _ := strconv.ParseInt(f[2], 10, 64)
		h.probes[i].Answered, h.probes[i].RTT = true, time.Duration(us)*time.Microsecond
		h.probes[i].Line = r.n
	case "h":
		h.host = f[2]
	}
	return true
}

// closeMTR takes the hop of the target: the nearest that has the address of the
// farthest that has ever answered.
func (r *reader) closeMTR() {
	far := -1
	for i, h := range r.hops {
		if h.host != "" && i > far {
			far = i
		}
	}
	if far < 0 {
		return
	}
	near := far
	for i, h := range r.hops {
		if h.host == r.hops[far].host && i < near {
			near = i
		}
	}
	h := r.hops[near]
	r.hops = nil
	if len(h.probes) == 0 {
		return
	}
	r.s = &Series{Line: h.probes[0].Line, Target: h.host, Probes: h.probes}
	if last := &h.probes[len(h.probes)-1]; !last.Answered {
		// The log may have been cut before its answer came.
		r.s.Probes = h.probes[:len(h.probes)-1]
	}
}
