package handlers

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"strings"
	"testing"

	"skychimp/domain"
)

// quarters is a picture with a red upper left and a blue lower right quarter on white.
func quarters(w, h int) *image.NRGBA {
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

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// exif is an EXIF block with an orientation, a place and the maker of the camera.
func exif(order binary.ByteOrder, orientation uint16) []byte {
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

// withExif puts the block behind the first two bytes, where cameras put it.
func withExif(file, block []byte) []byte {
	segment := append([]byte("Exif\x00\x00"), block...)
	head := []byte{0xff, 0xe1, 0, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(len(segment)+2))
	return bytes.Join([][]byte{file[:2], head, segment, file[2:]}, nil)
}

// pngHeader is a PNG that claims a size and ends there.
func pngHeader(w, h uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, w)
	chunk = binary.BigEndian.AppendUint32(chunk, h)
	chunk = append(chunk, 8, 2, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), chunk...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
}

func TestMakePictureRefuses(t *testing.T) {
	whole := jpegOf(t, quarters(200, 100))
	var animation bytes.Buffer
	if err := gif.Encode(&animation, quarters(10, 10), nil); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, key string
		file      []byte
	}{
		{"nothing", "posts.image_type", nil},
		{"GIF", "posts.image_type", animation.Bytes()},
		{"SVG", "posts.image_type", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)},
		{"HTML", "posts.image_type", []byte("<!doctype html><script>alert(1)</script>")},
		{"HTML behind the first bytes of a JPEG", "posts.image_broken", []byte("\xff\xd8\xff<script>alert(1)</script>")},
		{"truncated JPEG", "posts.image_broken", whole[:len(whole)/2]},
		{"truncated PNG", "posts.image_broken", pngOf(t, quarters(200, 100))[:120]},
		{"truncated WebP", "posts.image_broken", fixture(t, "opaque.webp")[:400]},
		{"10 MB and a byte", "posts.image_too_large", append(bytes.Clone(whole), make([]byte, pictureBytes+1-len(whole))...)},
		{"26 megapixels, by the header", "posts.image_pixels", pngHeader(6500, 4000)},
		{"ten thousand megapixels", "posts.image_pixels", pngHeader(100_000, 100_000)},
		{"no width", "posts.image_broken", pngHeader(0, 10)},
		{"25 megapixels, but only a header", "posts.image_broken", pngHeader(6250, 4000)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := makePicture(test.file)
			refusal, ok := err.(*domain.Error)
			if !ok || refusal.Key != test.key || refusal.Field != "image" {
				t.Errorf("%v, want %s", err, test.key)
			}
		})
	}
}

func TestMakePictureWidths(t *testing.T) {
	glass := quarters(100, 100)
	glass.SetNRGBA(3, 3, color.NRGBA{})
	tests := []struct {
		name         string
		file         []byte
		kind         string
		large, small image.Point
	}{
		{"wide JPEG", jpegOf(t, quarters(2400, 1200)), ".jpg", image.Pt(1200, 600), image.Pt(600, 300)},
		{"small JPEG stays", jpegOf(t, quarters(100, 80)), ".jpg", image.Pt(100, 80), image.Pt(100, 80)},
		{"between", pngOf(t, quarters(900, 300)), ".jpg", image.Pt(900, 300), image.Pt(600, 200)},
		{"very high", pngOf(t, quarters(40, 6000)), ".jpg", image.Pt(16, 2400), image.Pt(8, 1200)},
		{"very wide", pngOf(t, quarters(6000, 2)), ".jpg", image.Pt(1200, 1), image.Pt(600, 1)},
		{"transparent PNG", pngOf(t, glass), ".png", image.Pt(100, 100), image.Pt(100, 100)},
		{"WebP", fixture(t, "opaque.webp"), ".jpg", image.Pt(320, 200), image.Pt(320, 200)},
		{"transparent WebP", fixture(t, "transparent.webp"), ".png", image.Pt(320, 200), image.Pt(320, 200)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			name, files, err := makePicture(test.file)
			if err != nil {
				t.Fatal(err)
			}
			if !pictureName.MatchString(name) || !strings.HasSuffix(name, test.kind) || len(files) != 2 {
				t.Errorf("%s with %d files", name, len(files))
			}
			for width, want := range map[int]image.Point{pictureLarge: test.large, pictureSmall: test.small} {
				file := pictureFile(name, width)
				if got := decoded(t, files[file]).Bounds().Size(); got != want || !mediaName.MatchString(file) {
					t.Errorf("%s is %v, want %v", file, got, want)
				}
			}
		})
	}
}

