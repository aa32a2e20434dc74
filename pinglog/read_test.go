package pinglog

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// one is what a log of one series says, in a line.
func one(t *testing.T, text string) string {
	t.Helper()
	l, err := Read("x.log", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var b strings.Builder
	for _, s := range l.Series {
		fmt.Fprintf(&b, "%s %d/%d every %v %s", l.Format, s.Received(), s.Sent(), s.Interval, s.IntervalFrom)
		for _, g := range s.Gaps() {
			fmt.Fprintf(&b, "; %d lost %d-%d", g.Lost, g.FirstLost, g.LastLost)
			if g.Open {
				fmt.Fprintf(&b, " > %v", g.Least)
			} else {
				fmt.Fprintf(&b, " %v-%v", g.Least, g.Most)
			}
		}
		b.WriteString("\n")
	}
	return strings.TrimSpace(b.String())
}

func TestFormats(t *testing.T) {
	for _, c := range []struct{ name, log, want string }{
		{"a piece of iputils, as people paste it", `
64 bytes from 10.2.0.6: icmp_seq=85 ttl=64 time=5.10 ms
64 bytes from 10.2.0.6: icmp_seq=115 ttl=64 time=5.87 ms
64 bytes from 10.2.0.6: icmp_seq=116 ttl=64 time=5.13 ms
`, "iputils 3/32 every 1s assumed; 29 lost 86-114 28s-30s"},
		{"a whole one; its last lines tell the interval", `$ ping -i 0.25 -c 9 10.2.0.6
PING 10.2.0.6 (10.2.0.6) 56(84) bytes of data.
64 bytes from 10.2.0.6: icmp_seq=2 ttl=64 time=0.256 ms
64 bytes from 10.2.0.6: icmp_seq=3 ttl=64 time=0.256 ms
64 bytes from 10.2.0.6: icmp_seq=6 ttl=64 time=0.256 ms
--- 10.2.0.6 ping statistics ---
9 packets transmitted, 3 received, 66.6667% packet loss, time 2080ms
rtt min/avg/max/mdev = 0.256/0.256/0.256/0.000 ms
`, "iputils 3/9 every 260ms summary; 1 lost 1-1 > 0s; 2 lost 4-5 260ms-780ms; 3 lost 7-9 > 520ms"},
		{"the command line tells it when nothing else does", `[root@vm ~]# ping -i 0.25 10.2.0.6
PING 10.2.0.6 (10.2.0.6) 56(84) bytes of data.
64 bytes from 10.2.0.6: icmp_seq=1 ttl=64 time=0.256 ms
64 bytes from 10.2.0.6: icmp_seq=4 ttl=64 time=0.256 ms
PING 10.2.0.6 (10.2.0.6) 56(84) bytes of data.
64 bytes from 10.2.0.6: icmp_seq=1 ttl=64 time=0.256 ms
`, "iputils 2/4 every 250ms command; 2 lost 2-3 250ms-750ms\niputils 1/1 every 1s assumed"},
		{"-D and -O: the clock tells, and it sees what the neighbours saw", `PING 10.2.0.6 (10.2.0.6) 56(84) bytes of data.
[1700000000.100000] 64 bytes from 10.2.0.6: icmp_seq=1 ttl=64 time=100 ms
[1700000001.050000] no answer yet for icmp_seq=2
[1700000002.000000] no answer yet for icmp_seq=3
[1700000003.050000] 64 bytes from 10.2.0.6: icmp_seq=4 ttl=64 time=50.0 ms
`, "iputils 2/4 every 1s timestamps; 2 lost 2-3 1s-3s"},
		{"an answer that is late, one that comes twice, two that overtake", `PING 10.2.0.6 (10.2.0.6) 56(84) bytes of data.
64 bytes from 10.2.0.6: icmp_seq=2 ttl=64 time=3.0 ms
64 bytes from 10.2.0.6: icmp_seq=1 ttl=64 time=1004 ms
no answer yet for icmp_seq=3
64 bytes from 10.2.0.6: icmp_seq=3 ttl=64 time=1500 ms
64 bytes from 10.2.0.6: icmp_seq=3 ttl=64 time=1501 ms (DUP!)
`, "iputils 3/3 every 1s assumed"},
		{"unreachable is lost, as long as no answer comes", `PING 10.2.0.6 (10.2.0.6) 56(84) bytes of data.
64 bytes from 10.2.0.6: icmp_seq=1 ttl=64 time=0.02 ms
From 10.2.0.1 icmp_seq=2 Destination Host Unreachable
From 10.2.0.1 icmp_seq=3 Destination Host Unreachable
ping: sendmsg: Network is unreachable
64 bytes from 10.2.0.6: icmp_seq=4 ttl=64 time=0.02 ms
`, "iputils 2/4 every 1s assumed; 2 lost 2-3 1s-3s"},
		{"macOS", "PING 8.8.8.8 (8.8.8.8): 56 data bytes\r\n64 bytes from 8.8.8.8: icmp_seq=0 ttl=117 time=12.5 ms\r\nRequest timeout for icmp_seq 1\r\n92 bytes from 10.0.0.1: Destination Host Unreachable\r\nVr HL TOS  Len   ID Flg  off TTL Pro  cks      Src      Dst\r\n64 bytes from 8.8.8.8: icmp_seq=2 ttl=117 time=13.1 ms\r\n\r\n--- 8.8.8.8 ping statistics ---\r\n3 packets transmitted, 2 packets received, 33.3% packet loss\r\n",
			"bsd 2/3 every 1s assumed; 1 lost 1-1 0s-2s"},
		{"BusyBox", `PING 10.2.0.6 (10.2.0.6): 56 data bytes
64 bytes from 10.2.0.6: seq=0 ttl=64 time=0.123 ms
64 bytes from 10.2.0.6: seq=3 ttl=64 time=0.101 ms
`, "bsd 2/4 every 1s assumed; 2 lost 1-2 1s-3s"},
		{"Japanese, French, and an old Debian", `PING 10.2.0.6 (10.2.0.6) 56(84) バイトのデータ
64 バイト応答 送信元 10.2.0.6: icmp_seq=1 ttl=64 時間=6.57ミリ秒
64 octets de 10.2.0.6 : icmp_seq=3 ttl=64 temps=6.60 ms
64 bytes from 10.2.0.6: icmp_req=4 ttl=64 time=6.60 ms
`, "iputils 3/4 every 1s assumed; 1 lost 2-2 0s-2s"},
		{"fping -D -l", `$ fping -D -l -p 500 10.2.0.6
[1700000000.00100] 10.2.0.6 : [0], 64 bytes, 1.00 ms (1.00 avg, 0% loss)
[1700000001.00000] 10.2.0.6 : [1], timed out (1.00 avg, 50% loss)
[1700000001.00100] 10.2.0.6 : [2], 64 bytes, 1.00 ms (1.00 avg, 33% loss)
`, "fping 2/3 every 500ms timestamps; 1 lost 1-1 0s-1s"},
		{"fping -l without a clock", `$ fping -l -p 500 10.2.0.6
10.2.0.6 : [0], 84 bytes, 1.00 ms (1.00 avg, 0% loss)
10.2.0.6 : [1], timed out (1.00 avg, 50% loss)
10.2.0.6 : [2], 84 bytes, 1.00 ms (1.00 avg, 33% loss)
`, "fping 2/3 every 500ms command; 1 lost 1-1 0s-1s"},
		{"fping -C", "10.2.0.6 : 0.027 0.028 - - - 0.039\n", "fping -C 3/6 every 1s assumed; 3 lost 2-4 2s-4s"},
		{"mtr --raw: the target is the nearest hop with its address; a last request without answer may have one yet", `x 0 33000
h 0 10.1.0.1
p 0 43 33000
x 1 33001
h 1 10.2.0.6
p 1 44 33001
x 2 33002
h 2 10.2.0.6
p 2 44 33002
x 0 33003
x 1 33004
x 0 33005
x 1 33006
p 1 99 33006
x 0 33007
x 1 33008
`, "mtr --raw 2/3 every 1s assumed; 1 lost 1-1 0s-2s"},
		{"the last line is half a line: icmp_seq=11 is not the eleventh", `64 bytes from 10.2.0.6: icmp_seq=115 ttl=64 time=5.87 ms
64 bytes from 10.2.0.6: icmp_seq=117 ttl=64 time=5.87 ms
64 bytes from 10.2.0.6: icmp_seq=11`, "iputils 2/3 every 1s assumed; 1 lost 116-116 0s-2s"},
		{"ping6 of macOS", "PING6(56=40+8+8 bytes) ::1 --> ::1\n16 bytes from ::1, icmp_seq=0 hlim=64 time=0.1 ms\n16 bytes from ::1, icmp_seq=2 hlim=64 time=0.1 ms\n", "iputils 2/3 every 1s assumed; 1 lost 1-1 0s-2s"},
		{"nothing was answered", "PING 10.2.0.6 (10.2.0.6) 56(84) bytes of data.\n\n--- 10.2.0.6 ping statistics ---\n10 packets transmitted, 0 received, 100% packet loss, time 9200ms\n",
			"iputils 0/10 every 1.022222222s summary; 10 lost 1-10 > 9.199999998s"},
		{"numbers wrap", `64 bytes from 10.2.0.6: icmp_seq=65534 ttl=64 time=5.87 ms
64 bytes from 10.2.0.6: icmp_seq=65535 ttl=64 time=5.87 ms
64 bytes from 10.2.0.6: icmp_seq=2 ttl=64 time=5.87 ms
64 bytes from 10.2.0.6: icmp_seq=1 ttl=64 time=1005.87 ms
`, "iputils 4/5 every 1s assumed; 1 lost 65536-65536 0s-2s"},
	} {
		if got := one(t, c.log); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, log, want string }{
		{"nothing", "", "x.log: the file is empty"},
		{"another file", "vpnsim: v1\nname: x\n", "x.log:1:1: there is no line about a probe in it"},
		{"binary", "64 bytes\n\x7fELF\x00", "x.log:2:1: control character 0x7f: this is no text"},
		{"UTF-16", "\xff\xfe6\x00", "x.log:1:1: this is UTF-16"},
		{"an error of fping", "fping: specify only one of c, l\n", "x.log:1:1: there is no line about a probe in it"},
		{"two targets", "10.2.0.6 : [0], 84 bytes, 1.00 ms\n10.2.0.7 : [0], 84 bytes, 1.00 ms\n", "x.log:2:1: this log is of more than one target"},
		{"too long", strings.Repeat("x", MaxFile+1), "x.log: 67108865 bytes are more than the 67108864 that a log may have"},
		{"a run of vpnsim with lines left out", "64 bytes from x: icmp_seq=3 ttl=64 time=5 ms\n… 79 lines left out\n64 bytes from x: icmp_seq=83 ttl=64 time=5 ms\n", "x.log:2:1: lines were left out here, and nobody knows which of them were answers"},
		{"Windows", "Reply from 10.2.0.6: bytes=32 time=5ms TTL=64\r\nRequest timed out.\r\n", "x.log:1:1: there is no line about a probe in it"},
		{"mtr's JSON", "{\"report\": 1}\n", "x.log:1:1: there is no line about a probe in it"},
	} {
		l, err := Read("x.log", []byte(c.log))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, %v\nwant %s", c.name, l, err, c.want)
		}
		if e, ok := err.(*Error); ok && e.Help == "" {
			t.Errorf("%s: it does not say what to do", c.name)
		}
	}
}

