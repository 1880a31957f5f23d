package pictures

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"math/rand/v2"
	"regexp"
	"sync"

	"golang.org/x/image/vector"
)

// The size of what is drawn: twice what an email shows.
const drawnWidth, drawnHeight = 1072, 440

// Gallery draws the pictures of the examples, each when it is first asked for.
type Gallery struct {
	mu   sync.Mutex
	made map[string][]byte
}

// DrawnFile is the name of the file of a drawing, its size in it.
func DrawnFile(name string) string { return fmt.Sprintf("%s-%dx%d.png", name, drawnWidth, drawnHeight) }

var drawnFile = regexp.MustCompile(`^([a-z]+)-1072x440\.png$`)

// Read is the file of that name; ok is false where there is no such drawing.
func (g *Gallery) Read(file string) (content []byte, ok bool, err error) {
	parts := drawnFile.FindStringSubmatch(file)
	if parts == nil {
		return nil, false, nil
	}
	scene, ok := scenes()[parts[1]]
	if !ok {
		return nil, false, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.made[file] == nil {
		c := &canvas{image.NewRGBA(image.Rect(0, 0, drawnWidth, drawnHeight))}
		scene(c)
		var out bytes.Buffer
		encoder := png.Encoder{CompressionLevel: png.DefaultCompression}
		if err := encoder.Encode(&out, c.RGBA); err != nil {
			return nil, true, err
		}
		if g.made == nil {
			g.made = map[string][]byte{}
		}
		g.made[file] = out.Bytes()
	}
	return g.made[file], true, nil
}

// scenes are the drawings by the names of the examples.
func scenes() map[string]func(*canvas) {
	return map[string]func(*canvas){"news": drawMorning, "promotion": drawGift, "event": drawEvening, "digest": drawCards,
		"reminder": drawCalendar, "congratulations": drawTulips}
}

// canvas is what shapes are filled on; colours are 0xRRGGBB.
type canvas struct{ *image.RGBA }

func rgb(hex uint32, alpha float32) color.NRGBA {
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), uint8(alpha * 255)}
}

// sky fills everything with one colour above that becomes another below.
func (c *canvas) sky(above, below uint32) {
	for y := range drawnHeight {
		at := float64(y) / drawnHeight
		part := func(shift uint) uint8 {
			a, b := float64(above>>shift&255), float64(below>>shift&255)
			return uint8(math.Round(a + (b-a)*at))
		}
		draw.Draw(c.RGBA, image.Rect(0, y, drawnWidth, y+1), image.NewUniform(color.RGBA{part(16), part(8), part(0), 255}), image.Point{}, draw.Src)
	}
}

// outline is a shape as its points: a rasterizer of the size of the canvas for each would take a minute.
type outline struct {
	points []float32
	kinds  []int // how many points each part has: 1 or 3
	moved  [2]float32
}

func (o *outline) MoveTo(x, y float32) { o.moved = [2]float32{x, y} }

func (o *outline) LineTo(x, y float32) {
	o.points, o.kinds = append(o.points, x, y), append(o.kinds, 1)
}

func (o *outline) CubeTo(ax, ay, bx, by, x, y float32) {
	o.points, o.kinds = append(o.points, ax, ay, bx, by, x, y), append(o.kinds, 3)
}

// bounds holds all points and is within the canvas.
func (o *outline) bounds() image.Rectangle {
	left, top, right, bottom := o.moved[0], o.moved[1], o.moved[0], o.moved[1]
	for i := 0; i < len(o.points); i += 2 {
		left, right = min(left, o.points[i]), max(right, o.points[i])
		top, bottom = min(top, o.points[i+1]), max(bottom, o.points[i+1])
	}
	return image.Rect(int(left)-1, int(top)-1, int(right)+2, int(bottom)+2)
}

func (c *canvas) fill(hex uint32, alpha float32, path func(o *outline)) {
	var o outline
	path(&o)
	area := o.bounds()
	r := vector.NewRasterizer(area.Dx(), area.Dy())
	dx, dy := float32(area.Min.X), float32(area.Min.Y)
	r.MoveTo(o.moved[0]-dx, o.moved[1]-dy)
	for at, i := o.points, 0; i < len(o.kinds); i++ {
		if o.kinds[i] == 1 {
			r.LineTo(at[0]-dx, at[1]-dy)
			at = at[2:]
			continue
		}
		r.CubeTo(at[0]-dx, at[1]-dy, at[2]-dx, at[3]-dy, at[4]-dx, at[5]-dy)
		at = at[6:]
	}
	r.ClosePath()
	mask := image.NewAlpha(image.Rect(0, 0, area.Dx(), area.Dy()))
	r.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	draw.DrawMask(c.RGBA, area, image.NewUniform(rgb(hex, alpha)), image.Point{}, mask, image.Point{}, draw.Over) // clips
}

