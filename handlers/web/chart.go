package web

import (
	"fmt"
	"strings"
)

// A chart has room for ChartBars bars.
const (
	ChartBars   = 12
	ChartStep   = 10   // from one bar to the next
	ChartHeight = 1000 // of the drawing
	chartLeast  = 15   // of what there is at all: one failed email of a thousand should be seen
)

// ChartPart is a rectangle in a box of ChartHeight that grows downwards. Kind: accepted, failed,
// deferred, unsent or open.
type ChartPart struct {
	Kind         string
	X, Y, Height int64
}

// ChartShare is what a pile has of one kind.
type ChartShare struct {
	Kind string
	N    int64
}

// Stack puts shares on each other, from the bottom up; highest is what fills the box.
func Stack(x, highest int64, shares []ChartShare) (parts []ChartPart) {
	y := int64(ChartHeight)
	for _, share := range shares {
		if share.N > 0 {
			height := max(chartLeast, ChartHeight*share.N/highest)
			y -= height
			parts = append(parts, ChartPart{share.Kind, x, y, height})
		}
	}
	return parts
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
	Numbers []int64
	Parts   []ChartPart
	Side    string // where its numbers have room: start, end or "" for the middle
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
func (c Chart) First() string { return c.Columns[0].Label }

// Last is the other end.
func (c Chart) Last() string { return c.Columns[len(c.Columns)-1].Label }

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
	c.Width = int64(len(c.Columns)) * ChartStep
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
			points = append(points, fmt.Sprintf("%d,%d", int64(i)*ChartStep+ChartStep/2, ChartHeight-ChartHeight*column.Numbers[0]/highest))
			continue
		}
		var shares []ChartShare
		for k, n := range column.Numbers {
			if !c.Keys[k].Told {
				shares = append(shares, ChartShare{c.Keys[k].Kind, n})
			}
		}
		column.Parts = Stack(int64(i)*ChartStep+1, highest, shares)
	}
	c.Points = strings.Join(points, " ")
	c.Area = fmt.Sprintf("%d,%d %s %d,%d", ChartStep/2, ChartHeight, c.Points, c.Width-ChartStep/2, ChartHeight)
}
