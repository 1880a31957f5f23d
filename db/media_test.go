package db_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

func TestMedia(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "with space", "media")
	media, err := db.OpenMedia("", folder)
	if err != nil {
		t.Fatal(err)
	}
	defer media.Close()
	d := dbtest.New(t)
	shown, old, fresh := strings.Repeat("a", 32), strings.Repeat("b", 32), strings.Repeat("c", 32)
	post := domain.Post{Slug: "a", Title: "A", Body: "B", Image: shown + ".jpg"}
	if err := d.Posts().Create(t.Context(), &post); err != nil {
		t.Fatal(err)
	}
	names := []string{shown + "-600.jpg", old + "-600.jpg", old + "-1200.png", fresh + "-600.jpg", "new.jpg"}
	for _, name := range names {
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
	for _, name := range names {
		if !strings.HasPrefix(name, fresh) {
			if err := os.Chtimes(filepath.Join(folder, name), past, past); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.Posts().SweepMedia(t.Context(), media, time.Now().Add(-24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 3 {
		t.Fatalf("%v, %v", left, err)
	}
	for i, want := range []string{shown + "-600.jpg", fresh + "-600.jpg", "new.jpg"} {
		if left[i].Name() != want {
			t.Errorf("%s is left, want %s", left[i].Name(), want)
		}
	}
}

func TestOpenMediaRefuses(t *testing.T) {
	if _, err := db.OpenMedia("ftp://example.com", ""); err == nil || !strings.HasPrefix(err.Error(), "MEDIA_URL") {
		t.Error(err)
	}
}

func TestPictures(t *testing.T) {
	d := dbtest.New(t)
	folder := t.TempDir()
	media, err := db.OpenMedia("", folder)
	if err != nil {
		t.Fatal(err)
	}
	defer media.Close()
	ann, bob := newUser(t, d, "ann", domain.RoleUser), newUser(t, d, "bob", domain.RoleUser)
	names := []string{strings.Repeat("a", 32) + "-900x600.jpg", strings.Repeat("b", 32) + "-1200.png"}
	past := time.Now().Add(-48 * time.Hour)
	for _, name := range names {
		if err := media.Save(t.Context(), name, "image/jpeg", []byte(name)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(folder, name), past, past); err != nil {
			t.Fatal(err)
		}
		if err := d.Pictures().Add(t.Context(), domain.Picture{OwnerID: ann.ID, File: name, Bytes: 1000}); err != nil {
			t.Fatal(err)
		}
	}
	add := func(owner int64, file string, bytes int) error {
		return d.Pictures().Add(t.Context(), domain.Picture{OwnerID: owner, File: file, Bytes: bytes})
	}
	if err := add(ann.ID, names[0], 1000); err != nil { // again: comes to the front
		t.Fatal(err)
	}
	latest, err := d.Pictures().Latest(t.Context(), ann.ID, 5)
	if err != nil || len(latest) != 2 || latest[0].File != names[0] {
		t.Fatal(latest, err)
	}
	if others, err := d.Pictures().Latest(t.Context(), bob.ID, 5); err != nil || len(others) != 0 {
		t.Error(others, err)
	}
	if err := add(bob.ID, names[0], 60<<20); err != nil {
		t.Error(err)
	}
	if err := add(bob.ID, names[1], 1); domain.KindOf(err) != domain.Invalid {
		t.Errorf("a picture too many: %v", err)
	}
	sweep := func(want int) {
		t.Helper()
		if err := d.Posts().SweepMedia(t.Context(), media, time.Now().Add(-24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(folder); err != nil || len(left) != want {
			t.Errorf("%v are left, %v, want %d", left, err, want)
		}
	}
	sweep(2)
	for _, owner := range []int64{ann.ID, bob.ID} {
		if _, err := d.Postgres().Pool.Exec(t.Context(), "DELETE FROM users WHERE id = $1", owner); err != nil {
			t.Fatal(err)
		}
	}
	sweep(0)
}