// round is how far the handles of a Bézier curve are out that draws a quarter of a circle.
const round = 0.5523

// oval is an ellipse turned by an angle.
func (c *canvas) oval(hex uint32, alpha, x, y, rx, ry float32, angle float64) {
	sin, cos := float32(math.Sin(angle)), float32(math.Cos(angle))
	at := func(dx, dy float32) (float32, float32) { return x + dx*cos - dy*sin, y + dx*sin + dy*cos }
	c.fill(hex, alpha, func(r *outline) {
		curve := func(ax, ay, bx, by, ex, ey float32) {
			x1, y1 := at(ax, ay)
			x2, y2 := at(bx, by)
			x3, y3 := at(ex, ey)
			r.CubeTo(x1, y1, x2, y2, x3, y3)
		}
		r.MoveTo(at(rx, 0))
		curve(rx, ry*round, rx*round, ry, 0, ry)
		curve(-rx*round, ry, -rx, ry*round, -rx, 0)
		curve(-rx, -ry*round, -rx*round, -ry, 0, -ry)
		curve(rx*round, -ry, rx, -ry*round, rx, 0)
	})
}

func (c *canvas) circle(hex uint32, x, y, radius float32) { c.oval(hex, 1, x, y, radius, radius, 0) }

// ring is a circle with a hole in a colour.
func (c *canvas) ring(hex, inside uint32, x, y, radius, thick float32) {
	c.circle(hex, x, y, radius)
	c.circle(inside, x, y, radius-thick)
}

func (c *canvas) polygon(hex uint32, alpha float32, points ...float32) {
	c.fill(hex, alpha, func(r *outline) {
		r.MoveTo(points[0], points[1])
		for i := 2; i+1 < len(points); i += 2 {
			r.LineTo(points[i], points[i+1])
		}
	})
}

// box is a rectangle with round corners.
func (c *canvas) box(hex uint32, alpha, x, y, w, h, radius float32) {
	k := radius * (1 - round)
	c.fill(hex, alpha, func(r *outline) {
		r.MoveTo(x+radius, y)
		r.LineTo(x+w-radius, y)
		r.CubeTo(x+w-k, y, x+w, y+k, x+w, y+radius)
		r.LineTo(x+w, y+h-radius)
		r.CubeTo(x+w, y+h-k, x+w-k, y+h, x+w-radius, y+h)
		r.LineTo(x+radius, y+h)
		r.CubeTo(x+k, y+h, x, y+h-k, x, y+h-radius)
		r.LineTo(x, y+radius)
		r.CubeTo(x, y+k, x+k, y, x+radius, y)
	})
}

// hill is a line of heights at equal distances, smooth, filled down to the lower edge.
func (c *canvas) hill(hex uint32, heights ...float32) {
	step := float32(drawnWidth) / float32(len(heights)-1)
	c.fill(hex, 1, func(r *outline) {
		r.MoveTo(0, drawnHeight)
		r.LineTo(0, heights[0])
		for i := 1; i < len(heights); i++ {
			x := step * float32(i)
			r.CubeTo(x-step/2, heights[i-1], x-step/2, heights[i], x, heights[i])
		}
		r.LineTo(drawnWidth, drawnHeight)
	})
}

// confetti is scattered over the upper part, the same each time.
func (c *canvas) confetti(colors ...uint32) {
	random := rand.New(rand.NewPCG(7, 11))
	for i := range 90 {
		x, y := random.Float32()*drawnWidth, random.Float32()*drawnHeight
		turn := random.Float64() * math.Pi
		if i%3 == 0 {
			c.oval(colors[i%len(colors)], 0.9, x, y, 6, 6, 0)
		} else {
			c.oval(colors[i%len(colors)], 0.9, x, y, 10, 4, turn)
		}
	}
}

