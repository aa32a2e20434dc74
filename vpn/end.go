package vpn

import "time"

// End is one end of a tunnel. Its files follow what happens to it: open.go
// (negotiation), request.go (retransmission), dpd.go, rekey.go, delete.go.
// State changes in enter; what is installed goes in drop, so that every ActUp
// has its ActDown.
type End struct {
	cfg   Config
	side  uint64
	state State
	armed [NumTimers]bool
	drawn uint64 // how many numbers a nil Config.Rand has given

	sas   []ikeSA   // established, newest last
	kids  []childSA // child SAs, newest last: at most the current one and its predecessor or successor
	mine  *ikeSA    // the IKE SA that this end is negotiating as initiator
	their *ikeSA    // … and as responder (half open)

	req request // this end's unanswered request
	dpd liveness

	ike, child span // lifetimes of the newest IKE SA and child SA

	made []*Message // those of this run; behind len lies memory for more
}

// ikeSA is an IKE SA, established or on its way.
type ikeSA struct {
	spi     uint64
	version Version
	rival   uint64 // half open: the SA that this end was beginning at the same time; 0: none
	got     uint8  // half open, IKEv1: the last message of main mode that arrived
	nextOut uint32 // message id of this end's next request. RFC 7296 §2.2
	nextIn  uint32 // … of the peer's

	asked *Message // the peer's last request, and what was answered: a
	reply *Message // retransmission gets the same again. RFC 7296 §2.1
}

// childSA is a child SA (IKEv1: IPsec SA), both directions of it.
type childSA struct {
	id  uint32
	spi uint64 // of the IKE SA above it
	out bool   // packets may leave with it; an SA accepts packets as soon as it stands here
}

// The defaults of strongSwan (charon.retransmit_timeout, retransmit_base),
// used where a Config leaves the field zero, and its half_open_timeout.
const (
	defaultRetransmit = 4 * time.Second
	defaultBase       = 1.8
	halfOpen          = 30 * time.Second
)

// New makes an End in state Absent. side (0 or 1) keeps the numbers that the
// two ends of one tunnel draw apart.
func New(side int, cfg Config) *End {
	e := &End{
		side: uint64(side & 1),
		sas:  make([]ikeSA, 0, 4),
		kids: make([]childSA, 0, 4),
	}
	e.Reset(cfg)
	return e
}

// Reset takes the End back to Absent with another configuration; the memory
// is kept, that of the messages too, which are no longer valid. Nothing is said
// to anyone: it is for the start of a new run.
func (e *End) Reset(cfg Config) {
	if cfg.Retransmit <= 0 {
		cfg.Retransmit = defaultRetransmit
	}
	if cfg.RetransmitBase < 1 {
		cfg.RetransmitBase = defaultBase
	}
	*e = End{cfg: cfg, side: e.side, sas: e.sas[:0], kids: e.kids[:0], made: e.made[:0]}
}

// State of the end.
func (e *End) State() State { return e.state }

// Up tells whether a child SA is installed, so that packets may leave.
func (e *End) Up() bool { return e.state == Up }

// SA names the child SA that packets leave with; 0: none.
func (e *End) SA() uint32 {
	for i := len(e.kids) - 1; i >= 0; i-- {
		if e.kids[i].out {
			return e.kids[i].id
		}
	}
	return 0
}

// Accepts tells whether a packet that the other end sent with child SA id may
// come in here. Two ends that are both Up may still not understand each other
// after one of them was deleted and made anew.
func (e *End) Accepts(id uint32) bool {
	_, ok := e.kid(id)
	return ok
}

// Step takes one input and appends what is to be done about it to acts.
func (e *End) Step(acts []Action, in Input) []Action {
	switch in.Kind {
	case InTimer:
		if in.Timer < NumTimers && e.armed[in.Timer] {
			e.armed[in.Timer] = false
			return e.timer(acts, in.Timer, in.Idle)
		}
	case InMessage:
		if e.state != Absent && in.Msg != nil {
			return e.message(acts, in.Msg)
		}
	case InTraffic:
		if e.state == Waiting && e.cfg.OnTraffic {
			return e.initiate(acts, WhyTraffic)
		}
	case InCreate:
		if e.state != Absent {
			break
		}
		if e.cfg.Initiate {
			return e.initiate(acts, WhyCreated)
		}
		return e.enter(acts, Waiting, WhyCreated)
	case InDelete:
		if e.state == Absent {
			break
		}
		if in.Notify {
			acts = e.sendDeletes(acts)
		}
		acts = e.drop(acts, WhyDeletedHere)
		return e.enter(acts, Absent, WhyDeletedHere)
	}
	return acts
}

