module github.com/vpnsim/vpnsim

go 1.26

require github.com/osrg/gobgp/v3 v3.37.0
require gonum.org/v1/gonum v0.17.0
require github.com/google/gopacket v1.1.19
