package db_test

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// fakeS3 is one bucket that takes what is signed for it, and lists two objects at a time.
type fakeS3 struct {
	sync.Mutex
	objects map[string]fakeObject
	broken  int // status of every answer, when not 0
}

type fakeObject struct {
	content     []byte
	contentType string
	written     time.Time
}

func (s *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Lock()
	defer s.Unlock()
	key, ours := strings.CutPrefix(r.URL.Path, "/pictures/")
	_, there := s.objects[key]
	switch signed := r.Header.Get("Authorization"); {
	case s.broken != 0:
		w.WriteHeader(s.broken)
	case !strings.HasPrefix(signed, "AWS4-HMAC-SHA256 Credential=key/") || !strings.Contains(signed, "/nowhere-1/s3/"):
		refuseS3(w, http.StatusForbidden, "AccessDenied")
	case !ours:
		refuseS3(w, http.StatusNotFound, "NoSuchBucket")
	case r.Method == http.MethodPut:
		content, err := readSigned(r)
		if err != nil {
			refuseS3(w, http.StatusBadRequest, "IncompleteBody")
			return
		}
		s.objects[key] = fakeObject{content, r.Header.Get("Content-Type"), time.Now()}
		w.Header().Set("ETag", `"tag"`)
	case key == "":
		s.list(w, r)
	case r.Method == http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case !there:
		refuseS3(w, http.StatusNotFound, "NoSuchKey")
	default:
		object := s.objects[key]
		w.Header().Set("Content-Type", object.contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(object.content)))
		w.Header().Set("Last-Modified", object.written.UTC().Format(http.TimeFormat))
		w.Header().Set("ETag", `"tag"`)
		_, _ = w.Write(object.content)
	}
}

func refuseS3(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
}

func (s *fakeS3) list(w http.ResponseWriter, r *http.Request) {
	type entry struct {
		Key          string
		LastModified string
	}
	answer := struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string
		Contents              []entry
	}{}
	after := r.URL.Query().Get("continuation-token")
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		if key <= after {
			continue
		}
		if len(answer.Contents) == 2 {
			answer.IsTruncated, answer.NextContinuationToken = true, answer.Contents[1].Key
			break
		}
		answer.Contents = append(answer.Contents, entry{key, s.objects[key].written.UTC().Format(time.RFC3339)})
	}
	_ = xml.NewEncoder(w).Encode(answer)
}

// readSigned reads a body, which may come in signed chunks: hex size;chunk-signature=..., content.
func readSigned(r *http.Request) ([]byte, error) {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return io.ReadAll(r.Body)
	}
	var content []byte
	for body := bufio.NewReader(r.Body); ; {
		head, err := body.ReadString('\n')
		if err != nil {
			return nil, err
		}
		size, _, _ := strings.Cut(strings.TrimSpace(head), ";")
		n, err := strconv.ParseInt(size, 16, 32)
		if err != nil || n == 0 {
			return content, err
		}
		chunk := make([]byte, n+2)
		if _, err := io.ReadFull(body, chunk); err != nil {
			return nil, err
		}
		content = append(content, chunk[:n]...)
	}
}

