package db

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
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

// Sweep deletes the files that were last written before a time and that used doesn't want.
func (m *Media) Sweep(ctx context.Context, before time.Time, used func(name string) bool) error {
	files := m.bucket.List(nil)
	for {
		file, err := files.Next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if file.IsDir || !file.ModTime.Before(before) || used(file.Key) {
			continue
		}
		if err := m.bucket.Delete(ctx, file.Key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return err
		}
	}
}
