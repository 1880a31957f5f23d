package blog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"path"
	"regexp"
	"strings"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"skychimp/domain"
)

const (
	pictureBytes  = 10 << 20
	picturePixels = 25_000_000
	pictureSmall  = 600 // px wide at most: cards and lists
	pictureLarge  = 1200
)

// mediaName is the name of a picture's file: hash, width, kind. pictureName is that of the
// picture as a post holds it, without the width.
var (
	mediaName   = regexp.MustCompile(`^([0-9a-f]{32})-(600|1200)\.(jpg|png)$`)
	pictureName = regexp.MustCompile(`^([0-9a-f]{32})\.(jpg|png)$`)
)

// pictureFile is the name of the file of a picture in one width.
func pictureFile(name string, width int) string {
	kind := path.Ext(name)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, kind), width, kind)
}

// makePicture decodes an upload and draws it anew in two widths, upright. Nothing of the file
// is left but what it shows. It takes up to 400 MB: one at a time.
func makePicture(upload []byte) (name string, files map[string][]byte, err error) {
	source, err := decodePicture(upload)
	if err != nil {
		return "", nil, err
	}
	large := upright(source, exifOrientation(upload), pictureLarge)
	small := upright(large, 1, pictureSmall)
	kind := ".jpg"
	if !large.Opaque() {
		kind = ".png"
	}
	files = map[string][]byte{}
	var first []byte
	for _, one := range []struct {
		width int
		image *image.RGBA
	}{{pictureLarge, large}, {pictureSmall, small}} {
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
		files[pictureFile(name, one.width)] = out.Bytes()
	}
	return name, files, nil
}

// decodePicture looks at the header first: a small file can unfold to gigabytes. It knows the
// kinds of files itself, because any imported package can add more to the image package's.
func decodePicture(upload []byte) (image.Image, error) {
	if len(upload) > pictureBytes {
		return nil, refusePicture("blog.image_too_large", "Max", pictureBytes>>20)
	}
	var config func(io.Reader) (image.Config, error)
	var decode func(io.Reader) (image.Image, error)
	switch {
	case bytes.HasPrefix(upload, []byte("\xff\xd8\xff")):
		config, decode = jpeg.DecodeConfig, jpeg.Decode
	case bytes.HasPrefix(upload, []byte("\x89PNG\r\n\x1a\n")):
		config, decode = png.DecodeConfig, png.Decode
	case len(upload) > 12 && string(upload[:4]) == "RIFF" && string(upload[8:12]) == "WEBP":
		config, decode = webp.DecodeConfig, webp.Decode
	default:
		return nil, refusePicture("blog.image_type")
	}
	size, err := config(bytes.NewReader(upload))
	if err != nil || size.Width < 1 || size.Height < 1 {
		return nil, refusePicture("blog.image_broken")
	}
	if int64(size.Width)*int64(size.Height) > picturePixels {
		return nil, refusePicture("blog.image_pixels", "Max", picturePixels/1_000_000)
	}
	source, err := decode(bytes.NewReader(upload))
	if err != nil {
		return nil, refusePicture("blog.image_broken")
	}
	return source, nil
}

func refusePicture(key string, args ...any) error {
	return domain.Errorf(domain.Invalid, "image", key, args...)
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
	if factor == 1 {
		draw.Copy(scaled, image.Point{}, source, source.Bounds(), draw.Src, nil)
	} else {
		draw.CatmullRom.Scale(scaled, scaled.Bounds(), source, source.Bounds(), draw.Src, nil)
	}
	if orientation < 2 {
		return scaled
	}
	w, h = scaled.Rect.Dx(), scaled.Rect.Dy()
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
