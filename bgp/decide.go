package bgp

// Rule is one step of a decision process.
type Rule uint8

// Ruleset is a decision process: rules in the order in which they are asked.
type Ruleset []Rule
