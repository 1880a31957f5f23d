package web

import (
	"cmp"
	"fmt"
	"strings"
)

const (
	chartStep   = 120  // from one column to the next
	chartBar    = 96   // how wide a bar is; of few columns they are thinner
	chartMany   = 12   // columns
	chartHeight = 1000 // of the drawing
	chartLeast  = 15   // of what there is at all: one failed email of a thousand should be seen
)

// ChartPart is a rectangle in a box of chartHeight that grows downwards. Kind: accepted, failed, deferred, unsent or open.
type ChartPart struct {
	Kind                string
	X, Y, Width, Height int64
}

// Chart is the block ui/chart: columns side by side, whose numbers show under the pointer or the focus and stand in a
// table. Column n of the table is what the n-th key says.
type Chart struct {
	ID      string // names the chart on its page
	Title   string
	Place   string // what the columns are, such as days
	Keys    []ChartKey
	Columns []ChartColumn
	Note    string
	Line    bool // the first key is drawn as a line, and no pile
	Points  string
	Area    string
	Width   int64
}

// ChartKey says what a kind means. Kinds that are only told are drawn in no pile.
type ChartKey struct {
	Kind, Label string
	Told        bool
}

// ChartColumn is one place of a chart, with a number for each key.
type ChartColumn struct {
	Label   string
	Axis    string // what the axis calls it; "": Label
	Numbers []int64
	Parts   []ChartPart
	Side    string // where its numbers have room: start, end or "" for the middle
}

// pile puts the numbers of column i that are drawn on each other, from the bottom up; highest is what fills the box.
func (c Chart) pile(i int, highest int64) (parts []ChartPart) {
	width := chartBar * min(int64(len(c.Columns)), chartMany) / chartMany
	x, y := int64(i)*chartStep+(chartStep-width)/2, int64(chartHeight)
	for k, n := range c.Columns[i].Numbers {
		if n > 0 && !c.Keys[k].Told {
			height := max(chartLeast, chartHeight*n/highest)
			y -= height
			parts = append(parts, ChartPart{c.Keys[k].Kind, x, y, width, height})
		}
	}
	return parts
}

// Said is a number of a column with what it means.
type Said struct {
	Kind, Label string
	N           int64
}

// Say are the numbers of a column with their keys.
func (c Chart) Say(column ChartColumn) (said []Said) {
	for i, n := range column.Numbers {
		said = append(said, Said{c.Keys[i].Kind, c.Keys[i].Label, n})
	}
	return said
}

// First and Last are the ends of the axis.
func (c Chart) First() string { return c.Columns[0].axis() }

// Last is the other end.
func (c Chart) Last() string { return c.Columns[len(c.Columns)-1].axis() }

func (c ChartColumn) axis() string { return cmp.Or(c.Axis, c.Label) }

// Draw draws what was added to Columns; a chart of nothing has none.
func (c *Chart) Draw() {
	highest := int64(0)
	for _, column := range c.Columns {
		sum := int64(0)
		for i, n := range column.Numbers {
			if !c.Keys[i].Told {
				sum += n
			}
		}
		highest = max(highest, sum)
	}
	if highest == 0 {
		c.Columns = nil
		return
	}
	c.Width = int64(len(c.Columns)) * chartStep
	var points []string
	for i := range c.Columns {
		column := &c.Columns[i]
		switch {
		case 3*i < len(c.Columns):
			column.Side = "start"
		case 3*i >= 2*len(c.Columns):
			column.Side = "end"
		}
		if c.Line {
			points = append(points, fmt.Sprintf("%d,%d", int64(i)*chartStep+chartStep/2, chartHeight-chartHeight*column.Numbers[0]/highest))
			continue
		}
		column.Parts = c.pile(i, highest)
	}
	c.Points = strings.Join(points, " ")
	c.Area = fmt.Sprintf("%d,%d %s %d,%d", chartStep/2, chartHeight, c.Points, c.Width-chartStep/2, chartHeight)
}
