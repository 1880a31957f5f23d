package web

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
