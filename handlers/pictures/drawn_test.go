package pictures

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// The drawings of the examples are small, of the size that their names tell, and the same each time. With DRAWN set they
// are written there, to be looked at.
func TestDrawn(t *testing.T) {
	var g, other Gallery
	for name := range scenes() {
		content, ok, err := g.Read(DrawnFile(name))
		if err != nil || !ok || len(content) > 70_000 {
			t.Errorf("%s: %v %v, %d bytes", name, ok, err, len(content))
		}
		size, err := png.DecodeConfig(bytes.NewReader(content))
		if err != nil || size.Width != drawnWidth || size.Height != drawnHeight {
			t.Error(name, size, err)
		}
		t.Log(name, len(content))
		if folder := os.Getenv("DRAWN"); folder != "" {
			if err := os.WriteFile(filepath.Join(folder, name+".png"), content, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
	once, _, _ := g.Read(DrawnFile("digest"))
	if again, _, _ := other.Read(DrawnFile("digest")); !bytes.Equal(once, again) {
		t.Error("another one comes out")
	}
	for _, wrong := range []string{"news", "news-1x1.png", "other-1072x440.png", "../news-1072x440.png"} {
		if _, ok, err := g.Read(wrong); ok || err != nil {
			t.Error(wrong, err)
		}
	}
}
