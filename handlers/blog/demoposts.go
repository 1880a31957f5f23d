package blog

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"math"
	"time"

	"golang.org/x/image/vector"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/pictures"
	"skychimp/templates"
)

// DemoPosts fills the blog with the articles of the demo, each with a drawn picture, published
// one every few days up to now.
func DemoPosts(ctx context.Context, database *db.DB, media *db.Media, author int64, now time.Time) error {
	posts, err := templates.DemoPosts()
	if err != nil {
		return err
	}
	for i, one := range posts {
		var drawn bytes.Buffer
		if err := png.Encode(&drawn, drawScene(i)); err != nil {
			return err
		}
		name, files, err := pictures.Make(drawn.Bytes())
		if err != nil {
			return err
		}
		for file, content := range files {
			if err := media.Save(ctx, file, pictures.Type(file), content); err != nil {
				return err
			}
		}
		at := now.Add(-time.Duration(len(posts)-i) * 73 * time.Hour)
		post := domain.Post{AuthorID: author, Slug: domain.Slug(one.Title), Title: one.Title, Body: one.Body, Image: name, PublishedAt: &at}
		if err := database.Posts().Create(ctx, &post); err != nil {
			return err
		}
	}
	return nil
}

// drawScene draws a sky with a sun, hills and a paper plane; n chooses the time of day and the place.
func drawScene(n int) image.Image {
	const w, h = 1200, 675
	hours := [][4]color.RGBA{ // sky above, sky below, sun, hills
		{{91, 155, 243, 255}, {205, 226, 255, 255}, {255, 211, 107, 255}, {47, 111, 150, 255}},
		{{246, 150, 105, 255}, {255, 222, 170, 255}, {255, 244, 200, 255}, {122, 62, 92, 255}},
		{{38, 42, 92, 255}, {112, 92, 160, 255}, {240, 240, 250, 255}, {28, 28, 58, 255}},
		{{110, 196, 190, 255}, {226, 246, 224, 255}, {255, 196, 92, 255}, {36, 110, 92, 255}},
		{{141, 123, 238, 255}, {250, 206, 226, 255}, {255, 226, 150, 255}, {84, 66, 150, 255}},
		{{120, 170, 210, 255}, {240, 244, 250, 255}, {250, 232, 190, 255}, {70, 96, 126, 255}},
	}
	colors := hours[n%len(hours)]
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		c := mix(colors[0], colors[1], float64(y)/h)
		for x := range w {
			img.SetRGBA(x, y, c)
		}
	}
	shift := float64(n) * 1.7
	x, y := 280+640*math.Abs(math.Sin(shift)), 130+50*math.Cos(shift)
	fill(img, colors[2], circle(x, y, 58))
	for layer := range 3 {
		hill := [][2]float64{{0, h}}
		for step := 0; step <= w; step += 10 {
			at := float64(step)/260/float64(3-layer)*1.6 + shift + float64(layer)*2.1
			hill = append(hill, [2]float64{float64(step), 470 + 70*float64(layer) + 38*math.Sin(at) + 14*math.Sin(2.7*at)})
		}
		fill(img, mix(colors[1], colors[3], 0.45+0.25*float64(layer)), append(hill, [2]float64{w, h}))
	}
	plane(img, 420+260*math.Cos(shift*1.3), 300+60*math.Sin(shift*2), 1+0.25*math.Sin(shift))
	return img
}

// plane draws a paper plane with its upper wing's edge at (x, y).
func plane(img *image.RGBA, x, y, size float64) {
	wing := func(c color.RGBA, points ...float64) {
		var outline [][2]float64
		for i := 0; i < len(points); i += 2 {
			outline = append(outline, [2]float64{x + size*points[i], y + size*points[i+1]})
		}
		fill(img, c, outline)
	}
	for i := range 9 { // the way behind it
		fill(img, color.RGBA{255, 255, 255, 255}, circle(x-size*(30+26*float64(i)), y+size*(60+34*math.Sin(float64(i)*0.35)), 3.4))
	}
	wing(color.RGBA{255, 255, 255, 255}, 290, -40, 0, 0, 58, 42)
	wing(color.RGBA{195, 214, 243, 255}, 290, -40, 58, 42, 73, 107)
	wing(color.RGBA{157, 184, 226, 255}, 290, -40, 95, 57, 73, 107)
	wing(color.RGBA{238, 244, 253, 255}, 290, -40, 95, 57, 158, 90)
}

func circle(x, y, radius float64) (outline [][2]float64) {
	for i := range 72 {
		sin, cos := math.Sincos(float64(i) * math.Pi / 36)
		outline = append(outline, [2]float64{x + radius*cos, y + radius*sin})
	}
	return outline
}

func fill(img *image.RGBA, c color.RGBA, outline [][2]float64) {
	pen := vector.NewRasterizer(img.Rect.Dx(), img.Rect.Dy())
	for i, point := range outline {
		if i == 0 {
			pen.MoveTo(float32(point[0]), float32(point[1]))
			continue
		}
		pen.LineTo(float32(point[0]), float32(point[1]))
	}
	pen.ClosePath()
	pen.Draw(img, img.Rect, image.NewUniform(c), image.Point{})
}

// mix is share of b in a.
func mix(a, b color.RGBA, share float64) color.RGBA {
	one := func(a, b uint8) uint8 { return uint8(float64(a)*(1-share) + float64(b)*share) }
	return color.RGBA{one(a.R, b.R), one(a.G, b.G), one(a.B, b.B), 255}
}
