// Package profile is how real systems behave, as data: one YAML file for each
// system, with values for the keys of package topology. Every value has a
// status (documented by the vendor, measured on a named version, suggested by
// a standard, or assumed because nobody has said so) and a source, so that
// whatever depends on it can say how far it is to be trusted.
//
// Profiles extend each other. At the bottom lies rfc4271, which has a value
// for every key: what an RFC says where one does, a plain Linux router with
// strongSwan where none can. A key that a profile does not name has the value
// of the profile that it extends, and keeps its origin.
//
// Besides values a file has ranges (what a platform lets its users configure)
// and offers (what it can do at all), which the lints of `vpnsim check` read.
//
// The files are part of the program and are read once, when it starts; a
// mistake in one is a mistake in the program, found by the tests.
package profile
