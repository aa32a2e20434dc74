package network_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/trace"
)

func TestDbg(t *testing.T) {
	if os.Getenv("DBG") == "" {
		t.Skip()
	}
	i, _ := strconv.Atoi(os.Getenv("DBG"))
	text := randomScenario(uint64(i))
	fmt.Println(text)
	d := mustParse(t, text)
	log := &trace.Log{}
	n := network.New(d, network.Options{Log: log})
	go func() {
		time.Sleep(300 * time.Millisecond)
		last := log.Notes[len(log.Notes)-min(200000,len(log.Notes)):]
		for _, nt := range last[:100] {
			switch nt.Kind {
			case trace.NoteSession:
				fmt.Printf("%9.6f %s %s %v->%v %v\n", nt.At.Seconds(), d.Routers[nt.Router].Name, d.Links[nt.Link].Name, bgp.State(nt.From), bgp.State(nt.To), bgp.Why(nt.A))
			case trace.NoteMessage:
				fmt.Printf("%9.6f %s %s %v\n", nt.At.Seconds(), d.Routers[nt.Router].Name, d.Links[nt.Link].Name, network.MessageText(nt.Msg))
			}
		}
		os.Exit(1)
	}()
	s, _ := strconv.Atoi(os.Getenv("SEED")); n.Run(uint64(s))
}