func drawMorning(c *canvas) {
	c.sky(0xffd9a8, 0xfff3df)
	for i := range 4 {
		c.oval(0xffffff, 0.25, 760, 190, 110+40*float32(3-i), 110+40*float32(3-i), 0)
	}
	c.circle(0xff9f43, 760, 190, 96)
	for _, at := range [][2]float32{{190, 110}, {420, 80}, {980, 90}} {
		c.oval(0xffffff, 0.85, at[0], at[1], 86, 24, 0)
		c.oval(0xffffff, 0.85, at[0]-30, at[1]-18, 44, 26, 0)
		c.oval(0xffffff, 0.85, at[0]+28, at[1]-12, 40, 22, 0)
	}
	c.hill(0x9bc4bc, 260, 200, 270, 220, 290, 250, 280)
	c.hill(0x5d9c8f, 330, 280, 320, 270, 330, 290, 340)
	c.hill(0x2f6f65, 370, 400, 340, 380, 350, 400, 360)
	for _, x := range []float32{120, 168, 214, 850, 905} {
		c.polygon(0x1f5148, 1, x-20, 395, x, 318, x+20, 395)
		c.polygon(0x1f5148, 1, x-15, 360, x, 298, x+15, 360)
	}
	c.polygon(0xffffff, 1, 470, 170, 590, 128, 520, 212)
	c.polygon(0xd8dfe8, 1, 470, 170, 590, 128, 502, 186)
}

func drawGift(c *canvas) {
	c.sky(0xff6f61, 0xff9a76)
	c.confetti(0xffffff, 0xffe082, 0xffccbc, 0xd84343)
	c.oval(0x7a2018, 0.18, 640, 408, 250, 18, 0)
	c.box(0xfff4e6, 1, 460, 210, 360, 196, 14)
	c.box(0xffffff, 1, 440, 168, 400, 66, 12)
	c.box(0xd32f2f, 1, 612, 168, 56, 238, 2)
	c.oval(0xd32f2f, 1, 578, 128, 70, 34, 0.5)
	c.oval(0xd32f2f, 1, 702, 128, 70, 34, -0.5)
	c.oval(0xff8a80, 1, 578, 130, 38, 14, 0.5)
	c.oval(0xff8a80, 1, 702, 130, 38, 14, -0.5)
	c.circle(0xb71c1c, 640, 150, 26)
	c.circle(0x5b1a14, 252, 226, 132)
	c.circle(0xffd54f, 248, 220, 132)
	c.ring(0x5b1a14, 0xffd54f, 206, 178, 36, 14)
	c.ring(0x5b1a14, 0xffd54f, 290, 262, 36, 14)
	c.polygon(0x5b1a14, 1, 288, 146, 308, 158, 210, 294, 190, 282)
}

func drawEvening(c *canvas) {
	c.sky(0x1b1447, 0x5a3591)
	random := rand.New(rand.NewPCG(3, 5))
	for range 45 {
		c.oval(0xffffff, 0.7, random.Float32()*drawnWidth, random.Float32()*260, 2, 2, 0)
	}
	c.circle(0xfff3c4, 536, 70, 44)
	c.circle(0x261951, 556, 60, 38)
	colors := []uint32{0xff6b6b, 0xffd166, 0x06d6a0, 0x4cc9f0, 0xf78fb3}
	line := func(x, low float32) float32 { t := x/drawnWidth*2 - 1; return low - 110*t*t }
	for i := range 18 {
		x := 30 + float32(i)*60
		y := line(x, 150)
		c.polygon(colors[i%len(colors)], 1, x-24, y, x+24, line(x+24, 150), x, y+62)
	}
	for i := range 14 {
		x := 40 + float32(i)*77
		y := line(x, 262)
		c.oval(0xffd166, 0.18, x, y+14, 30, 30, 0)
		c.oval(0xffe9a8, 1, x, y+14, 10, 13, 0)
	}
	c.hill(0x120d33, 380, 352, 372, 340, 368, 350, 384)
	for i, x := range []float32{150, 230, 300, 390, 480, 570, 650, 740, 830, 920} {
		tall := 30 + float32(i*37%40)
		c.circle(0x0b0824, x, 366-tall, 22)
		c.oval(0x0b0824, 1, x, 440-tall/2, 36, 62+tall/2, 0)
	}
}

