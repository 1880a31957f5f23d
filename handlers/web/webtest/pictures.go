package webtest

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

// Quarters is a picture with a red upper left and a blue lower right quarter on white.
func Quarters(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{255, 255, 255, 255}
			switch {
			case x < w/2 && y < h/2:
				c = color.NRGBA{220, 0, 0, 255}
			case x >= w/2 && y >= h/2:
				c = color.NRGBA{0, 0, 220, 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// JPEG is the picture as a file.
func JPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// PNG is the picture as a file.
func PNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Exif is an EXIF block with an orientation, a place and the maker of the camera.
func Exif(order binary.ByteOrder, orientation uint16) []byte {
	head := "II*\x00"
	if order == binary.BigEndian {
		head = "MM\x00*"
	}
	out := bytes.NewBufferString(head)
	put := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(out, order, v)
		}
	}
	put(uint32(8), uint16(3))
	put(uint16(271), uint16(2), uint32(8), uint32(50))                                  // maker, at 50
	put(uint16(274), uint16(3), uint32(1), orientation, uint16(0))                      // orientation
	put(uint16(0x8825), uint16(4), uint32(1), uint32(58))                               // GPS directory, at 58
	put(uint32(0))                                                                      // no more directories
	out.WriteString("SpyCam\x00\x00")                                                   // 50
	put(uint16(1), uint16(1), uint16(2), uint32(2), []byte("N\x00\x00\x00"), uint32(0)) // latitude: north
	return out.Bytes()
}

// WithExif puts the block behind the first two bytes, where cameras put it.
func WithExif(file, block []byte) []byte {
	segment := append([]byte("Exif\x00\x00"), block...)
	head := []byte{0xff, 0xe1, 0, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(len(segment)+2))
	return bytes.Join([][]byte{file[:2], head, segment, file[2:]}, nil)
}

// PNGHeader is a PNG that claims a size and ends there.
func PNGHeader(w, h uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, w)
	chunk = binary.BigEndian.AppendUint32(chunk, h)
	chunk = append(chunk, 8, 2, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), chunk...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
}
