package pictures

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"skychimp/domain"
	"skychimp/handlers/web/webtest"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile("../blog/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestMakePictureRefuses(t *testing.T) {
	whole := webtest.JPEG(t, webtest.Quarters(200, 100))
	var animation bytes.Buffer
	if err := gif.Encode(&animation, webtest.Quarters(10, 10), nil); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, key string
		file      []byte
	}{
		{"nothing", "blog.image_type", nil},
		{"GIF", "blog.image_type", animation.Bytes()},
		{"SVG", "blog.image_type", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)},
		{"HTML", "blog.image_type", []byte("<!doctype html><script>alert(1)</script>")},
		{"HTML behind the first bytes of a JPEG", "blog.image_broken", []byte("\xff\xd8\xff<script>alert(1)</script>")},
		{"truncated JPEG", "blog.image_broken", whole[:len(whole)/2]},
		{"truncated PNG", "blog.image_broken", webtest.PNG(t, webtest.Quarters(200, 100))[:120]},
		{"truncated WebP", "blog.image_broken", fixture(t, "opaque.webp")[:400]},
		{"10 MB and a byte", "blog.image_too_large", append(bytes.Clone(whole), make([]byte, MaxBytes+1-len(whole))...)},
		{"26 megapixels, by the header", "blog.image_pixels", webtest.PNGHeader(6500, 4000)},
		{"ten thousand megapixels", "blog.image_long", webtest.PNGHeader(100_000, 100_000)},
		{"no width", "blog.image_broken", webtest.PNGHeader(0, 10)},
		{"a strip of 25 megapixels", "blog.image_long", webtest.PNGHeader(1, 24_999_999)},
		{"a strip on its side", "blog.image_long", webtest.PNGHeader(24_999_999, 1)},
		{"25 megapixels, all scans at once", "blog.image_unfolds", jpegHeader(0xc2, 5000, 5000, 0x11, 0x11, 0x11)},
		{"25 megapixels in four colours, all scans at once", "blog.image_unfolds", jpegHeader(0xc2, 5000, 5000, 0x22, 0x11, 0x11, 0x22)},
		{"scan upon scan", "blog.image_unfolds", append(jpegHeader(0xc2, 1000, 1000, 0x11), bytes.Repeat([]byte("\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"), 100_000)...)},
		{"24 megapixels at once, but only a header", "blog.image_broken", jpegHeader(0xc0, 6000, 4000, 0x22, 0x11, 0x11)},
		{"12 megapixels scan by scan, but only a header", "blog.image_broken", jpegHeader(0xc2, 4000, 3000, 0x22, 0x11, 0x11)},
		{"a strip of WebP", "blog.image_long", []byte("RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x7e")},
		{"25 megapixels, but only a header", "blog.image_broken", webtest.PNGHeader(6250, 4000)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Make(test.file)
			refusal, ok := err.(*domain.Error)
			if !ok || refusal.Key != test.key || refusal.Field != "image" {
				t.Errorf("%v, want %s", err, test.key)
			}
		})
	}
}

// jpegHeader is the head of a JPEG with a frame of this kind and the sampling of its colours, and no picture.
func jpegHeader(kind byte, w, h uint16, sampling ...byte) []byte {
	frame := []byte{8}
	frame = binary.BigEndian.AppendUint16(frame, h)
	frame = binary.BigEndian.AppendUint16(frame, w)
	frame = append(frame, byte(len(sampling)))
	for i, one := range sampling {
		frame = append(frame, byte(i+1), one, 0)
	}
	out := append([]byte("\xff\xd8\xff"), kind)
	out = append(binary.BigEndian.AppendUint16(out, uint16(len(frame)+2)), frame...)
	return append(out, "\xff\xda\x00\x02"...)
}

// Each picture that is taken is made with little more than it takes to open it, however it lies.
func TestPicturesOfAllShapes(t *testing.T) {
	for _, size := range []image.Point{{1, 12_000}, {12_000, 1}, {2000, 12_000}, {12_000, 2000}, {5000, 5000}, {1, 1}, {1201, 2401}, {2400, 3}} {
		file := webtest.PNG(t, image.NewGray(image.Rectangle{Max: size}))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		name, files, err := Make(file)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Errorf("%v: %v", size, err)
			continue
		}
		if taken := (after.TotalAlloc - before.TotalAlloc) >> 20; taken > 100 {
			t.Errorf("%v took %d MB", size, taken)
		}
		if large := decoded(t, files[File(name, Large)]).Bounds().Size(); large.X > Large || large.Y > 2*Large {
			t.Errorf("%v becomes %v", size, large)
		}
	}
}