func (e *End) timer(acts []Action, t TimerID, idle time.Duration) []Action {
	switch t {
	case RetransmitTimer:
		return e.retransmit(acts)
	case RetryTimer:
		return e.retry(acts)
	case DPDTimer:
		return e.checkPeer(acts, idle)
	case RekeyIKETimer:
		return e.endOfIKE(acts)
	default:
		return e.endOfChild(acts)
	}
}

// enter is the only place where the state changes.
func (e *End) enter(acts []Action, to State, why Why) []Action {
	from := e.state
	if from == to {
		return acts
	}
	e.state = to
	return append(acts, Action{Kind: ActState, From: from, To: to, Why: why})
}

// drop forgets every SA and whatever is being negotiated, and stops every
// timer. Whoever calls it enters another state next.
func (e *End) drop(acts []Action, why Why) []Action {
	for t := range e.armed {
		acts = e.disarm(acts, TimerID(t))
	}
	e.sas, e.kids = e.sas[:0], e.kids[:0]
	e.mine, e.their = nil, nil
	e.req, e.dpd = request{}, liveness{}
	e.ike, e.child = span{}, span{}
	if e.state == Up {
		acts = append(acts, Action{Kind: ActDown, Why: why})
	}
	return acts
}

// rest drops everything and waits: for the peer, for traffic, or, at an end
// that negotiates by itself, for Config.Retry.
func (e *End) rest(acts []Action, why Why) []Action {
	acts = e.drop(acts, why)
	acts = e.enter(acts, Waiting, why)
	if e.cfg.Initiate && e.cfg.Retry > 0 {
		acts = e.arm(acts, RetryTimer, e.cfg.Retry)
	}
	return acts
}

func (e *End) arm(acts []Action, t TimerID, after time.Duration) []Action {
	e.armed[t] = true
	return append(acts, Action{Kind: ActArm, Timer: t, After: after})
}

func (e *End) disarm(acts []Action, t TimerID) []Action {
	if !e.armed[t] {
		return acts
	}
	e.armed[t] = false
	return append(acts, Action{Kind: ActDisarm, Timer: t})
}

// send makes m and sends it after the time that making it takes, which it
// returns: a timer that waits for the answer starts from there.
func (e *End) send(acts []Action, m Message) ([]Action, *Message, time.Duration) {
	var after time.Duration
	if e.cfg.Processing != nil {
		after = e.cfg.Processing()
	}
	msg := e.blank()
	*msg = m
	msg.Size = sizeOf(msg)
	return append(acts, Action{Kind: ActSend, Msg: msg, After: after}), msg, after
}

// blank is memory for a message.
func (e *End) blank() *Message {
	n := len(e.made)
	if n == cap(e.made) {
		e.made = append(e.made, nil)
	}
	if e.made = e.made[:n+1]; e.made[n] == nil {
		e.made[n] = new(Message)
	}
	return e.made[n]
}

// again sends a message that was made before; nothing is computed, so that
// nothing is waited for.
func again(acts []Action, m *Message) []Action {
	return append(acts, Action{Kind: ActSend, Msg: m})
}

func (e *End) rand() uint64 {
	if e.cfg.Rand == nil {
		e.drawn++
		return e.drawn << 1
	}
	return e.cfg.Rand()
}

// newSPI and newID draw numbers that are never 0 and never those of the other
// end: the lowest bit is the side.
func (e *End) newSPI() uint64 {
	for {
		if n := e.rand()&^1 | e.side; n > 1 {
			return n
		}
	}
}

func (e *End) newID() uint32 {
	for {
		n := e.rand()
		if id := uint32(n>>32^n)&^1 | uint32(e.side); id > 1 {
			return id
		}
	}
}

// sa finds an established IKE SA.
func (e *End) sa(spi uint64) *ikeSA {
	for i := range e.sas {
		if e.sas[i].spi == spi {
			return &e.sas[i]
		}
	}
	return nil
}

// current is the newest IKE SA: requests go through it.
func (e *End) current() *ikeSA {
	if len(e.sas) == 0 {
		return nil
	}
	return &e.sas[len(e.sas)-1]
}

func (e *End) kid(id uint32) (int, bool) {
	for i := range e.kids {
		if e.kids[i].id == id {
			return i, true
		}
	}
	return 0, false
}
