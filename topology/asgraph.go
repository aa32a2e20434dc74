package topology

// ASGraph is a generated topology before it becomes routers and links: node i
// is an AS of its own, and an edge is a link with a BGP session. Large graphs
// stay what they are, since a Link with all its settings takes kilobytes.
type ASGraph struct {
	ASNs  []uint32 // by node
	Edges []Edge
}

// Edge joins nodes A and B.
type Edge struct {
	A, B int32
	Rel  Relation
}

// Relation is the business between two ASes. Gao and Rexford, 2001.
type Relation uint8

const (
	Unrelated Relation = iota // no policy: everything is passed on
	Peering                   // A and B exchange their own and their customers' routes
	Customer                  // B is a customer of A
)
