// Package static holds what browsers load beside the pages: styles, scripts and images.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed all:css all:js all:images all:vendor
var embedded embed.FS

// Files are the static files under one content hash: any change in any file gives new
// addresses, so browsers may keep what they have for ever, and files may name each other by
// relative addresses.
type Files struct {
	Hash  string
	files map[string][]byte
	icons map[string]string // as inline SVG
}

// Load reads all files.
func Load() (*Files, error) {
	f := &Files{files: map[string][]byte{}, icons: map[string]string{}}
	sum := sha256.New()
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := embedded.ReadFile(name)
		fmt.Fprintf(sum, "%s %d ", name, len(content))
		sum.Write(content)
		f.files[name] = content
		if icon, ok := strings.CutPrefix(name, "vendor/icons/"); ok {
			f.icons[strings.TrimSuffix(icon, ".svg")] = inline(string(content))
		}
		return err
	})
	f.Hash = hex.EncodeToString(sum.Sum(nil))[:12]
	return f, err
}

// Missing are the parts of others that `make vendor` has not brought yet.
func (f *Files) Missing() (names []string) {
	for _, name := range []string{"vendor/htmx.min.js", "vendor/pico.min.css"} {
		if f.files[name] == nil {
			names = append(names, name)
		}
	}
	return names
}

// URL is the address of a file ("css/app.css"). A file that isn't there is a mistake in a
// template, except below vendor/, which is empty until `make vendor` ran.
func (f *Files) URL(name string) (string, error) {
	if f.files[name] == nil && !strings.HasPrefix(name, "vendor/") {
		return "", fmt.Errorf("no static file %s", name)
	}
	return "/static/" + f.Hash + "/" + name, nil
}

// Read is the content of a file; ok is false when there is none.
func (f *Files) Read(name string) (content []byte, ok bool) {
	content, ok = f.files[name]
	return content, ok && path.Base(name) != ".gitkeep"
}

// Icon is the drawing of a lucide icon as inline SVG, empty when `make vendor` hasn't run.
func (f *Files) Icon(name string) string { return f.icons[name] }

func inline(drawing string) string {
	_, drawing, _ = strings.Cut(drawing, "<svg")
	if drawing == "" {
		return ""
	}
	return `<svg aria-hidden="true" ` + strings.Join(strings.Fields(drawing), " ")
}
