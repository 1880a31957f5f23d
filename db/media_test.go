package db_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/domain"
)

func TestMedia(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "with space", "media")
	media, err := db.OpenMedia(t.Context(), "", folder)
	if err != nil {
		t.Fatal(err)
	}
	defer media.Close()
	for _, name := range []string{"old.jpg", "old-but-used.jpg", "new.jpg"} {
		if err := media.Save(t.Context(), name, "image/jpeg", []byte("content of "+name)); err != nil {
			t.Fatal(err)
		}
	}
	file, size, err := media.Open(t.Context(), "new.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if content, err := io.ReadAll(file); err != nil || string(content) != "content of new.jpg" || size != int64(len(content)) {
		t.Errorf("%q of %d, %v", content, size, err)
	}
	for _, name := range []string{"missing.jpg", "../media/new.jpg", ""} {
		if _, _, err := media.Open(t.Context(), name); name != "" && domain.KindOf(err) != domain.NotFound {
			t.Errorf("%q: %v", name, err)
		}
	}
	past := time.Now().Add(-48 * time.Hour)
	for _, name := range []string{"old.jpg", "old-but-used.jpg"} {
		if err := os.Chtimes(filepath.Join(folder, name), past, past); err != nil {
			t.Fatal(err)
		}
	}
	err = media.Sweep(t.Context(), time.Now().Add(-24*time.Hour), func(name string) bool { return strings.Contains(name, "used") })
	if err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 2 || left[0].Name() != "new.jpg" || left[1].Name() != "old-but-used.jpg" {
		t.Errorf("%v, %v", left, err)
	}
}

func TestOpenMediaRefuses(t *testing.T) {
	if _, err := db.OpenMedia(t.Context(), "ftp://example.com", ""); err == nil || !strings.HasPrefix(err.Error(), "MEDIA_URL") {
		t.Error(err)
	}
}
