package wire

import (
	"fmt"

	"github.com/vpnsim/vpnsim/bgp"
)

// Revised error handling for UPDATE messages, RFC 7606. RFC 4271 ends the
// session for a single wrong octet in an UPDATE, which takes down all routes for
// the sake of a few; RFC 7606 sorts what can be wrong by the mildest reaction
// that is still safe. The table of attributes in check.go says which reaction is
// whose; here is what the reactions are.

// Approach is a reaction to something wrong in an UPDATE, the stronger the
// greater. RFC 7606 §2. (The fourth, to disable an address family, is for
// families that have attributes of their own.)
type Approach uint8

const (
	AttributeDiscard Approach = iota + 1 // "the malformed attribute MUST be discarded and the UPDATE message continues to be processed"
	TreatAsWithdraw                      // the routes of the UPDATE are handled "as though they were listed in the Withdrawn Routes field"
	SessionReset                         // NOTIFICATION, as RFC 4271 §6 has it
)

func (a Approach) String() string {
	return [...]string{"", "attribute discard", "treat-as-withdraw", "session reset"}[a]
}

// Fault is one thing that is wrong with an UPDATE.
type Fault struct {
	Approach Approach          // what RFC 7606 does about it, unless something worse is wrong as well
	Attr     uint8             // type code of the attribute; 0: the list of them
	Note     *bgp.Notification // what RFC 4271 §6.3 would have answered; nil: nothing
}

// String says what is wrong in a few words.
func (f Fault) String() string {
	name := "the list of path attributes"
	switch {
	case int(f.Attr) < len(attrKinds) && attrKinds[f.Attr].name != "":
		name = attrKinds[f.Attr].name
	case f.Attr != 0:
		name = fmt.Sprintf("path attribute %d", f.Attr)
	}
	if f.Note == nil {
		return name + " from an external neighbour"
	}
	switch f.Note.Subcode {
	case updateMalformedList:
		if f.Attr != 0 {
			return name + " appears more than once"
		}
		return name + " ends inside an attribute"
	case updateMissingWellKnown:
		return name + " is missing"
	case updateFlags:
		return name + " has wrong flags"
	case updateLength:
		return name + " has a wrong length"
	case updateNextHop:
		return name + " is not the address of a host"
	}
	return name + " is malformed"
}

// Neighbour is what Receive has to know about the sender of a message.
type Neighbour struct {
	External bool // of another AS: some attributes are not his to send. RFC 7606 §7.5, §7.9, §7.10
	Loopback bool // on this machine: 127.0.0.0/8 are addresses of hosts
}

// Receive reads the one message that b holds as a router does that keeps to
// RFC 7606. What was wrong with it and did not end the session is listed; of
// UPDATEs the message is what is left: without the attributes that are
// discarded, or with all its routes withdrawn. When there is no message, the
// NOTIFICATION is what the session ends with. Its sender has agreed on no other
// family than IPv4.
func Receive(b []byte, from Neighbour) (*bgp.Message, []Fault, *bgp.Notification) {
	if n := checkHeader(b); n != nil {
		return nil, nil, n
	}
	if len(b) != length(b) {
		return nil, nil, badLength(b)
	}
	c := checker{from: internal, loopback: from.Loopback}
	if from.External {
		c.from = external
	}
	clean, n := c.checkBody(b)
	if n != nil {
		return nil, c.faults, n
	}
	m, n := read(clean, 0)
	if n != nil {
		return nil, c.faults, n
	}
	m.Size = len(b)
	return m, c.faults, nil
}

// sender is who a message comes from.
type sender uint8

const (
	nobody sender = iota // Decode: every fault is one to the letter of RFC 4271
	internal
	external
)

// checker holds messages against the rules and keeps what it finds.
type checker struct {
	from     sender
	loopback bool
	six      bool         // MP_REACH_NLRI and MP_UNREACH_NLRI of IPv6 may be there
	paths    bgp.Families // whose prefixes have Path Identifiers
	faults   []Fault
	worst    Approach // of faults
}

// note keeps a fault, of the given subcode of an UPDATE Message Error; 0: RFC
// 4271 would not have minded.
func (c *checker) note(how Approach, attr, sub uint8, data []byte) *bgp.Notification {
	f := Fault{Approach: how, Attr: attr}
	if sub != 0 {
		f.Note = fault(bgp.NoteUpdate, sub, data)
	}
	c.faults = append(c.faults, f)
	// "The approach with the strongest action MUST be used." RFC 7606 §3 h)
	c.worst = max(c.worst, how)
	return f.Note
}

// found is note, and returns the NOTIFICATION if it is the end of the session.
func (c *checker) found(how Approach, attr, sub uint8, data []byte) *bgp.Notification {
	n := c.note(how, attr, sub, data)
	if how == SessionReset || c.from == nobody {
		return n
	}
	return nil
}

// first is the answer of RFC 4271 to the first fault that is handled so.
func (c *checker) first(how Approach) *bgp.Notification {
	for _, f := range c.faults {
		if f.Approach == how {
			return f.Note
		}
	}
	return nil
}
