package report

import (
	"io"

	"github.com/vpnsim/vpnsim/probe"
)

// Explanation writes the answer of `vpnsim explain`: to a question about a route
// the sentences, the rows that were compared and the rules that were asked;
// without such a question, the gaps.
func Explanation(w io.Writer, doc Document, opt Options) error {
	if _, err := probe.ParseStyle(opt.Ping); err != nil {
		return err
	}
	if doc.Explain == nil {
		if len(opt.Show) == 0 {
			opt.Show = []string{"gaps"}
		}
		return Text(w, doc, opt)
	}
	doc = rewrite(doc, oneLine)
	p := &page{opt: opt}
	p.line(0, p.paint(bold, doc.Explain.Question)+"   at "+doc.Explain.AtS.String()+" s")
	p.line(0, p.paint(dim, provenance(doc)))
	p.printf("\n")
	for _, s := range doc.Explain.Answer {
		p.line(0, s)
	}
	tables := routeTables(doc.Explain.Routes)
	for _, t := range tables {
		p.printf("\n")
		p.line(0, t.title())
		p.routeTable(t.rows)
	}
	if len(tables) > 0 {
		p.line(0, p.paint(dim, legend(doc.Explain.Routes)))
	}
	if len(doc.Explain.Rules) > 0 {
		p.printf("\n")
		p.line(0, "the decision process, in the order in which it asks")
		for _, r := range doc.Explain.Rules {
			p.line(2, r)
		}
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}
