package report

import "io"

// What `vpnsim export --format json` prints: configurations of real daemons.

// Export has the routers of a scenario as configurations of one daemon.
type Export struct {
	VPNSim         string           `json:"vpnsim"`
	Kind           string           `json:"kind"` // export
	Version        string           `json:"version"`
	Scenario       string           `json:"scenario"`
	ScenarioSHA256 string           `json:"scenario_sha256"`
	Sets           []string         `json:"set,omitempty"`
	Daemon         string           `json:"daemon"`
	Routers        []ExportedRouter `json:"routers"`
}

// ExportedRouter is one router's configuration.
type ExportedRouter struct {
	Router string         `json:"router"`
	Files  []ExportedFile `json:"files"`
	Cannot []CannotBeTold `json:"cannot"`
}

// ExportedFile is a file of it.
type ExportedFile struct {
	Name    string `json:"name"`
	Content string `json:"content"`
}

// CannotBeTold is something in the scenario for which the daemon has no words.
type CannotBeTold struct {
	Path    string `json:"path"`
	Value   string `json:"value"`
	Origin  string `json:"origin"`
	Instead string `json:"instead"`
}

// ExportJSON writes e as JSON does a Document.
func ExportJSON(w io.Writer, e Export) error { return encode(w, rewritten(e, asIs)) }