func TestMakePictureWidths(t *testing.T) {
	glass := webtest.Quarters(100, 100)
	glass.SetNRGBA(3, 3, color.NRGBA{})
	tests := []struct {
		name         string
		file         []byte
		kind         string
		large, small image.Point
	}{
		{"wide JPEG", webtest.JPEG(t, webtest.Quarters(2400, 1200)), ".jpg", image.Pt(1200, 600), image.Pt(600, 300)},
		{"small JPEG stays", webtest.JPEG(t, webtest.Quarters(100, 80)), ".jpg", image.Pt(100, 80), image.Pt(100, 80)},
		{"between", webtest.PNG(t, webtest.Quarters(900, 300)), ".jpg", image.Pt(900, 300), image.Pt(600, 200)},
		{"very high", webtest.PNG(t, webtest.Quarters(40, 6000)), ".jpg", image.Pt(16, 2400), image.Pt(8, 1200)},
		{"very wide", webtest.PNG(t, webtest.Quarters(6000, 2)), ".jpg", image.Pt(1200, 1), image.Pt(600, 1)},
		{"transparent PNG", webtest.PNG(t, glass), ".png", image.Pt(100, 100), image.Pt(100, 100)},
		{"WebP", fixture(t, "opaque.webp"), ".jpg", image.Pt(320, 200), image.Pt(320, 200)},
		{"transparent WebP", fixture(t, "transparent.webp"), ".png", image.Pt(320, 200), image.Pt(320, 200)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			name, files, err := Make(test.file)
			if err != nil {
				t.Fatal(err)
			}
			if !pictureName.MatchString(name) || !strings.HasSuffix(name, test.kind) || len(files) != 2 {
				t.Errorf("%s with %d files", name, len(files))
			}
			for width, want := range map[int]image.Point{Large: test.large, Small: test.small} {
				file := File(name, width)
				if got := decoded(t, files[file]).Bounds().Size(); got != want || !fileName.MatchString(file) {
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
	file := webtest.WithExif(webtest.JPEG(t, webtest.Quarters(64, 64)), webtest.Exif(binary.LittleEndian, 1))
	file = append(file, "<script>alert(1)</script>"...)
	_, files, err := Make(file)
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
			file := webtest.WithExif(webtest.JPEG(t, webtest.Quarters(80, 40)), webtest.Exif(order, orientation))
			name, files, err := Make(file)
			if err != nil {
				t.Fatal(err)
			}
			img := decoded(t, files[File(name, Large)])
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
	block := webtest.Exif(binary.BigEndian, 6)
	inPNG := webtest.PNGHeader(1, 1)
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
	f.Add(webtest.WithExif([]byte("\xff\xd8\xff\xda"), webtest.Exif(binary.LittleEndian, 6)))
	f.Add(webtest.PNGHeader(3, 3))
	f.Add([]byte("RIFF\x10\x00\x00\x00WEBPEXIF\x04\x00\x00\x00II*\x00"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if got := exifOrientation(file); got < 1 || got > 8 {
			t.Errorf("orientation %d", got)
		}
	})
}

func BenchmarkMakePicture(b *testing.B) {
	img := webtest.Quarters(6000, 4000)
	for name, file := range map[string][]byte{"JPEG": webtest.JPEG(b, img), "PNG": webtest.PNG(b, img)} {
		b.Run(name+"/24MP", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Make(file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestForEmail(t *testing.T) {
	noise := image.NewNRGBA(image.Rect(0, 0, 2400, 1800))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise.Pix {
		noise.Pix[i] = byte(random.IntN(256)) | byte(255*(i%4/3))
	}
	glass := webtest.Quarters(300, 200)
	glass.SetNRGBA(0, 0, color.NRGBA{})
	for _, test := range []struct {
		name string
		file []byte
		kind string
		w, h int
	}{
		{"camera", webtest.WithExif(webtest.JPEG(t, webtest.Quarters(3000, 2000)), webtest.Exif(binary.BigEndian, 6)), ".jpg", 1200, 1800},
		{"small", webtest.JPEG(t, webtest.Quarters(300, 200)), ".jpg", 300, 200},
		{"transparent", webtest.PNG(t, glass), ".png", 300, 200},
		{"noise", webtest.JPEG(t, noise), ".jpg", 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			file, content, err := ForEmail(test.file)
			if err != nil || len(content) > light || !IsFile(file) || !strings.HasSuffix(file, test.kind) || bytes.Contains(content, []byte("SpyCam")) {
				t.Fatal(file, len(content), err)
			}
			size := decoded(t, content).Bounds().Size()
			if !strings.Contains(file, fmt.Sprintf("-%dx%d.", size.X, size.Y)) || test.w != 0 && size != image.Pt(test.w, test.h) {
				t.Error(file, size)
			}
		})
	}
}
