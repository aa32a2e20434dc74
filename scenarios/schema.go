package scenarios

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
	"github.com/vpnsim/vpnsim/profile"
	"github.com/vpnsim/vpnsim/topology"
)

// The JSON Schema that editors use to complete and check a scenario while it
// is typed. The settings come from topology's keys and the story's verbs from
// the same table that reads them, so that neither can be forgotten. It knows
// shapes only: names, ranges of durations and addresses are Load's business.

const (
	durationPattern = `[0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h)`
	namePattern     = `^[A-Za-z][A-Za-z0-9_-]{0,62}$|` + paramPattern
	pairPattern     = `^\s*\S+\s*->\s*\S+\s*$|` + paramPattern
	prefixPattern   = `^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$|^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*/[0-9]{1,3}$|` + paramPattern
	paramPattern    = `\$[A-Za-z{]`
)

// Schema returns the JSON Schema of scenarios.
func Schema() ([]byte, error) {
	s := &jsonschema.Schema{
		Version:     "https://json-schema.org/draft/2020-12/schema",
		Title:       "vpnsim scenario",
		Description: "Routers, links, tunnels, probes, a story of faults, and what is expected of the outcome.",
		Definitions: jsonschema.Definitions{
			"param":    {Type: "string", Pattern: paramPattern, Description: "A parameter of the scenario: $name."},
			"duration": {Type: "string", Pattern: "^(" + durationPattern + ")+$|" + paramPattern, Description: "A duration with its unit, such as 30s, 500ms or 1m30s.", Examples: []any{"30s"}},
			"random": {Type: "string",
				Pattern:     `^((` + durationPattern + `)+|(uniform|normal|exp|choice)\(.*\))$|` + paramPattern,
				Description: "A duration, or a distribution that each run draws from: uniform(85s, 95s), normal(mean, sd), exp(base, mean of what is added), choice(a, b, …).",
				Examples:    []any{"30s", "uniform(85s, 95s)"}},
			"address": {AnyOf: []*jsonschema.Schema{{Type: "string", Format: "ipv4"}, {Type: "string", Format: "ipv6"}, ref("param")}, Description: "An IP address."},
			"prefix":  {Type: "string", Pattern: prefixPattern, Description: "A network, such as 10.1.0.0/16 or 2001:db8:1::/48."},
			"network": {AnyOf: []*jsonschema.Schema{ref("prefix"), strict(&jsonschema.Schema{Required: []string{"prefix", "count", "length"}},
				prop("prefix", described(ref("prefix"), "The room of the block.")), prop("count", described(number(1, topology.MaxBlock), "How many prefixes, one after the other.")),
				prop("length", described(number(0, 128), "Of each.")))}, Description: "A prefix, or a block of many."},
			"probability": {AnyOf: []*jsonschema.Schema{{Type: "number", Minimum: "0", Maximum: "1"}, {Type: "string", Pattern: `^[0-9]+(\.[0-9]+)?%$`}, ref("param")}, Description: "A probability: 0.3, or 30%."},
			"router":      routerSchema(),
			"host":        hostSchema(),
			"generate":    generateSchema(),
			"link":        linkSchema(false),
			"tunnel":      linkSchema(true),
			"linkEnd":     endSchema(false),
			"tunnelEnd":   endSchema(true),
			"term":        termSchema(),
			"probe":       probeSchema(),
			"fault":       faultSchema(),
		},
		Required: []string{"vpnsim"},
		AnyOf:    []*jsonschema.Schema{{Required: []string{"generate"}}, written()},
	}
	expectation := described(&jsonschema.Schema{Type: "string"}, "An expression that has to hold after the run, such as gap.outage <= duration(\"30.5s\").")
	strict(s,
		prop("vpnsim", &jsonschema.Schema{Const: Version, Description: "The version of this format; comes first."}),
		prop("name", described(text(), "What the scenario is about, in one line.")),
		prop("params", &jsonschema.Schema{Type: "object", PropertyNames: &jsonschema.Schema{Pattern: paramName.String()},
			AdditionalProperties: &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}},
			Description:          "Values with a name, which the rest of the scenario uses as $name and --set name=value changes."}),
		prop("generate", ref("generate")),
		prop("warmup", defaulted(ref("duration"), topology.FormatDuration(DefaultWarmup), "Simulated before time zero, so that the story begins on a network that has settled.")),
		prop("for", defaulted(ref("duration"), topology.FormatDuration(DefaultFor), "How long the run lasts after time zero.")),
		prop("routers", named(ref("router"), "The routers, by name.")),
		prop("hosts", named(ref("host"), "Machines that send and answer probes, by name.")),
		prop("links", named(ref("link"), "Plain links, by name: both ends see them go down.")),
		prop("tunnels", named(ref("tunnel"), "IPsec tunnels, by name: each end may be deleted alone.")),
		prop("probe", described(oneOrMore(ref("probe")), "The probe, when there is one.")),
		prop("probes", described(oneOrMore(ref("probe")), "The probes.")),
		prop("watch", described(oneOrMore(&jsonschema.Schema{Type: "string", Pattern: pairPattern}), "Pairs of hosts, addresses or routers whose forwarding is followed through the run, as that of the probes is: vm -> ec2.")),
		prop("story", &jsonschema.Schema{Type: "array", Items: ref("fault"), Description: "What happens, and when."}),
		prop("expect", described(oneOrMore(expectation), "What has to hold after the run.")),
		prop("assume", &jsonschema.Schema{Type: "object", AdditionalProperties: text(), Description: "What the scenario itself assumes: a path in it, and why."}),
	)
	return json.MarshalIndent(s, "", "  ")
}

