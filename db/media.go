package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/s3blob"   // s3://
	"gocloud.dev/gcerrors"

	"skychimp/domain"
)

// Media keeps the pictures of posts: in a folder, or in an S3-compatible bucket.
type Media struct {
	bucket *blob.Bucket
}

// OpenMedia opens the bucket behind address, a URL that gocloud.dev/blob knows; when it is
// empty, the folder, which is made when it is missing.
func OpenMedia(ctx context.Context, address, folder string) (*Media, error) {
	if address == "" {
		path, err := filepath.Abs(folder)
		if err != nil {
			return nil, fmt.Errorf("DATA_DIR: %w", err)
		}
		file := url.URL{Scheme: "file", Path: filepath.ToSlash(path),
			RawQuery: "create_dir=true&metadata=skip&no_tmp_dir=true"}
		address = file.String()
	}
	bucket, err := blob.OpenBucket(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("MEDIA_URL: %w", err)
	}
	return &Media{bucket}, nil
}

// Close lets the bucket go.
func (m *Media) Close() error { return m.bucket.Close() }

// Save writes a file, all of it or nothing.
func (m *Media) Save(ctx context.Context, name, contentType string, content []byte) error {
	return m.bucket.WriteAll(ctx, name, content, &blob.WriterOptions{ContentType: contentType})
}

// Has tells whether a file is there.
func (m *Media) Has(ctx context.Context, name string) (bool, error) {
	return m.bucket.Exists(ctx, name)
}

// Open reads a file; the caller closes it.
func (m *Media) Open(ctx context.Context, name string) (file io.ReadCloser, size int64, err error) {
	reader, err := m.bucket.NewReader(ctx, name, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, 0, domain.Refuse(domain.NotFound, "", "errors.not_found")
	}
	if err != nil {
		return nil, 0, err
	}
	return reader, reader.Size(), nil
}

// mediaFile is how the files of a picture are named: its hash, then a width. Others are not ours.
var mediaFile = regexp.MustCompile(`^([0-9a-f]{32})-[0-9]+\.[a-z]+$`)

// SweepMedia deletes the pictures that were last written before a time and that no post shows:
// of deleted posts, and of forms that nobody sent again.
func (db *DB) SweepMedia(ctx context.Context, m *Media, before time.Time) error {
	var images []string
	err := db.bun.NewRaw("SELECT image FROM posts WHERE image <> ''").Scan(ctx, &images)
	if err != nil {
		return explain(err)
	}
	used := map[string]bool{}
	for _, image := range images {
		hash, _, _ := strings.Cut(image, ".")
		used[hash] = true
	}
	files := m.bucket.List(nil)
	for {
		file, err := files.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := mediaFile.FindStringSubmatch(file.Key)
		if name == nil || used[name[1]] || !file.ModTime.Before(before) {
			continue
		}
		if err := m.bucket.Delete(ctx, file.Key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return err
		}
	}
}
