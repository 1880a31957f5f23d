package attacktest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Customers send texts and files that unfold as far as they may, and further, ten at once: a program of 512 MB
// survives it, and answers others.
func TestCustomersAttack(t *testing.T) {
	p := serve(t, "GOMEMLIMIT=400MiB")
	var customers []browser
	for _, name := range []string{"Ann", "Bob"} {
		b, _ := p.signedIn(t, name, "admin")
		customers = append(customers, b)
	}
	long := "[a]: /" + strings.Repeat("b", 20_000) + "\n\n" + strings.Repeat("[a]", 58_000)
	for _, body := range []string{long, strings.Repeat("[a](", 48_000), strings.Repeat("# a\n", 45_000), strings.Repeat("*a_ ", 48_000)} {
		for _, path := range []string{"/messages", "/admin/posts", "/admin/posts/preview"} {
			if status, _ := customers[0].post(t, path, "subject", "Bomb", "title", "Bomb", "body", body); status != http.StatusUnprocessableEntity {
				t.Errorf("%s takes %.10q: %d", path, body, status)
			}
		}
	}
	var texts strings.Builder // unlike each other, so that the file may unfold to as much
	for range 60_000 {
		fmt.Fprintf(&texts, "<si><t>%016x%016x%016x%016x%s</t></si>", rand.Uint64(), rand.Uint64(), rand.Uint64(), rand.Uint64(), strings.Repeat("a", 936))
	}
	large := book(t, texts.String(), 30_000)
	bomb := book(t, strings.Repeat("<si><t>a</t></si>", 5_000_000), 1)
	var picture, tall bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&picture, image.NewNRGBA(image.Rect(0, 0, 5000, 5000))); err != nil {
		t.Fatal(err)
	}
	if err := encoder.Encode(&tall, image.NewGray(image.Rect(0, 0, 1, 24_999_999))); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for i := range 10 {
		b := customers[i%2]
		for _, one := range []struct {
			path, field, name string
			content           []byte
			answers           []int // 429 and 503 besides, when there is no room at the time
		}{
			{"/clients/import", "file", "list.xlsx", large, []int{303}}, {"/clients/import", "file", "list.xlsx", bomb, []int{422}},
			{"/admin/posts/preview", "image", "a.png", picture.Bytes(), []int{200}}, {"/admin/posts/preview", "image", "a.png", tall.Bytes(), []int{200, 422}},
		} {
			wait.Go(func() {
				var form bytes.Buffer
				writer := multipart.NewWriter(&form)
				_ = writer.WriteField("title", "x")
				_ = writer.WriteField("body", "y")
				part, _ := writer.CreateFormFile(one.field, one.name)
				_, _ = part.Write(one.content)
				_ = writer.Close()
				status, body := b.send(t, one.path, writer.FormDataContentType(), form.Bytes(), "")
				if !slices.Contains(append(one.answers, 429, 503), status) {
					t.Errorf("%s of %d KB: %d %.200s", one.name, len(one.content)>>10, status, body)
				}
			})
		}
	}
	wait.Wait()
	if status, _ := p.wire(t, "GET /login HTTP/1.1\r\nHost: "+p.host+"\r\nConnection: close\r\n\r\n"); status != http.StatusOK {
		t.Errorf("/login: %d", status)
	}
	if most := p.peak(t); most > 512 {
		t.Errorf("%d MB at most", most)
	} else {
		t.Logf("%d MB at most", most)
	}
	if code := p.Stop(); code != 0 {
		t.Errorf("exit %d: %s", code, p.Printed())
	}
}

// book is a workbook with these shared texts, and so many rows of the second.
func book(t testing.TB, texts string, rows int) []byte {
	t.Helper()
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for name, content := range map[string]string{
		"xl/workbook.xml":            `<sheet r:id="r"/>`,
		"xl/_rels/workbook.xml.rels": `<Relationship Id="r" Target="sheet.xml"/>`,
		"xl/sharedStrings.xml":       texts,
		"xl/sheet.xml":               strings.Repeat(`<row><c t="s"><v>1</v></c></row>`, rows),
	} {
		part, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write([]byte(content))
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