type property struct {
	name   string
	schema *jsonschema.Schema
}

func prop(name string, s *jsonschema.Schema) property { return property{name, s} }

// strict gives s its properties and no others.
func strict(s *jsonschema.Schema, ps ...property) *jsonschema.Schema {
	s.Type = "object"
	s.Properties = jsonschema.NewProperties()
	for _, p := range ps {
		s.Properties.Set(p.name, p.schema)
	}
	s.AdditionalProperties = jsonschema.FalseSchema
	return s
}

func ref(name string) *jsonschema.Schema { return &jsonschema.Schema{Ref: "#/$defs/" + name} }
func text() *jsonschema.Schema           { return &jsonschema.Schema{Type: "string"} }
func boolean() *jsonschema.Schema        { return orParam(&jsonschema.Schema{Type: "boolean"}) }

func number(lo, hi int64) *jsonschema.Schema {
	return orParam(&jsonschema.Schema{Type: "integer", Minimum: json.Number(fmt.Sprint(lo)), Maximum: json.Number(fmt.Sprint(hi))})
}

// orParam is s, or a parameter in its place.
func orParam(s *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, ref("param")}}
}

func described(s *jsonschema.Schema, text string) *jsonschema.Schema {
	s.Description = text
	return s
}

func defaulted(s *jsonschema.Schema, value any, text string) *jsonschema.Schema {
	s.Default = value
	return described(s, text)
}

func oneOrMore(s *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, {Type: "array", Items: s}}}
}

func named(s *jsonschema.Schema, text string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", PropertyNames: &jsonschema.Schema{Pattern: namePattern}, AdditionalProperties: s, Description: text}
}

// groupSchemas are the groups of settings: bgp, fib, …
func groupSchemas(groups []string) []property {
	var ps []property
	for _, g := range groups {
		var keys []property
		for k := topology.Key(0); k < topology.NumKeys; k++ {
			if name, ok := strings.CutPrefix(k.Info().Path, g+"."); ok {
				keys = append(keys, prop(name, keySchema(k)))
			}
		}
		ps = append(ps, prop(g, strict(&jsonschema.Schema{}, keys...)))
	}
	return ps
}

func keySchema(k topology.Key) *jsonschema.Schema {
	info := k.Info()
	doc := strings.ToUpper(info.Doc[:1]) + info.Doc[1:] + "."
	switch info.Type {
	case topology.TypeDuration:
		return described(ref("random"), fmt.Sprintf("%s From %v to %v.", doc, topology.FormatDuration(time.Duration(info.Min)), topology.FormatDuration(time.Duration(info.Max))))
	case topology.TypeInt:
		return described(number(info.Min, info.Max), doc)
	case topology.TypeBool:
		return described(boolean(), doc)
	case topology.TypeRatio:
		lo, hi := topology.Value{Int: info.Min}.Format(k), topology.Value{Int: info.Max}.Format(k)
		return described(orParam(&jsonschema.Schema{Type: "number", Minimum: json.Number(lo), Maximum: json.Number(hi)}), doc)
	}
	s := text()
	for _, e := range info.Enum {
		s.Enum = append(s.Enum, e)
	}
	return described(orParam(s), doc)
}

func profileSchema() *jsonschema.Schema {
	p := text()
	for _, name := range profile.Names() {
		p.Enum = append(p.Enum, name)
	}
	return orParam(p)
}

// delays says that a link has either an rtt or a delay.
func delays() []*jsonschema.Schema {
	return []*jsonschema.Schema{{Required: []string{"rtt"}}, {Required: []string{"delay"}}}
}

