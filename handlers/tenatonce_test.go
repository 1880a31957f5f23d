package handlers

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"skychimp/domain"
)

// A process of 512 MB takes ten files at once that unfold as far as they may, and a page beside them.
func TestTenFilesAtOnce(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(400 << 20))
	w := newEnv(t)
	var book bytes.Buffer
	var texts strings.Builder // unlike each other, so that the file may unfold to as much
	for range 60_000 {
		fmt.Fprintf(&texts, "<si><t>%016x%016x%016x%016x%s</t></si>", rand.Uint64(), rand.Uint64(), rand.Uint64(), rand.Uint64(), strings.Repeat("a", 936))
	}
	archive := zip.NewWriter(&book)
	for name, content := range map[string]string{
		"xl/workbook.xml":            `<sheet r:id="r"/>`,
		"xl/_rels/workbook.xml.rels": `<Relationship Id="r" Target="sheet.xml"/>`,
		"xl/sharedStrings.xml":       texts.String(),
		"xl/sheet.xml":               strings.Repeat(`<row><c t="s"><v>1</v></c></row>`, 30_000),
	} {
		part, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write([]byte(content))
	}
	_ = archive.Close()
	var picture bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&picture, image.NewNRGBA(image.Rect(0, 0, 5000, 5000))); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	debug.FreeOSMemory()
	var most atomic.Uint64
	ended := make(chan struct{})
	var watch, wait sync.WaitGroup
	var taken atomic.Int32
	watch.Go(func() {
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			most.Store(max(most.Load(), now.Sys-now.HeapReleased))
			select {
			case <-tick.C:
			case <-ended:
				tick.Stop()
				return
			}
		}
	})
	for i := range 10 {
		b := w.as(t, w.user(t, fmt.Sprint("admin", i), domain.RoleAdmin)) // who may upload both
		wait.Go(func() {
			switch got := b.upload("/clients/import", "list.xlsx", book.Bytes()); got.StatusCode {
			case 303:
				taken.Add(1)
			case 429, 503: // a busy machine
			default:
				t.Errorf("list: %d", got.StatusCode)
			}
			if got := b.send("/admin/posts/preview", picture.Bytes(), "title", "x", "body", "y"); got.StatusCode != 200 && got.StatusCode != 429 {
				t.Errorf("picture: %d", got.StatusCode)
			}
		})
	}
	wait.Wait()
	close(ended)
	watch.Wait()
	if taken.Load() == 0 {
		t.Error("no list was read to its end")
	}
	t.Logf("%d MB at most, %d lists of %d KB", most.Load()>>20, taken.Load(), book.Len()>>10)
	if most.Load() > 512<<20 {
		t.Errorf("took %d MB", most.Load()>>20)
	}
	w.visitor(t).get("/login").is(t, 200)
}