func TestMediaBucket(t *testing.T) {
	store := &fakeS3{objects: map[string]fakeObject{}}
	server := httptest.NewServer(store)
	defer server.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	media, err := db.OpenMedia("s3://pictures?region=nowhere-1&use_path_style=true&endpoint="+server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	defer media.Close()
	shown, old, fresh := strings.Repeat("a", 32), strings.Repeat("b", 32), strings.Repeat("c", 32)
	names := []string{shown + "-600.jpg", old + "-600.jpg", old + "-1200.png", fresh + "-600.jpg", "other.jpg"}
	for _, name := range names {
		if err := media.Save(t.Context(), name, "image/jpeg", []byte("content of "+name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := store.objects["other.jpg"]; string(got.content) != "content of other.jpg" || got.contentType != "image/jpeg" {
		t.Errorf("the bucket got %q, %s", got.content, got.contentType)
	}
	file, size, err := media.Open(t.Context(), "other.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if content, err := io.ReadAll(file); err != nil || string(content) != "content of other.jpg" || size != int64(len(content)) {
		t.Errorf("%q of %d, %v", content, size, err)
	}
	for _, name := range []string{"missing.jpg", ""} {
		if _, _, err := media.Open(t.Context(), name); domain.KindOf(err) != domain.NotFound {
			t.Errorf("%q: %v", name, err)
		}
	}
	for name, want := range map[string]bool{"other.jpg": true, "missing.jpg": false} {
		if got, err := media.Has(t.Context(), name); err != nil || got != want {
			t.Errorf("%s is there: %t, %v", name, got, err)
		}
	}
	d := dbtest.New(t)
	post := domain.Post{Slug: "a", Title: "A", Body: "B", Image: shown + ".jpg"}
	if err := d.Posts().Create(t.Context(), &post); err != nil {
		t.Fatal(err)
	}
	for name, object := range store.objects {
		if !strings.HasPrefix(name, fresh) {
			object.written = object.written.Add(-48 * time.Hour)
			store.objects[name] = object
		}
	}
	if err := d.Posts().SweepMedia(t.Context(), media, time.Now().Add(-24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{shown + "-600.jpg", fresh + "-600.jpg", "other.jpg"}, " ")
	if left := strings.Join(slices.Sorted(maps.Keys(store.objects)), " "); left != want {
		t.Errorf("left: %s, want %s", left, want)
	}
}

// A store that refuses is no empty one: the picture of a post would be made again, or taken for gone.
func TestMediaBucketRefuses(t *testing.T) {
	store := &fakeS3{objects: map[string]fakeObject{}, broken: http.StatusForbidden}
	server := httptest.NewServer(store)
	defer server.Close()
	for _, address := range []string{"s3://pictures?region=nowhere-1&endpoint=" + server.URL, "s3://gone?region=nowhere-1&endpoint=" + server.URL} {
		t.Setenv("AWS_ACCESS_KEY_ID", "key")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
		media, err := db.OpenMedia(address, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := media.Has(t.Context(), "a.jpg"); err == nil && store.broken != 0 {
			t.Errorf("%s: a bucket that cannot be read has no such file", address)
		}
		if _, _, err := media.Open(t.Context(), "a.jpg"); err == nil || domain.KindOf(err) == domain.NotFound {
			t.Errorf("%s: %v", address, err)
		}
		if err := media.Save(t.Context(), "a.jpg", "image/jpeg", []byte("a")); err == nil {
			t.Errorf("%s: saved nowhere", address)
		}
		store.broken = 0 // the second address names a bucket that is not there
	}
}

func TestOpenBucket(t *testing.T) {
	for address, ok := range map[string]bool{
		"s3://bucket?region=eu-central-1": true,
		"s3://bucket":                     true,
		"s3://bucket?region=x&endpoint=https://store.example:9000":                   true,
		"s3://bucket?region=x&endpoint=store.example:9000&disable_https=true":        true,
		"s3://bucket?region=x&s3ForcePathStyle=true&anonymous=true&profile=pictures": true,
		"s3://bucket/folder?region=x":                                                false,
		"s3://?region=x":                                                             false,
		"s3://bucket?regoin=x":                                                       false,
		"s3://bucket?use_path_style=perhaps":                                         false,
		"s3://bucket?endpoint=https://store.example/path":                            false,
		"mem://bucket": false,
	} {
		_, err := db.OpenMedia(address, "")
		if (err == nil) != ok || err != nil && !strings.HasPrefix(err.Error(), "MEDIA_URL") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := db.OpenMedia("", "/dev/null/media"); err == nil {
		t.Error("opened a folder below a file")
	}
}
