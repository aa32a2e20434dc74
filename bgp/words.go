package bgp

import "fmt"

// What the RFCs call error codes and subcodes, for people.

// subcodes by code: the names of RFC 4271 §4.5, RFC 4486 and RFC 8538 §3 for Cease,
// RFC 9384 there too, RFC 6608 for the finite state machine, RFC 5492 §3 for a
// capability that is not supported, RFC 9234 §6 for roles.
var subcodes = map[NoteCode]map[uint8]string{
	NoteHeader: {1: "Connection Not Synchronized", 2: "Bad Message Length", 3: "Bad Message Type"},
	NoteOpen: {1: "Unsupported Version Number", 2: "Bad Peer AS", 3: "Bad BGP Identifier", 4: "Unsupported Optional Parameter", 6: "Unacceptable Hold Time",
		7: "Unsupported Capability", 11: "Role Mismatch"},
	NoteUpdate: {1: "Malformed Attribute List", 2: "Unrecognized Well-known Attribute", 3: "Missing Well-known Attribute", 4: "Attribute Flags Error",
		5: "Attribute Length Error", 6: "Invalid ORIGIN Attribute", 8: "Invalid NEXT_HOP Attribute", 9: "Optional Attribute Error",
		10: "Invalid Network Field", 11: "Malformed AS_PATH"},
	NoteFSM: {1: "Receive Unexpected Message in OpenSent State", 2: "Receive Unexpected Message in OpenConfirm State", 3: "Receive Unexpected Message in Established State"},
	NoteCease: {1: "Maximum Number of Prefixes Reached", 2: "Administrative Shutdown", 3: "Peer De-configured", 4: "Administrative Reset", 5: "Connection Rejected",
		6: "Other Configuration Change", 7: "Connection Collision Resolution", 8: "Out of Resources", 9: "Hard Reset", 10: "BFD Down"},
}

// Words are the name of the code. RFC 4271 §4.5, RFC 9687
func (c NoteCode) Words() string {
	switch c {
	case NoteHeader:
		return "Message Header Error"
	case NoteOpen:
		return "OPEN Message Error"
	case NoteUpdate:
		return "UPDATE Message Error"
	case NoteHoldTimerExpired:
		return "Hold Timer Expired"
	case NoteFSM:
		return "Finite State Machine Error"
	case NoteCease:
		return "Cease"
	case NoteSendHoldExpired:
		return "Send Hold Timer Expired"
	}
	return fmt.Sprintf("code %d", c)
}

// Words are the names of code and subcode: "Cease, Administrative Shutdown"; of a Hard
// Reset, also of what is inside.
func (n *Notification) Words() string {
	s := n.Code.Words()
	if w := subcodes[n.Code][n.Subcode]; w != "" {
		s += ", " + w
	} else if n.Subcode != 0 { // 0: Unspecific
		s += fmt.Sprintf(", subcode %d", n.Subcode)
	}
	if code, sub := n.Why(); n.HardReset() && len(n.Data) >= 2 {
		s += ": " + (&Notification{Code: code, Subcode: sub}).Words()
	}
	return s
}
