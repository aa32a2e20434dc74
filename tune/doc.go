// Package tune searches for settings that make a goal as small (or as large) as it gets while
// constraints hold: the fastest failover that does not drop healthy sessions.
//
// Every point of the grid runs with the same seeds (package sweep), and where a goal or a constraint asks
// for it, its false drops in a year are estimated (package risk). Small grids are searched exhaustively. Of large
// ones, all points are looked at briefly, and those go that another point beats in every respect with
// intervals that do not overlap; the rest is looked at closely. So what is left out was worse, and the
// front between goal and constraint is not thinned out.
//
// What a platform does not let its users set is left out, with the reason.
package tune
