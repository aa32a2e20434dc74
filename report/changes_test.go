package report

import "testing"

// What to try is what makes less be lost in all; the rest is said to be worse, and why
// if the gap alone does not show it.
func TestWhatToTryIsBetterInAll(t *testing.T) {
	g := Gap{OutageS: 30 * sec, TotalS: 40 * sec, Counterfactuals: []Counterfactual{
		{Change: "remedy", OutageS: 3 * sec, TotalS: 13 * sec},
		{Change: "moves it", Note: "60s", OutageS: 3 * sec, TotalS: 50 * sec},
		{Change: "the same in all", OutageS: 3 * sec, TotalS: 40 * sec},
		{Change: "hidden", OutageS: 30 * sec, TotalS: 40 * sec},
		{Change: "elsewhere", OutageS: 30 * sec, TotalS: 41 * sec},
		{Change: "longer", OutageS: 31 * sec, TotalS: 41 * sec},
		{Change: "longer, and less in all", OutageS: 31 * sec, TotalS: 39 * sec},
	}}
	better, worse := sortChanges(g)
	var got string
	for _, c := range better {
		got += c.Change + "/" + c.Note + "\n"
	}
	got += "--\n"
	for _, c := range worse {
		got += c.Change + "/" + c.Note + "\n"
	}
	want := "remedy/\nhidden/\n--\n" +
		"moves it/60s; but 50.000 s are lost in the whole run, not 40.000 s\n" +
		"the same in all/but as much is lost in the whole run, 40.000 s\n" +
		"elsewhere/but 41.000 s are lost in the whole run, not 40.000 s\n" +
		"longer/\n" +
		"longer, and less in all/but 39.000 s are lost in the whole run, not 40.000 s\n"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
