package report

// What `vpnsim lab compare` prints: results of labs, case by case, beside predictions
// that were made anew.

// LabCompare is all of it.
type LabCompare struct {
	VPNSim       string        `json:"vpnsim"`
	Kind         string        `json:"kind"` // "lab-compare"
	Version      string        `json:"version"`
	Runs         int           `json:"runs"`
	Seed         uint64        `json:"seed"`
	Level        float64       `json:"level"`
	Confidence   float64       `json:"confidence"`
	Trials       int           `json:"trials"`
	Failed       int           `json:"failed"`
	Duplicates   int           `json:"duplicates"`
	Agree        int           `json:"agree"`
	WithinChance int           `json:"within_chance"`
	Disagree     int           `json:"disagree"`
	Versions     []string      `json:"versions"`
	Programs     []string      `json:"programs"`
	Kernels      []string      `json:"kernels"`
	Cases        []LabCase     `json:"cases"`
	Together     []LabTogether `json:"together"`
	Timers       []LabBlame    `json:"timers"`
	Remarks      []string      `json:"remarks"`
}

// LabTogether are several cases looked at together: what each is too small to show.
type LabTogether struct {
	Group    string  `json:"group"` // first part of their names; empty: of any
	Daemons  string  `json:"daemons"`
	Cases    int     `json:"cases"`
	Gaps     int     `json:"gaps"`
	Longer   float64 `json:"longer_share"`
	P        float64 `json:"p"`
	Adjusted float64 `json:"p_adjusted"`
}

// LabBlame are the reactions of all cases whose predicted change waits longest for the same
// timer of the same daemon.
type LabBlame struct {
	Daemon    string  `json:"daemon"`
	Parameter string  `json:"parameter"` // without the router: bgp.hold
	Reactions int     `json:"reactions"`
	Earlier   int     `json:"earlier"`
	Later     int     `json:"later"`
	ShiftS    Seconds `json:"shift_s"`
}

// LabCompareKind is what it says that it is.
const LabCompareKind = "lab-compare"

// Verdicts of a LabCase.
const (
	LabAgrees       = "agrees"
	LabWithinChance = "within_chance"
	LabDisagrees    = "disagrees"
	LabUnknown      = "unknown" // no trial has succeeded
)

// LabCase is one.
type LabCase struct {
	Case           string        `json:"case"`
	Verdict        string        `json:"verdict"`
	Words          string        `json:"words"`
	Reasons        []string      `json:"reasons"`
	Note           string        `json:"note,omitempty"`
	Scenario       string        `json:"scenario"`
	ScenarioSHA256 string        `json:"scenario_sha256"`
	Changed        bool          `json:"scenario_changed"`
	Sets           []string      `json:"set,omitempty"`
	Routers        []LabPlayer   `json:"routers"`
	Tunnel         string        `json:"tunnel"`
	LengthS        Seconds       `json:"length_s"`
	Programs       []string      `json:"programs"`
	Kernels        []string      `json:"kernels"`
	Failed         int           `json:"failed"`
	Measured       LabGaps       `json:"measured"`
	Predicted      LabGaps       `json:"predicted"`
	Difference     LabDifference `json:"difference"`
	Tests          []LabTest     `json:"tests"`
	Outside        LabOutside    `json:"outside"`
	Goal           LabGoal       `json:"goal"`
	Events         []LabReaction `json:"events"`
}

// LabPlayer is who plays a router.
type LabPlayer struct {
	Router string `json:"router"`
	Daemon string `json:"daemon"`
}

// LabGaps are the longest gaps of trials, or of simulated runs.
type LabGaps struct {
	N       int        `json:"n"`
	Instant int        `json:"instant"`
	Share   SweepShare `json:"instant_share"`
	MinS    Seconds    `json:"min_s"`
	MedianS Seconds    `json:"median_s"`
	P95S    Seconds    `json:"p95_s"`
	MaxS    Seconds    `json:"max_s"`
	Open    int        `json:"open"`
}

// LabDifference is that of the gaps which are not instant.
type LabDifference struct {
	Measured         int      `json:"measured"`
	Predicted        int      `json:"predicted"`
	MedianMeasuredS  Seconds  `json:"median_measured_s"`
	MedianPredictedS Seconds  `json:"median_predicted_s"`
	MedianS          Seconds  `json:"median_difference_s"`
	ToleranceS       Seconds  `json:"tolerance_s"`
	ShiftS           Seconds  `json:"shift_s"`
	LowS             *Seconds `json:"low_s"`
	HighS            *Seconds `json:"high_s"`
	Enough           int      `json:"enough"`
}

// LabTest is a test of "there is no difference".
type LabTest struct {
	Test      string  `json:"test"`
	Statistic float64 `json:"statistic"`
	P         float64 `json:"p"`
	Adjusted  float64 `json:"p_adjusted"`
}

// Tests of a LabCase.
const (
	LabInstant  = "instant_share"
	LabSmirnov  = "kolmogorov_smirnov"
	LabLocation = "mann_whitney"
)

// LabOutside are measured gaps outside the range of the predicted ones.
type LabOutside struct {
	Below      int     `json:"below"`
	Above      int     `json:"above"`
	ByS        Seconds `json:"by_s"`
	ToleranceS Seconds `json:"tolerance_s"`
}

// LabGoal is what a case is held to.
type LabGoal struct {
	Median      bool `json:"median"`
	Range       bool `json:"range"`
	NotRejected bool `json:"not_rejected"`
}

// LabReaction is whose routes changed first after an event.
type LabReaction struct {
	Event     string     `json:"event"`
	Router    string     `json:"router"`
	Measured  LabFirst   `json:"measured"`
	Predicted LabFirst   `json:"predicted"`
	ShiftS    *Seconds   `json:"shift_s"`
	LowS      *Seconds   `json:"low_s"`
	HighS     *Seconds   `json:"high_s"`
	Timers    []LabTimer `json:"timers"`
	Heard     []LabHeard `json:"heard"`
}

// LabFirst is when the first change came.
type LabFirst struct {
	N       int     `json:"n"`       // trials or runs with the event
	Changed int     `json:"changed"` // those with a change before the next event
	MinS    Seconds `json:"min_s"`
	MedianS Seconds `json:"median_s"`
	MaxS    Seconds `json:"max_s"`
}

// LabTimer is the longest wait before a predicted change.
type LabTimer struct {
	What      string  `json:"what"`
	Parameter string  `json:"parameter"`
	Value     string  `json:"value"`
	Runs      int     `json:"runs"`
	MedianS   Seconds `json:"median_s"`
}

// LabHeard is a NOTIFICATION that was on the wire between the event and the change.
type LabHeard struct {
	From    string  `json:"from"`
	What    string  `json:"what"`
	Trials  int     `json:"trials"`
	MinS    Seconds `json:"min_s"`
	MedianS Seconds `json:"median_s"`
	MaxS    Seconds `json:"max_s"`
}