// written is what a scenario has to say when it generates nothing: what it
// says about generated ones may leave out all that they have.
func written() *jsonschema.Schema {
	s := &jsonschema.Schema{Required: []string{"routers"}, Properties: jsonschema.NewProperties()}
	s.Properties.Set("routers", &jsonschema.Schema{AdditionalProperties: &jsonschema.Schema{Required: []string{"profile", "asn"}}})
	s.Properties.Set("hosts", &jsonschema.Schema{AdditionalProperties: &jsonschema.Schema{Required: []string{"on", "ip"}}})
	s.Properties.Set("links", &jsonschema.Schema{AdditionalProperties: &jsonschema.Schema{OneOf: delays()}})
	return s
}

// generateSchema is that of a graph of routers.
func generateSchema() *jsonschema.Schema {
	s := &jsonschema.Schema{Description: "Routers r1, r2, … and links r1-r2, … in the shape of a graph; what the file says itself about one of them goes over what is generated."}
	file := strict(&jsonschema.Schema{Required: []string{"file"}}, prop("file", described(text(), "AS relationships in CAIDA's format; the name counts from the scenario's folder.")))
	synthetic := strict(&jsonschema.Schema{Required: []string{"synthetic"}},
		prop("synthetic", described(number(2, MaxASes), "How many ASes are made up.")), prop("seed", number(0, 1<<62)))
	inline := strict(&jsonschema.Schema{Required: []string{"relations"}}, prop("relations", described(text(), "The same, written out: provider|customer|-1 or peer|peer|0 in each line.")))
	schemas := map[string]*jsonschema.Schema{
		"clique":   described(number(2, MaxRouters), "Every router is joined with every other one."),
		"chain":    described(number(2, MaxRouters), "Routers in a row."),
		"ring":     described(number(3, MaxRouters), "A chain whose ends are joined."),
		"b-clique": described(number(2, MaxRouters/2), "A clique of so many and a chain of so many: r1, the first of the chain, has a short way into the clique (r1-r2) and a long one."),
		"tree": strict(&jsonschema.Schema{Description: "So many levels below the root, so many children at each router.", Required: []string{"depth", "fanout"}},
			prop("depth", number(1, MaxRouters)), prop("fanout", number(1, MaxRouters))),
		"as-graph": {AnyOf: []*jsonschema.Schema{file, inline, synthetic}, Description: "Providers, customers and peers, with the policies that they have: routers are called by their AS numbers, as3356."},
	}
	var ps []property
	for _, shape := range shapes {
		ps = append(ps, prop(shape, schemas[shape]))
		s.OneOf = append(s.OneOf, &jsonschema.Schema{Required: []string{shape}})
	}
	return strict(s, append(append(ps,
		prop("profile", defaulted(profileSchema(), defaultProfile, "The real system that the routers behave like.")),
		prop("rtt", described(ref("random"), "Round-trip time of every link; each direction takes half.")),
		prop("delay", defaulted(ref("random"), defaultDelay, "One-way delay of every link; instead of rtt.")),
		prop("prefix", described(oneOrMore(ref("network")), "What the origin announces.")),
		prop("origin", described(text(), "The router that announces the prefix; left out: the first.")),
		prop("hosts", described(oneOrMore(text()), "Routers with a machine for probes: h3 for r3.")),
	), groupSchemas(groups)...)...)
}

func routerSchema() *jsonschema.Schema {
	s := &jsonschema.Schema{}
	return strict(s, append([]property{
		prop("profile", described(profileSchema(), "The real system that the router behaves like.")),
		prop("asn", described(number(1, 1<<32-1), "Its AS number.")),
		prop("id", described(ref("address"), "Its BGP identifier; left out: its lowest inside address.")),
		prop("networks", described(oneOrMore(ref("network")), "What it announces.")),
		prop("static", described(oneOrMore(staticSchema()), "Static routes: they count while the interface of the link is up.")),
		prop("egress", described(oneOrMore(text()), "The links in the order in which it uses them on a full tie; left out: drawn from the seed.")),
	}, groupSchemas(groups)...)...)
}

func staticSchema() *jsonschema.Schema {
	s := strict(&jsonschema.Schema{Required: []string{"prefix", "via"}},
		prop("prefix", ref("prefix")),
		prop("via", described(text(), "The link or tunnel.")))
	return s
}

func hostSchema() *jsonschema.Schema {
	return strict(&jsonschema.Schema{},
		prop("on", described(text(), "The router whose network it is in.")),
		prop("ip", described(oneOrMore(ref("address")), "Its address, or one of each family.")),
		prop("security_group", strict(&jsonschema.Schema{Description: "What its firewall lets in."},
			prop("icmp", defaulted(boolean(), true, "Echo requests are let in.")))),
	)
}

