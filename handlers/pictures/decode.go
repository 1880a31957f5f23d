package pictures

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"

	"skychimp/domain"
)

// What a picture may unfold to. Width times height alone would let a strip through of which all that
// works line by line makes gigabytes.
const (
	MaxBytes      = 10 << 20
	picturePixels = 25_000_000
	pictureSide   = 12_000
	pictureMemory = 200 << 20
	pictureScans  = 64 // of a progressive JPEG: each goes over the whole picture
)

// decodePicture looks at the header first: a small file can unfold to gigabytes. It knows the
// kinds of files itself, because any imported package can add more to the image package's.
func decodePicture(upload []byte) (image.Image, error) {
	if len(upload) > MaxBytes {
		return nil, refuse("blog.image_too_large", "Max", MaxBytes>>20)
	}
	var config func(io.Reader) (image.Config, error)
	var decode func(io.Reader) (image.Image, error)
	scans := 0
	switch {
	case bytes.HasPrefix(upload, []byte("\xff\xd8\xff")):
		config, decode, scans = jpeg.DecodeConfig, jpeg.Decode, bytes.Count(upload, []byte("\xff\xda"))
	case bytes.HasPrefix(upload, []byte("\x89PNG\r\n\x1a\n")):
		config, decode = png.DecodeConfig, png.Decode
	case len(upload) > 12 && string(upload[:4]) == "RIFF" && string(upload[8:12]) == "WEBP":
		config, decode = webp.DecodeConfig, webp.Decode
	default:
		return nil, refuse("blog.image_type")
	}
	size, err := config(bytes.NewReader(upload))
	if err != nil || size.Width < 1 || size.Height < 1 {
		return nil, refuse("blog.image_broken")
	}
	if err := fits(size, scans, bytesPerPixel(upload, size.ColorModel)); err != nil {
		return nil, err
	}
	source, err := decode(bytes.NewReader(upload))
	if err != nil {
		return nil, refuse("blog.image_broken")
	}
	return source, nil
}

// fits refuses a picture that would take too much to decode.
func fits(size image.Config, scans int, bytesPerPixel int64) error {
	pixels := int64(size.Width) * int64(size.Height)
	switch {
	case size.Width > pictureSide || size.Height > pictureSide:
		return refuse("blog.image_long", "Max", pictureSide)
	case pixels > picturePixels:
		return refuse("blog.image_pixels", "Max", picturePixels/1_000_000)
	case scans > pictureScans || pixels*bytesPerPixel > pictureMemory:
		return refuse("blog.image_unfolds")
	}
	return nil
}

func refuse(key string, args ...any) error {
	return domain.Errorf(domain.Invalid, "image", key, args...)
}

// bytesPerPixel is about how much decoding takes at most for each pixel.
func bytesPerPixel(upload []byte, model color.Model) int64 {
	switch model {
	case color.RGBA64Model, color.NRGBA64Model, color.Gray16Model:
		return 8
	}
	if !bytes.HasPrefix(upload, []byte("\xff\xd8")) {
		return 4
	}
	samples, progressive := jpegSamples(upload[2:])
	if progressive {
		return samples + 4*samples // all coefficients are kept until the end
	}
	return samples
}

// jpegSamples are the samples of a pixel, rounded up, as the frame's header has them (ITU T.81, B.2.2),
// and whether the picture comes in several scans. It is the most there can be when there is no such header.
func jpegSamples(rest []byte) (samples int64, progressive bool) {
	for len(rest) > 4 && rest[0] == 0xff && rest[1] != 0xda {
		length := int(binary.BigEndian.Uint16(rest[2:]))
		if length < 2 || len(rest) < 2+length {
			break
		}
		if frame := rest[4 : 2+length]; rest[1] >= 0xc0 && rest[1] <= 0xc2 && len(frame) > 6 {
			sum, most := 0, 1
			for part := frame[6:]; len(part) >= 3; part = part[3:] {
				area := int(part[1]>>4) * int(part[1]&15)
				sum, most = sum+area, max(most, area)
			}
			return int64((sum + most - 1) / most), rest[1] == 0xc2
		}
		rest = rest[2+length:]
	}
	return 8, true
}
