package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/vpnsim/vpnsim/scenarios"
)

// The GitHub Action and the hook of pre-commit run in a repository as their programs
// would run them.

// root of the project.
const root = "../.."

// action is what is of interest in an action.yml.
type action struct {
	Name        string
	Description string
	Inputs      map[string]struct {
		Description string
		Default     *string
	}
	Runs struct {
		Using string
		Steps []struct {
			Name, Uses, Shell, Run string
			With, Env              map[string]string
			Dir                    string `yaml:"working-directory"`
		}
	}
}

// parse reads a YAML file of the project.
func parse(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

var expression = regexp.MustCompile(`\$\{\{\s*([a-z_.-]+)\s*\}\}`)

// repository is a git repository with two scenarios, of which one expects too much.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	good, _ := scenarios.Builtin("aws-gcp")
	bad := strings.Replace(string(good), `duration("30.5s")`, `duration("10s")`, 1)
	for name, text := range map[string]string{"networks/good.yaml": string(good), "too much/bad.yaml": bad, ".github/workflows/ci.yaml": "on: push\n", "values.yaml": "a: 1\n"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// sh runs a script as a step of an action is run, and tells its exit code.
func sh(t *testing.T, dir, script string, env ...string) (code int, output string) {
	t.Helper()
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v\n%s", err, out)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestIntegrations(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash, which steps of actions run in")
	}
	var a action
	parse(t, "action.yml", &a)
	temp := t.TempDir()
	whole, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	built := false
	// act runs the action with these inputs.
	act := func(t *testing.T, dir string, inputs map[string]string) (code int, output string) {
		value := func(s string) string {
			return expression.ReplaceAllStringFunc(s, func(x string) string {
				name := expression.FindStringSubmatch(x)[1]
				input, ok := strings.CutPrefix(name, "inputs.")
				declared, known := a.Inputs[input]
				switch v, given := inputs[input]; {
				case name == "github.action_path":
					return whole
				case !ok || !known:
					t.Errorf("%s is not known", x)
				case given:
					return v
				case declared.Default != nil:
					return *declared.Default
				}
				return ""
			})
		}
		for _, s := range a.Runs.Steps {
			switch {
			case s.Uses != "":
				for k, v := range s.With {
					if path := value(v); !strings.HasPrefix(path, whole) {
						t.Errorf("%s: %s", k, path)
					} else if _, err := os.Stat(path); err != nil {
						t.Error(err)
					}
				}
				continue
			case s.Run == "" || s.Shell != "bash":
				t.Fatalf("step %q has no command, or no shell", s.Name)
			case expression.MatchString(s.Run):
				t.Errorf("step %q: an expression in a script lets whoever wrote the input run programs", s.Name)
			case strings.Contains(s.Run, "go build") && built:
				continue
			}
			env := []string{"GITHUB_ACTION_PATH=" + whole, "RUNNER_TEMP=" + temp, "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE=" + dir, "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, ".summary")}
			for k, v := range s.Env {
				env = append(env, k+"="+value(v))
			}
			code, out := sh(t, filepath.Join(dir, value(s.Dir)), s.Run, env...)
			output += out
			if code != 0 {
				return code, output
			}
		}
		built = true
		return 0, output
	}
	t.Run("action", func(t *testing.T) {
		if a.Name == "" || a.Description == "" || a.Runs.Using != "composite" || len(a.Runs.Steps) != 3 {
			t.Fatalf("%+v", a)
		}
		for name, in := range a.Inputs {
			if in.Description == "" || in.Default == nil {
				t.Errorf("input %s has no description or no default", name)
			}
		}
		dir := repository(t)
		if code, out := act(t, dir, map[string]string{"paths": "networks", "runs": "20", "junit": "out.xml"}); code != 0 || !strings.Contains(out, "1 scenario, 2 expectations: 2 held") {
			t.Fatalf("exit code %d\n%s", code, out)
		}
		if data, err := os.ReadFile(filepath.Join(dir, "out.xml")); err != nil || !strings.Contains(string(data), "<testsuite ") {
			t.Errorf("%v, %s", err, data)
		}
		code, out := act(t, dir, map[string]string{"runs": "20", "run": "gap|$(touch injected)"})
		if code != 1 || !strings.Contains(out, "::error file=too much/bad.yaml,line=51,col=5,") || !strings.Contains(out, "ok    networks/good.yaml  1 expectation  ") {
			t.Errorf("exit code %d\n%s", code, out)
		}
		if code, out := act(t, dir, map[string]string{"paths": "good.yaml\n  --update; touch injected", "working-directory": "networks"}); code != 2 || !strings.Contains(out, "there is no such file") {
			t.Errorf("exit code %d\n%s", code, out)
		}
		if found, _ := filepath.Glob(filepath.Join(dir, "*/injected")); len(found) > 0 {
			t.Error("an input was run as a program")
		}
		if data, err := os.ReadFile(filepath.Join(dir, ".summary")); err != nil || !strings.Contains(string(data), "vpnsim test: 2 scenarios") {
			t.Errorf("%v, %s", err, data)
		}
	})
	t.Run("pre-commit", func(t *testing.T) {
		var hooks []struct {
			ID, Name, Description, Entry, Language string
			Types                                  []string
			PassFilenames                          *bool `yaml:"pass_filenames"`
		}
		parse(t, ".pre-commit-hooks.yaml", &hooks)
		dir := repository(t)
		path := "PATH=" + temp + string(os.PathListSeparator) + os.Getenv("PATH")
		for _, h := range hooks {
			// Of golang, pre-commit installs the commands of the module, and runs the entry with them on the path.
			if h.ID == "" || h.Name == "" || h.Language != "golang" || h.PassFilenames == nil || *h.PassFilenames {
				t.Errorf("%+v", h)
			}
			if code, out := sh(t, dir, h.Entry, path); code != 1 || !strings.Contains(out, "too much/bad.yaml") {
				t.Errorf("%s: exit code %d\n%s", h.Entry, code, out)
			}
			if code, out := sh(t, filepath.Join(dir, "networks"), h.Entry, path); code != 0 || !strings.Contains(out, "good.yaml") {
				t.Errorf("%s: exit code %d\n%s", h.Entry, code, out)
			}
		}
	})
}