func decoded(t *testing.T, file []byte) image.Image {
	t.Helper()
	img, err := decodePicture(file)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestMakePictureForgets: no place, no camera, and no script that was hidden behind the picture.
func TestMakePictureForgets(t *testing.T) {
	file := withExif(jpegOf(t, quarters(64, 64)), exif(binary.LittleEndian, 1))
	file = append(file, "<script>alert(1)</script>"...)
	_, files, err := makePicture(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, made := range files {
		for _, trace := range []string{"Exif", "SpyCam", "script"} {
			if bytes.Contains(made, []byte(trace)) {
				t.Errorf("%s holds %s", name, trace)
			}
		}
	}
}

// TestMakePictureUpright: where the red and the blue quarter lie after each orientation, as the
// corners upper left, upper right, lower left, lower right.
func TestMakePictureUpright(t *testing.T) {
	for orientation, want := range map[uint16]string{
		1: "R  B", 2: " RB ", 3: "B  R", 4: " BR ", 5: "R  B", 6: " RB ", 7: "B  R", 8: " BR ", 9: "R  B",
	} {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			file := withExif(jpegOf(t, quarters(80, 40)), exif(order, orientation))
			name, files, err := makePicture(file)
			if err != nil {
				t.Fatal(err)
			}
			img := decoded(t, files[pictureFile(name, pictureLarge)])
			size, wide := img.Bounds().Size(), image.Pt(80, 40)
			if orientation >= 5 && orientation <= 8 {
				wide = image.Pt(40, 80)
			}
			var got strings.Builder
			for _, at := range []image.Point{{1, 1}, {3, 1}, {1, 3}, {3, 3}} {
				r, g, b, _ := img.At(size.X*at.X/4, size.Y*at.Y/4).RGBA()
				switch {
				case r > 2*g && r > 2*b:
					got.WriteByte('R')
				case b > 2*g && b > 2*r:
					got.WriteByte('B')
				default:
					got.WriteByte(' ')
				}
			}
			if got.String() != want || size != wide {
				t.Errorf("orientation %d: %q %v, want %q %v", orientation, got.String(), size, want, wide)
			}
		}
	}
}

func TestExifOrientationOfChunks(t *testing.T) {
	block := exif(binary.BigEndian, 6)
	inPNG := pngHeader(1, 1)
	inPNG = binary.BigEndian.AppendUint32(inPNG, uint32(len(block)))
	inPNG = append(append(append(inPNG, "eXIf"...), block...), 0, 0, 0, 0, 0)
	inWebP := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x03\x00\x00\x00abc\x00EXIF"), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(inWebP[len(inWebP)-4:], uint32(len(block)))
	for name, file := range map[string][]byte{"PNG": inPNG, "WebP": append(inWebP, block...)} {
		if got := exifOrientation(file); got != 6 {
			t.Errorf("%s: %d", name, got)
		}
	}
}

func FuzzExifOrientation(f *testing.F) {
	f.Add(withExif([]byte("\xff\xd8\xff\xda"), exif(binary.LittleEndian, 6)))
	f.Add(pngHeader(3, 3))
	f.Add([]byte("RIFF\x10\x00\x00\x00WEBPEXIF\x04\x00\x00\x00II*\x00"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if got := exifOrientation(file); got < 1 || got > 8 {
			t.Errorf("orientation %d", got)
		}
	})
}

func BenchmarkMakePicture(b *testing.B) {
	img := quarters(6000, 4000)
	for name, file := range map[string][]byte{"JPEG": jpegOf(b, img), "PNG": pngOf(b, img)} {
		b.Run(name+"/24MP", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := makePicture(file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