// linkSchema cannot be closed: every further key is a router's name.
func linkSchema(tunnel bool) *jsonschema.Schema {
	s := strict(&jsonschema.Schema{},
		prop("rtt", described(ref("random"), "Round-trip time; each direction takes half.")),
		prop("delay", described(ref("random"), "One-way delay; instead of rtt.")),
		prop("loss", &jsonschema.Schema{Description: "Packets lost by chance.", AnyOf: []*jsonschema.Schema{ref("probability"),
			strict(&jsonschema.Schema{Description: "The model of Gilbert and Elliott: a good and a bad state."},
				prop("p", described(ref("probability"), "Loss in the good state.")),
				prop("bad", described(ref("probability"), "Loss in the bad state.")),
				prop("to_bad", described(ref("probability"), "For each packet, from good to bad.")),
				prop("to_good", described(ref("probability"), "For each packet, from bad to good.")))}}),
		prop("bgp", defaulted(boolean(), true, "A BGP session runs over it.")),
	)
	s.AdditionalProperties = ref("linkEnd")
	if tunnel {
		s.AdditionalProperties = ref("tunnelEnd")
		s.OneOf = delays()
	}
	return s
}

func endSchema(tunnel bool) *jsonschema.Schema {
	s := &jsonschema.Schema{Description: "One end: the key is the router's name."}
	if tunnel {
		s.Required = []string{"outside", "inside"}
	}
	return strict(s, append([]property{
		prop("outside", described(ref("address"), "The public address of the gateway.")),
		prop("inside", described(oneOrMore(ref("prefix")), "The address inside, with the length of its network: 169.254.26.158/30. Or one of each family; the BGP session runs between the first ones.")),
		prop("import", described(oneOrMore(ref("term")), "Policy for routes that arrive over the link: the first term that matches decides.")),
		prop("export", described(oneOrMore(ref("term")), "Policy for routes that are announced over it.")),
	}, groupSchemas(endGroups)...)...)
}

func termSchema() *jsonschema.Schema {
	community := &jsonschema.Schema{Type: "string", Pattern: "^[0-9]{1,5}:[0-9]{1,5}$|" + paramPattern}
	return strict(&jsonschema.Schema{},
		prop("prefixes", described(oneOrMore(ref("prefix")), "Matches these; left out: all.")),
		prop("or_longer", described(boolean(), "… and what is inside them.")),
		prop("community", described(community, "Matches routes that have it.")),
		prop("path_has", described(number(1, 1<<32-1), "Matches routes with this number in AS_PATH.")),
		prop("reject", boolean()),
		prop("local_pref", number(0, 1<<32-1)),
		prop("med", number(0, 1<<32-1)),
		prop("prepend", number(0, 100)),
		prop("add_communities", oneOrMore(&jsonschema.Schema{Type: "string", Pattern: community.Pattern})),
	)
}

func probeSchema() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		{Type: "string", Pattern: pairPattern},
		strict(&jsonschema.Schema{Required: []string{"ping"}},
			prop("ping", &jsonschema.Schema{Type: "string", Pattern: pairPattern, Description: "From which host to which: vm -> ec2."}),
			prop("name", text()),
			prop("every", defaulted(ref("duration"), topology.FormatDuration(DefaultEvery), "Between two echoes.")),
			prop("start", defaulted(ref("duration"), "0s", "The first one, after time zero.")),
			prop("for", described(ref("duration"), "How long it goes on; left out: until the run ends.")),
			prop("family", &jsonschema.Schema{Type: "string", Pattern: "^ipv[46]$|" + paramPattern, Description: "ipv4 or ipv6, where both hosts have both; left out: the first address of the source that the destination has an answer to."}),
			prop("size", defaulted(number(0, 65507), DefaultSize, "Octets of payload."))),
	}}
}

func faultSchema() *jsonschema.Schema {
	ps := []property{
		prop("at", described(ref("random"), "When, after time zero.")),
		prop("for", described(ref("random"), "Undone after so long.")),
		prop("by", described(text(), "The router that does it.")),
		prop("notify", defaulted(boolean(), false, "delete: the peer is told first, by IKE DELETE and BGP CEASE.")),
		prop("p", described(ref("probability"), "loss: of how many packets.")),
		prop("direction", &jsonschema.Schema{Type: "string", Pattern: "^(both|(from|to) .+)$|" + paramPattern, Description: "blackhole and loss: both, from aws or to aws."}),
	}
	s := &jsonschema.Schema{Required: []string{"at"}}
	for _, v := range verbs {
		what := text()
		switch v.what {
		case aPrefix:
			what = ref("prefix")
		case aSwitch:
			what = strict(&jsonschema.Schema{Required: []string{"router", "on"}}, prop("router", text()), prop("on", boolean()))
		}
		ps = append(ps, prop(v.word, described(what, strings.ToUpper(v.doc[:1])+v.doc[1:]+".")))
		s.OneOf = append(s.OneOf, &jsonschema.Schema{Required: []string{v.word}})
	}
	return strict(s, ps...)
}
