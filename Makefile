# What one types often. Everything is plain `go`; nothing here needs more than
# a Go toolchain, and what is there besides (tshark, bgpdump, routing daemons,
# strongSwan) is used by tests; `make tools` installs it where apt can.

FUZZTIME ?= 30s

.PHONY: all tools build test race bench fuzz cover fmt vet ci readme calibrate

all: build

tools: ## programs that tests use besides, and that are not started by themselves
	.ci/run tools

build: ## the program, as bin/vpnsim
	go build -o bin/vpnsim ./cmd/vpnsim

test: ## everything that must hold
	go test ./...

race: ## the same with the race detector (needs a C compiler)
	go test -race -short ./...

bench: ## the figures of docs/performance.md, on this machine
	go test -run='^$$' -bench=. -benchmem ./...

fuzz: ## each fuzz target for FUZZTIME
	@FUZZTIME=$(FUZZTIME) .ci/run fuzz

cover: ## coverage of all packages by all tests, as cover.html
	go test -coverpkg=./... -coverprofile=cover.out ./...
	go tool cover -html=cover.out -o cover.html
	@go tool cover -func=cover.out | tail -1

fmt:
	gofmt -l -w .

vet:
	go vet ./...

readme: ## after a change of what the program prints
	go test ./cmd/vpnsim -update

# Needs root, FRR, BIRD and the rest of what `vpnsim lab doctor` lists. Cases whose results are
# there are not run again; remove calibration/results for all of them.
calibrate: build ## real daemons beside the simulation: docs/calibration.md
	bin/vpnsim lab calibrate calibration/matrix.yaml -o calibration/results --parallel 120
	bin/vpnsim lab compare calibration/results --runs 5000 --notes calibration/matrix.yaml -o calibration/table.md
	cat calibration/preface.md calibration/table.md > docs/calibration.md
	rm calibration/table.md

ci: ## what must pass before a merge
	.ci/run
