package scenarios_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
	"go.yaml.in/yaml/v4"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := scenarios.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("scenario.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("scenario.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func decode(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := yaml.Load(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTheSchemaAcceptsEveryShippedScenario(t *testing.T) {
	s := compileSchema(t)
	for _, name := range scenarios.BuiltinNames() {
		data, _ := scenarios.Builtin(name)
		if err := s.Validate(decode(t, data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// everything.yaml uses every key of the format, so that the reader and the
// schema cannot drift apart.
func TestTheSchemaAcceptsEverythingThatLoadDoes(t *testing.T) {
	data, err := os.ReadFile("testdata/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if d, ds := scenarios.Load("everything.yaml", data, nil); d == nil {
		t.Errorf("Load: %v", ds)
	}
	if err := compileSchema(t).Validate(decode(t, data)); err != nil {
		t.Errorf("schema: %v", err)
	}
	for k := topology.Key(0); k < topology.NumKeys; k++ {
		if _, name, _ := strings.Cut(k.String(), "."); !bytes.Contains(data, []byte(name+":")) {
			t.Errorf("everything.yaml has no %s", k)
		}
	}
}

// What is wrong in its shape is wrong for editors too.
func TestTheSchemaRefusesWrongShapes(t *testing.T) {
	s := compileSchema(t)
	for _, name := range []string{"unit-missing", "key-unknown", "key-unknown-setting", "version-missing", "version-unknown", "profile-unknown",
		"router-incomplete", "routers-missing", "asn-not", "name-not", "host-incomplete", "security-group", "delay-twice", "loss-not",
		"setting-types", "settings-not-mapping", "end-settings", "policy", "probe-no-arrow", "story-not-list", "story-verbs",
		"story-direction", "not-mapping", "shapes"} {
		a, err := txtar.ParseFile(filepath.Join("testdata", "bad", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		data, _, _ := sections(t, a)
		var v any
		if err := yaml.Load(data, &v); err != nil {
			continue // editors see that without a schema
		}
		if s.Validate(v) == nil {
			t.Errorf("%s passes", name)
		}
	}
}
