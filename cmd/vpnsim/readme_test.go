package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/profile"
)

const readme = "../../README.md"

// The README shows what the program prints. Nobody reruns it by hand, so this
// does: a README that shows something else is a promise that is not kept.
// `make readme` rewrites it.
func TestReadmeShowsTheRun(t *testing.T) {
	for _, v := range []string{"NO_COLOR", "COLUMNS"} {
		t.Setenv(v, "")
	}
	page, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := program([]string{"run", "--width", "100"}, strings.NewReader(""), &out, &errs); code != exitOK || errs.Len() > 0 {
		t.Fatalf("exit code %d, %s", code, errs.String())
	}
	want := "<!-- run -->\n```console\n" + strings.TrimRight(out.String(), "\n") + "\n```\n<!-- /run -->"
	block := regexp.MustCompile(`(?s)<!-- run -->.*?<!-- /run -->`)
	got := block.FindString(string(page))
	if got == want {
		return
	}
	if *update {
		if err := os.WriteFile(readme, block.ReplaceAllLiteral(page, []byte(want)), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range w {
		if i >= len(g) || g[i] != w[i] {
			t.Fatalf("README.md shows\n%s\nand not\n%s\n(make readme rewrites it)", strings.Join(g[i:min(i+1, len(g))], ""), w[i])
		}
	}
	t.Fatal("README.md shows more than is printed")
}

func TestReadmeNamesEveryProfile(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "\nProfiles: ")
	list, _, _ = strings.Cut(list, "\n\n")
	for _, name := range profile.Names() {
		if !strings.Contains(list, "`"+name+"`") {
			t.Errorf("README.md does not name the profile %s", name)
		}
	}
}

// Every vpnsim command in the README is one that works, and .ci/run runs the
// command that it gives for the tests.
func TestReadmeCommandsWork(t *testing.T) {
	page, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	data, _ := (&app{}).open(builtin)
	if err := os.WriteFile("my.yaml", data.data, 0o666); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, m := range regexp.MustCompile(`(?m)^\$ vpnsim (.*?)(?: +#.*)?$`).FindAllStringSubmatch(string(page), -1) {
		var out, errs bytes.Buffer
		args := strings.Fields(strings.ReplaceAll(m[1], "'", ""))
		if code := program(args, strings.NewReader(""), &out, &errs); code != exitOK {
			t.Errorf("vpnsim %s: exit code %d\n%s", m[1], code, errs.String())
		}
		ran++
	}
	if ran < 5 {
		t.Errorf("the README has only %d commands", ran)
	}
}

func TestCIRunsTheReadmesTests(t *testing.T) {
	page, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^\$ (go test .*)$`).FindSubmatch(page)
	if m == nil {
		t.Fatal("the README does not say how to run the tests")
	}
	ci, err := os.ReadFile("../../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(ci, []byte(fmt.Sprintf("\n\t%s\n", m[1]))) {
		t.Errorf(".ci/run does not run `%s`", m[1])
	}
}

// docs/diff.md shows what a comparison prints, shortened: every line of it that is not cut off
// is one of the program's.
func TestDocsShowTheDiff(t *testing.T) {
	page, err := os.ReadFile("../../docs/diff.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```console\n\\$ vpnsim (diff aws-gcp --set-a [^\n]*)\n(.*?)```").FindSubmatch(page)
	if m == nil {
		t.Fatal("it shows no comparison")
	}
	var out, errs bytes.Buffer
	if code := program(append(strings.Fields(string(m[1])), "-q"), strings.NewReader(""), &out, &errs); code != exitOK || errs.Len() > 0 {
		t.Fatalf("exit code %d, %s", code, errs.String())
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(m[2])), "\n") {
		shown, _, _ := strings.Cut(line, "…")
		if !strings.Contains(out.String(), shown) {
			t.Errorf("docs/diff.md shows\n%s\nand the program prints\n%s", line, out.String())
		}
	}
}
