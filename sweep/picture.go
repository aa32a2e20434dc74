package sweep

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vpnsim/vpnsim/plot"
	"github.com/vpnsim/vpnsim/topology"
)

// A Picture of a sweep.
type Picture string

const (
	ECDF      Picture = "ecdf"      // the distribution itself, a curve for each point or metric
	Quantiles Picture = "quantiles" // quantiles against the parameter that is varied
	HeatMap   Picture = "heatmap"   // the 99th percentile at each pair of two parameters
)

// Pictures that there are.
var Pictures = []string{string(ECDF), string(Quantiles), string(HeatMap)}

// UsualPicture is that of a sweep over so many parameters.
func UsualPicture(varied int) Picture {
	switch varied {
	case 1:
		return Quantiles
	case 2:
		return HeatMap
	}
	return ECDF
}

// mostCurves that can be told apart.
const mostCurves = 8

// Draw writes a picture of a metric.
func (res *Result) Draw(w io.Writer, format plot.Format, picture Picture, metric string) error {
	m := res.Metric(metric)
	title := fmt.Sprintf("%s: %s", res.Name, metric)
	vary := res.varied()
	switch picture {
	case ECDF:
		series, err := res.series(m)
		if err != nil {
			return err
		}
		label := metric
		if len(vary) == 0 {
			label = "time"
		}
		return plot.ECDF(w, format, title, label, res.Metrics[m].Unit.plotted(), series)
	case Quantiles:
		if len(vary) != 1 {
			return errors.New("quantiles are drawn against one parameter, and this sweep varies " + strconv.Itoa(len(vary)))
		}
		return plot.Quantiles(w, format, title, parameter(vary[0]), metric, res.Metrics[m].Unit.plotted(), res.curves(m))
	case HeatMap:
		if len(vary) != 2 {
			return errors.New("a heat map is over two parameters, and this sweep varies " + strconv.Itoa(len(vary)))
		}
		return res.heatMap(w, format, m, vary)
	}
	return fmt.Errorf("there is no picture %q", picture)
}

// Terminal writes the distribution of a metric with letters.
func (res *Result) Terminal(w io.Writer, wide int, plain bool, metric string) error {
	m := res.Metric(metric)
	series, err := res.series(m)
	if err != nil {
		return err
	}
	if len(res.Points) == 1 { // letters hide each other
		series = []plot.Series{{Name: metric, Values: res.Points[0].Cells[m].Values}}
	}
	const high = 14
	return plot.Terminal(w, wide, high, res.Metrics[m].Unit.plotted(), plain, series)
}

func (u Unit) plotted() plot.Unit {
	if u == Duration {
		return plot.Seconds
	}
	return plot.Count
}

// series are the points; of a sweep that varies nothing, the metrics that have the same
// unit and are not the same as an earlier one.
func (res *Result) series(metric int) (list []plot.Series, err error) {
	if len(res.Points) == 1 {
		for i, m := range res.Metrics {
			if i == metric || m.Unit == res.Metrics[metric].Unit && m.Name != Outage {
				list = append(list, plot.Series{Name: m.Name, Values: res.Points[0].Cells[i].Values})
			}
		}
		return list, nil
	}
	if len(res.Points) > mostCurves {
		return nil, fmt.Errorf("%d curves cannot be told apart: a picture of distributions has %d at most", len(res.Points), mostCurves)
	}
	for i := range res.Points {
		name := strings.Join(res.Identity.Points[i], " ")
		if i == 0 {
			name = "as it is"
		}
		list = append(list, plot.Series{Name: name, Values: res.Points[i].Cells[metric].Values})
	}
	return list, nil
}

// axis is a parameter and its values, in the order of the points.
type axis struct {
	path   string
	values []string
}

// varied are the parameters that points change. The first point, which changes nothing,
// is in no picture of them.
func (res *Result) varied() (list []axis) {
	for _, p := range res.Identity.Points {
		for _, set := range p {
			path, value, _ := strings.Cut(set, "=")
			i := slices.IndexFunc(list, func(a axis) bool { return a.path == path })
			if i < 0 {
				i = len(list)
				list = append(list, axis{path: path})
			}
			if !slices.Contains(list[i].values, value) {
				list[i].values = append(list[i].values, value)
			}
		}
	}
	return list
}

// parameter makes numbers of values if all are: durations in seconds, or plain ones.
func parameter(a axis) plot.Parameter {
	p := plot.Parameter{Label: a.path}
	durations := true
	for _, v := range a.values {
		x, err := topology.ParseDuration(v)
		if err != nil {
			durations = false
			break
		}
		p.Values = append(p.Values, x.Seconds())
	}
	if durations {
		p.Label += " (s)"
		return p
	}
	p.Values = nil
	for _, v := range a.values {
		x, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return plot.Parameter{Label: a.path, Names: a.values}
		}
		p.Values = append(p.Values, x)
	}
	return p
}

func (res *Result) curves(metric int) (list []plot.Curve) {
	for _, q := range []float64{0.5, 0.9, 0.99} {
		c := plot.Curve{Name: "p" + strconv.FormatFloat(100*q, 'f', -1, 64)}
		for i := range res.Points[1:] {
			h := res.Points[i+1].Cells[metric].Values
			c.Points = append(c.Points, plot.Point{Value: h.Quantile(q), Interval: h.QuantileInterval(q, Confidence), None: h.N() == 0})
		}
		list = append(list, c)
	}
	return list
}

func (res *Result) heatMap(w io.Writer, format plot.Format, metric int, vary []axis) error {
	x, y := vary[0], vary[1]
	z := make([][]float64, len(y.values))
	for i := range z {
		z[i] = make([]float64, len(x.values))
		for j := range z[i] {
			z[i][j] = math.NaN()
		}
	}
	value := func(point []string, a axis) int {
		return slices.IndexFunc(a.values, func(v string) bool { return slices.Contains(point, a.path+"="+v) })
	}
	unit, scale := "", 1.0
	if res.Metrics[metric].Unit == Duration {
		unit, scale = "s", 1e9
	}
	for i, p := range res.Identity.Points[1:] {
		if h := res.Points[i+1].Cells[metric].Values; h.N() > 0 {
			z[value(p, y)][value(p, x)] = float64(h.Quantile(0.99)) / scale
		}
	}
	title := fmt.Sprintf("%s: 99th percentile of %s", res.Name, res.Metrics[metric].Name)
	return plot.HeatMap(w, format, title, x.path, y.path, x.values, y.values, z, unit)
}
