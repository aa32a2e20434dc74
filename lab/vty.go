//go:build linux

package lab

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Each of FRR's daemons takes commands at a socket of its own, which is where vtysh gives
// them, too: a command ends with an octet of 0; the answer with three of them, and one more
// that tells what became of the command. So no program has to be started for each, which
// on a machine with a hundred labs takes up to half a second.

// vtyDone are the ends of commands that were understood: done, done with a warning, nothing
// to do. FRR's lib/command.h.
var vtyDone = []byte{0, 1, 6}

// vty gives commands to one of the router's daemons, and returns the answer to the last.
func (*frr) vty(r *router, daemon string, commands ...string) ([]byte, error) {
	conn, err := net.Dial("unix", filepath.Join(r.dir, daemon+".vty"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(answers))
	in := bufio.NewReader(conn)
	var answer []byte
	for _, c := range append([]string{"enable"}, commands...) {
		var code byte
		if _, err = conn.Write(append([]byte(c), 0)); err == nil {
			answer, code, err = readVty(in)
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, fmt.Errorf("%s: %s: %q: no answer for %v", r.name, daemon, c, answers)
		case err != nil:
			return nil, fmt.Errorf("%s: %s: %q: %w", r.name, daemon, c, err)
		case !bytes.Contains(vtyDone, []byte{code}) || bytes.HasPrefix(bytes.TrimSpace(answer), []byte("%")):
			return nil, fmt.Errorf("%s: %s: %q is answered by %d: %s", r.name, daemon, c, code, lastWords(answer))
		}
	}
	return answer, nil
}

// readVty reads an answer up to its end.
func readVty(in *bufio.Reader) (answer []byte, code byte, err error) {
	for zeros := 0; zeros < 3; {
		b, err := in.ReadByte()
		if err != nil {
			return nil, 0, err
		}
		answer = append(answer, b)
		if zeros++; b != 0 {
			zeros = 0
		}
	}
	code, err = in.ReadByte()
	return answer[:len(answer)-3], code, err
}