// Whatever was lost, and however its log is printed, what is read is what was lost.
func TestWhatIsPrintedIsRead(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n := 3 + r.IntN(60)
		ok := make([]bool, n)
		for i := range ok {
			ok[i] = i == 0 || i == n-1 || r.IntN(3) > 0
		}
		var want []string
		for i := 0; i < n; i++ {
			if first := i; !ok[i] {
				for !ok[i] {
					i++
				}
				want = append(want, fmt.Sprint(i-first))
			}
		}
		wrap := 65536 - r.IntN(2*n)
		var plain, dated, bsd, fping, mtr strings.Builder
		var all []string
		bsd.WriteString("PING h (10.2.0.6): 56 data bytes\n")
		mtr.WriteString("h 3 10.2.0.6\n")
		for i, answered := range ok {
			at := 1700000000 + 0.2*float64(i)
			fmt.Fprintf(&mtr, "x 3 %d\n", 33000+i)
			switch {
			case answered:
				fmt.Fprintf(&plain, "64 bytes from 10.2.0.6: icmp_seq=%d ttl=64 time=5.00 ms\n", (wrap+i)%65536)
				fmt.Fprintf(&dated, "[%.6f] 64 bytes from 10.2.0.6: icmp_seq=%d ttl=64 time=5.00 ms\n", at+0.005, i+1)
				fmt.Fprintf(&bsd, "64 bytes from 10.2.0.6: icmp_seq=%d ttl=64 time=5.000 ms\n", i)
				fmt.Fprintf(&fping, "10.2.0.6 : [%d], 64 bytes, 5.00 ms (5.00 avg, 0%% loss)\n", i)
				fmt.Fprintf(&mtr, "p 3 5000 %d\n", 33000+i)
				all = append(all, "5.00")
			default:
				fmt.Fprintf(&dated, "[%.6f] no answer yet for icmp_seq=%d\n", at+0.2, i+1)
				fmt.Fprintf(&bsd, "Request timeout for icmp_seq %d\n", i)
				fmt.Fprintf(&fping, "10.2.0.6 : [%d], timed out (5.00 avg, 9%% loss)\n", i)
				all = append(all, "-")
			}
		}
		for name, text := range map[string]string{"plain": plain.String(), "dated": dated.String(), "bsd": bsd.String(), "fping": fping.String(), "mtr": mtr.String(), "all": "10.2.0.6 : " + strings.Join(all, " ") + "\n"} {
			l, err := Read(name, []byte(text))
			if err != nil || len(l.Series) != 1 {
				t.Fatalf("%v\n%s", err, text)
			}
			s := &l.Series[0]
			var got []string
			for _, g := range s.Gaps() {
				got = append(got, fmt.Sprint(g.Lost))
				if g.Open || g.Most-g.Least < 2*g.Interval-time.Microsecond || g.Most-g.Least > 2*g.Interval+time.Microsecond {
					t.Fatalf("%s: a gap is two intervals wide: %+v", name, g)
				}
			}
			if s.Sent() != n || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%s: sent %d, gaps %v\nwant %d, %v\n%s", name, s.Sent(), got, n, want, text)
			}
			if want := map[bool]time.Duration{true: 200 * time.Millisecond, false: time.Second}[name == "dated"]; s.Interval.Round(time.Millisecond) != want {
				t.Fatalf("%s: interval %v, want %v", name, s.Interval, want)
			}
		}
	}
}

