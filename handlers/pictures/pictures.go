// Package pictures makes pictures that people upload small, upright and free of what cameras write into them.
package pictures

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"path"
	"regexp"
	"strings"

	"golang.org/x/image/draw"
)

// The widths of pictures, and what one for an email weighs at most.
const (
	Small = 600 // px wide at most: cards and lists
	Large = 1200
	light = 200_000 // bytes of a picture in an email at most
)

// fileName is the name of a picture's file: hash, width, height if it is for emails, kind. pictureName is that of the
// picture as a post holds it, without the width.
var (
	fileName    = regexp.MustCompile(`^[0-9a-f]{32}-[0-9]{1,4}(x[0-9]{1,4})?\.(jpg|png)$`)
	pictureName = regexp.MustCompile(`^[0-9a-f]{32}\.(jpg|png)$`)
)

// IsFile tells the name of a picture's file, of any size.
func IsFile(name string) bool { return fileName.MatchString(name) }

// IsName tells the name of a picture without a width.
func IsName(name string) bool { return pictureName.MatchString(name) }

// Type is the media type of a picture's file.
func Type(file string) string {
	if path.Ext(file) == ".png" {
		return "image/png"
	}
	return "image/jpeg"
}

// File is the name of the file of a picture in one width.
func File(name string, width int) string {
	kind := path.Ext(name)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, kind), width, kind)
}

// Make decodes an upload and draws it anew in two widths, upright. Nothing of the file
// is left but what it shows. It takes up to 250 MB: one at a time.
func Make(upload []byte) (name string, files map[string][]byte, err error) {
	source, err := decodePicture(upload)
	if err != nil {
		return "", nil, err
	}
	large := upright(source, exifOrientation(upload), Large)
	small := upright(large, 1, Small)
	kind := ".jpg"
	if !large.Opaque() {
		kind = ".png"
	}
	files = map[string][]byte{}
	var first []byte
	for _, one := range []struct {
		width int
		image *image.RGBA
	}{{Large, large}, {Small, small}} {
		var out bytes.Buffer
		if kind == ".png" {
			err = png.Encode(&out, one.image)
		} else {
			err = jpeg.Encode(&out, one.image, &jpeg.Options{Quality: 82})
		}
		if err != nil {
			return "", nil, err
		}
		if first == nil {
			first = out.Bytes()
			hash := sha256.Sum256(first)
			name = hex.EncodeToString(hash[:16]) + kind
		}
		files[File(name, one.width)] = out.Bytes()
	}
	return name, files, nil
}

// ForEmail is Make for an email: one file, whose name tells its size, of at most 200 kB.
func ForEmail(upload []byte) (file string, content []byte, err error) {
	source, err := decodePicture(upload)
	if err != nil {
		return "", nil, err
	}
	shown := upright(source, exifOrientation(upload), Large)
	for _, width := range []int{Large, 1000, 800, Small, 400, 200} {
		shown = upright(shown, 1, width)
		for _, quality := range []int{85, 75, 62} {
			if file, content, err = encode(shown, quality); err != nil || len(content) <= light {
				return file, content, err
			}
		}
	}
	return file, content, err
}

// encode is a file with its name: JPEG, or PNG where it is transparent.
func encode(shown *image.RGBA, quality int) (file string, content []byte, err error) {
	var out bytes.Buffer
	kind := ".jpg"
	if shown.Opaque() {
		err = jpeg.Encode(&out, shown, &jpeg.Options{Quality: quality})
	} else {
		kind, err = ".png", png.Encode(&out, shown)
	}
	hash := sha256.Sum256(out.Bytes())
	return fmt.Sprintf("%x-%dx%d%s", hash[:16], shown.Rect.Dx(), shown.Rect.Dy(), kind), out.Bytes(), err
}

// upright turns a picture as its orientation says (EXIF 2.32, 4.6.4, tag 274) and makes it at
// most width wide and twice as high.
func upright(source image.Image, orientation, width int) *image.RGBA {
	size := source.Bounds().Size()
	w, h := size.X, size.Y
	if orientation > 4 {
		w, h = h, w
	}
	factor := min(1, float64(width)/float64(w), float64(2*width)/float64(h))
	scaled := image.NewRGBA(image.Rect(0, 0,
		max(1, int(float64(size.X)*factor+0.5)), max(1, int(float64(size.Y)*factor+0.5))))
	source = halved(source, scaled.Rect.Size())
	draw.ApproxBiLinear.Scale(scaled, scaled.Bounds(), source, source.Bounds(), draw.Src, nil)
	return turned(scaled, orientation)
}

// halved halves a picture until it is less than twice as large as wanted, so that four pixels are
// enough to make one of. Kernels that look at more keep 32 bytes of each pixel of a column.
func halved(source image.Image, wanted image.Point) image.Image {
	for size := source.Bounds().Size(); size.X >= 2*wanted.X && size.Y >= 2*wanted.Y; {
		size = size.Div(2)
		half := image.NewRGBA(image.Rectangle{Max: size})
		draw.ApproxBiLinear.Scale(half, half.Rect, source, source.Bounds(), draw.Src, nil)
		source = half
	}
	return source
}

func turned(scaled *image.RGBA, orientation int) *image.RGBA {
	if orientation < 2 {
		return scaled
	}
	w, h := scaled.Rect.Dx(), scaled.Rect.Dy()
	turned := image.NewRGBA(image.Rect(0, 0, w, h))
	if orientation > 4 {
		turned = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			left, up := x, y // where this pixel goes
			switch orientation {
			case 2:
				left = w - 1 - x
			case 3:
				left, up = w-1-x, h-1-y
			case 4:
				up = h - 1 - y
			case 5:
				left, up = y, x
			case 6:
				left, up = h-1-y, x
			case 7:
				left, up = h-1-y, w-1-x
			case 8:
				left, up = y, w-1-x
			}
			turned.SetRGBA(left, up, scaled.RGBAAt(x, y))
		}
	}
	return turned
}
