package bgp

import "testing"

func TestNotificationWords(t *testing.T) {
	for _, c := range []struct {
		n    Notification
		want string
	}{
		{Notification{Code: NoteHoldTimerExpired}, "Hold Timer Expired"},
		// RFC 4486 §3: "2 Administrative Shutdown"
		{Notification{Code: NoteCease, Subcode: 2}, "Cease, Administrative Shutdown"},
		// RFC 9384: "10 BFD Down"
		{Notification{Code: NoteCease, Subcode: 10}, "Cease, BFD Down"},
		// RFC 8538 §3.1: the Data field of a Hard Reset begins with another code and subcode.
		{Notification{Code: NoteCease, Subcode: 9, Data: []byte{6, 2}}, "Cease, Hard Reset: Cease, Administrative Shutdown"},
		{Notification{Code: NoteCease, Subcode: 9}, "Cease, Hard Reset"},
		// A Hard Reset in a Hard Reset has no end of its own.
		{Notification{Code: NoteCease, Subcode: 9, Data: []byte{6, 9}}, "Cease, Hard Reset: Cease, Hard Reset"},
		{Notification{Code: NoteUpdate, Subcode: 7}, "UPDATE Message Error, subcode 7"},
		{Notification{Code: 99}, "code 99"},
	} {
		if got := c.n.Words(); got != c.want {
			t.Errorf("%v: %s, want %s", &c.n, got, c.want)
		}
	}
}