func TestTheUserKnowsTheInterval(t *testing.T) {
	l, err := Read("x", []byte("10.2.0.6 : 1.0 - - 1.0\n"))
	if err != nil {
		t.Fatal(err)
	}
	l.SetInterval(200 * time.Millisecond)
	if g := l.Series[0].Gaps()[0]; g.Least != 200*time.Millisecond || g.Most != 600*time.Millisecond || l.Series[0].IntervalFrom != FromUser {
		t.Errorf("%+v", g)
	}
}

// Whatever is in a file: an error or a log whose numbers make sense.
func FuzzRead(f *testing.F) {
	f.Add([]byte("PING 10.2.0.6 (10.2.0.6) 56(84) bytes of data.\n[1700000000.100000] 64 bytes from 10.2.0.6: icmp_seq=1 ttl=64 time=100 ms\nno answer yet for icmp_seq=2\n64 bytes from 10.2.0.6: icmp_seq=3 ttl=64 time=1 ms (DUP!)\n9 packets transmitted, 3 received, 66% packet loss, time 2080ms\n"))
	f.Add([]byte("PING 8.8.8.8 (8.8.8.8): 56 data bytes\nRequest timeout for icmp_seq 1\n64 bytes from 8.8.8.8: icmp_seq=2 ttl=117 time=13.1 ms\n"))
	f.Add([]byte("[1700000000.00100] 10.2.0.6 : [0], 64 bytes, 1.00 ms (1.00 avg, 0% loss)\n10.2.0.6 : [99999], timed out\n"))
	f.Add([]byte("10.2.0.6 : 0.027 0.028 - - - 0.039\n"))
	f.Add([]byte("x 0 33000\nh 0 10.2.0.6\np 0 43 33000\nx 0 33001\np 0 43\nx 0 33002\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Read("x", data)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Help == "" {
				t.Fatalf("%v helps nobody", err)
			}
			return
		}
		for _, s := range l.Series {
			lost := 0
			for _, g := range s.Gaps() {
				if g.Lost != g.LastLost-g.FirstLost+1 || g.Lost < 1 || g.Least < 0 || !g.Open && g.Most < g.Least || g.FirstLost < s.First || g.LastLost > s.Last {
					t.Fatalf("%+v of %d-%d", g, s.First, s.Last)
				}
				lost += g.Lost
			}
			if s.Interval <= 0 || lost+s.Received() != s.Sent() {
				t.Fatalf("every %v: %d lost and %d received are not %d", s.Interval, lost, s.Received(), s.Sent())
			}
		}
	})
}
