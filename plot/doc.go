// Package plot draws what many runs say: distributions (ECDF), a quantile against a
// parameter (Quantiles), a quantile against two (HeatMap), what can be had for what
// (Front), as SVG or PNG; and distributions in a terminal (Terminal).
//
// # What a picture owes its reader
//
// Axes carry units. Curves differ by dash and mark, not by colour alone, so that a page
// from a printer without colours is read as well. What names the curves stands above the
// data and never on it. Every number has its interval, and where the sample is too small
// to tell where the interval ends, an arrow goes off instead of a bar that ends somewhere.
// Text that does not fit is shortened with an ellipsis, never cut off at the edge.
//
// The same data are the same bytes. This package draws; it computes nothing that package
// stats has not said.
package plot
