package peer

import (
	"fmt"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/export"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
)

// line tells something that happens now and is not in the network's record.
func (r *runner) line(l report.PeerLine) { r.emit(l, r.now()) }

func (r *runner) about(c *carried, kind, words string) {
	link := r.plan.linkName(r.attachment(c).Link)
	r.line(report.PeerLine{Kind: kind, Router: r.plan.routerName(r.plan.Real), Link: link, Words: link + ": " + words})
}

func (r *runner) emit(l report.PeerLine, at sim.Time) {
	if begun, ok := r.n.Begun(); ok {
		story := report.Seconds(at.Sub(begun))
		l.StoryS = &story
	}
	l.At = r.zero.Add(time.Duration(at)).Format("2006-01-02T15:04:05.000000Z07:00")
	r.opt.Emit(l)
}

// tellNotes tells what the network has noted since it was last asked.
func (r *runner) tellNotes() {
	for ; r.noted < len(r.log.Notes); r.noted++ {
		n := &r.log.Notes[r.noted]
		if l, ok := r.fromNote(n); ok {
			r.emit(l, n.At)
		}
	}
}

// fromNote turns a note of the record into a line, if anybody could want it.
func (r *runner) fromNote(n *trace.Note) (report.PeerLine, bool) {
	l := report.PeerLine{Kind: export.NoteName(n.Kind), Words: export.Words(r.log, n)}
	if n.Router >= 0 {
		l.Router = r.plan.routerName(int(n.Router))
	}
	if n.Link >= 0 {
		l.Link = r.plan.linkName(int(n.Link))
	}
	real := int(n.Router) == r.plan.Real
	switch n.Kind {
	case trace.NoteFault:
		if f := int(n.A); r.n.Asked(f) {
			l.Kind, l.Words = "ask", "do it now, vpnsim cannot: "+l.Words
		}
	case trace.NoteSession:
		l.Detail = n.To != uint8(bgp.Established) && n.From != uint8(bgp.Established)
		if m := n.Msg; m != nil && m.Notification != nil {
			l.Words = strings.TrimSuffix(l.Words, ")") + fmt.Sprintf(": NOTIFICATION %d/%d)", m.Notification.Code, m.Notification.Subcode)
		}
	case trace.NoteMessage:
		// Between simulated routers: only who looks closely. KEEPALIVEs: nobody else.
		l.Detail = n.Msg.Type == bgp.MsgKeepalive || !r.atReal(int(n.Link))
	case trace.NoteRoute:
		if real {
			return l, false // its table is its own
		}
	case trace.NoteFIB, trace.NoteTable:
		if real {
			return l, false
		}
		l.Detail = n.Kind == trace.NoteFIB
	case trace.NoteForwarding:
		if n.Text == network.NotKnown {
			return l, false
		}
		l.Router, l.Link = "", ""
	case trace.NoteTunnel, trace.NoteLink, trace.NoteLimit, trace.NoteStall:
	default:
		l.Detail = true
	}
	return l, true
}

// atReal tells whether a link has an end at the real router.
func (r *runner) atReal(link int) bool {
	e := &r.plan.Design.Links[link].Ends
	return e[0].Router == r.plan.Real || e[1].Router == r.plan.Real
}
