package main

import (
	"fmt"
	"os"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

func main() {
	data, _ := scenarios.Builtin("aws-gcp")
	file := "aws-gcp.yaml"
	if len(os.Args) > 2 {
		file = os.Args[2]
		data, _ = os.ReadFile(file)
	}
	var seed uint64
	fmt.Sscan(os.Args[1], &seed)
	a, err := explain.Run(explain.Ask{Seed: seed, WhatIf: explain.EverySuspect, Load: func(sets []string) (*topology.Design, error) {
		d, diags := scenarios.Load(file, data, sets)
		if scenarios.Failed(diags) {
			return nil, fmt.Errorf("%v", diags)
		}
		return d, nil
	}})
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	report.Text(os.Stdout, *a.Doc, report.Options{Show: []string{"ping", "gaps", "routes", "sessions"}})
	report.Text(os.Stdout, *a.Doc, report.Options{Show: []string{"timeline"}})
}