func drawCards(c *canvas) {
	c.sky(0xdfeafd, 0xf4f8ff)
	tops := []uint32{0x5b8def, 0xf6a04d, 0x5fb98b}
	for i, top := range tops {
		x, y := 96+float32(i)*310, 64+float32(i%2)*20
		c.box(0x2b4a80, 0.10, x+6, y+12, 268, 330, 22)
		c.box(0xffffff, 1, x, y, 268, 330, 22)
		c.box(top, 1, x+18, y+18, 232, 140, 14)
		switch i {
		case 0:
			c.polygon(0xffffff, 0.9, x+40, y+142, x+102, y+62, x+150, y+142)
			c.polygon(0xffffff, 0.65, x+110, y+142, x+168, y+86, x+222, y+142)
			c.circle(0xffe08a, x+200, y+58, 18)
		case 1:
			c.box(0xffffff, 1, x+82, y+66, 92, 72, 16)
			c.ring(0xffffff, top, x+180, y+98, 26, 9)
			c.oval(0xffffff, 0.8, x+112, y+44, 5, 16, 0.3)
			c.oval(0xffffff, 0.8, x+142, y+44, 5, 16, 0.3)
		default:
			for leaf := range 5 {
				angle := -math.Pi/2 + float64(leaf-2)*0.6
				c.oval(0xffffff, 0.9, x+134+float32(math.Cos(angle))*46, y+122+float32(math.Sin(angle))*46, 42, 14, angle)
			}
		}
		c.box(0x2c3e55, 0.85, x+18, y+182, 190, 18, 9)
		for row, width := range []float32{228, 214, 226, 140} {
			c.box(0xc8d3e3, 1, x+18, y+218+float32(row)*24, width, 11, 5)
		}
	}
}

func drawCalendar(c *canvas) {
	c.sky(0x2a9d8f, 0x6ccbb8)
	c.oval(0xffffff, 0.10, 180, 80, 200, 200, 0)
	c.oval(0xffffff, 0.10, 980, 400, 240, 240, 0)
	c.box(0x0d4a43, 0.22, 322, 62, 360, 340, 26)
	c.box(0xffffff, 1, 310, 46, 360, 340, 26)
	c.box(0xe76f51, 1, 310, 46, 360, 92, 26)
	c.box(0xe76f51, 1, 310, 100, 360, 38, 0)
	for _, x := range []float32{400, 580} {
		c.box(0x264653, 1, x-9, 24, 18, 56, 9)
	}
	for row := range 4 {
		for column := range 6 {
			x, y := 350+float32(column)*56, 176+float32(row)*52
			if row == 2 && column == 3 {
				c.circle(0xe76f51, x, y, 26)
				c.polygon(0xffffff, 1, x-13, y, x-8, y-6, x-3, y+2, x+11, y-12, x+16, y-7, x-3, y+13)
				continue
			}
			c.circle(0xcfe3e0, x, y, 13)
		}
	}
	c.circle(0x0d4a43, 748, 306, 96)
	c.circle(0xffffff, 742, 298, 96)
	c.circle(0xf4f1de, 742, 298, 82)
	for hour := range 12 {
		angle := float64(hour) * math.Pi / 6
		c.circle(0x264653, 742+float32(math.Cos(angle))*68, 298+float32(math.Sin(angle))*68, 4)
	}
	c.polygon(0x264653, 1, 738, 300, 738, 246, 746, 246, 746, 300)
	c.polygon(0xe76f51, 1, 740, 294, 786, 318, 782, 326, 738, 302)
	c.circle(0x264653, 742, 298, 8)
}

func drawTulips(c *canvas) {
	c.sky(0xffe3ec, 0xfff6ef)
	c.confetti(0xffb3c7, 0xffd166, 0xffffff, 0xc3e6cb)
	colors := [][2]uint32{{0xe63965, 0xc2184b}, {0xffb703, 0xe69500}, {0xf06595, 0xd6336c}, {0xe63946, 0xb5202d}, {0xb5179e, 0x8a0f78}, {0xff7b54, 0xe2572f}, {0xe63965, 0xc2184b}}
	c.hill(0xbfe3c6, 400, 388, 402, 392, 400)
	for i, pair := range colors {
		x := 116 + float32(i)*140
		top := 150 + float32(i*53%60)
		c.box(0x3c9d5d, 1, x-7, top+60, 14, drawnHeight-top, 6)
		c.oval(0x2f8a4e, 1, x-34, 360, 17, 92, -0.42)
		c.oval(0x4cb06d, 1, x+34, 372, 17, 84, 0.42)
		c.oval(pair[1], 1, x-30, top+20, 27, 64, -0.16)
		c.oval(pair[1], 1, x+30, top+20, 27, 64, 0.16)
		c.oval(pair[0], 1, x, top+22, 33, 70, 0)
		c.oval(pair[0], 1, x, top+58, 50, 34, 0)
		c.oval(0xffffff, 0.22, x-12, top+10, 7, 36, 0.1)
	}
	c.hill(0x9ed3a9, 424, 414, 428, 416, 424)
}
