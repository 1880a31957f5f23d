package db

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"skychimp/domain"
)

// bucket keeps files in an S3-compatible store.
type bucket struct {
	client minio.Core
	name   string
}

const amazon = "s3.amazonaws.com"

// openBucket reads s3://name?region=eu-central-1. Another store than Amazon's is named by
// endpoint=https://host:port; use_path_style=true puts the bucket behind its host. The keys are
// looked for where Amazon's own tools look: AWS_ACCESS_KEY_ID, ~/.aws/credentials (profile=), the
// role of the machine; anonymous=true needs none. It connects on first use.
func openBucket(address string) (bucket, error) {
	at, err := url.Parse(address)
	if err != nil || at.Scheme != "s3" || at.Host == "" || strings.Trim(at.Path, "/") != "" {
		return bucket{}, fmt.Errorf("MEDIA_URL=%q: allowed is s3://bucket?region=eu-central-1", address)
	}
	asked, environ := at.Query(), func(name string) string { return os.Getenv("AWS_" + name) }
	options := minio.Options{Secure: true, Region: cmp.Or(asked.Get("region"), environ("REGION"), environ("DEFAULT_REGION"))}
	options.Creds = bucketKeys(asked.Get("profile"))
	host := cmp.Or(asked.Get("endpoint"), environ("ENDPOINT_URL_S3"), environ("ENDPOINT_URL"), amazon)
	if scheme, rest, ok := strings.Cut(host, "://"); ok {
		host, options.Secure = strings.TrimSuffix(rest, "/"), scheme != "http"
	}
	if name, _, _ := strings.Cut(host, ":"); host != amazon && net.ParseIP(name) == nil && !strings.Contains(at.Host, ".") {
		options.BucketLookup = minio.BucketLookupDNS // minio-go takes the path for others than Amazon
	}
	for key := range asked {
		if err := bucketOption(&options, key, asked.Get(key)); err != nil {
			return bucket{}, fmt.Errorf("MEDIA_URL=%q: %w; allowed behind the bucket are region, endpoint, profile, "+
				"use_path_style, disable_https and anonymous", address, err)
		}
	}
	client, err := minio.NewCore(host, &options)
	if err != nil {
		return bucket{}, fmt.Errorf("MEDIA_URL=%q: %w", address, err)
	}
	return bucket{*client, at.Host}, nil
}

// bucketOption reads one that is on or off; those with a value of their own are read before.
func bucketOption(options *minio.Options, key, value string) error {
	if key == "region" || key == "profile" || key == "endpoint" {
		return nil
	}
	on, err := strconv.ParseBool(value)
	switch key {
	case "use_path_style", "s3ForcePathStyle":
		options.BucketLookup = minio.BucketLookupDNS
		if on {
			options.BucketLookup = minio.BucketLookupPath
		}
	case "disable_https":
		options.Secure = options.Secure && !on
	case "anonymous":
		if on {
			options.Creds = credentials.NewStaticV4("", "", "")
		}
	default:
		return fmt.Errorf("%s is unknown", key)
	}
	return err
}

func bucketKeys(profile string) *credentials.Credentials {
	file := &credentials.FileAWSCredentials{Profile: profile}
	if profile != "" {
		return credentials.New(file)
	}
	// Elsewhere than on a machine of Amazon's nobody answers for its role.
	role := &credentials.IAM{Client: &http.Client{Timeout: 5 * time.Second}}
	return credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, file, role})
}

func (b bucket) Close() error { return nil }

func (b bucket) Save(ctx context.Context, name, contentType string, content []byte) error {
	_, err := b.client.Client.PutObject(ctx, b.name, name, bytes.NewReader(content), int64(len(content)),
		minio.PutObjectOptions{ContentType: contentType})
	return err
}

func (b bucket) Has(ctx context.Context, name string) (bool, error) {
	_, err := b.client.StatObject(ctx, b.name, name, minio.StatObjectOptions{})
	if missingObject(err) {
		return false, nil
	}
	return err == nil, err
}

func missingObject(err error) bool { return minio.ToErrorResponse(err).Code == minio.NoSuchKey }

func (b bucket) Open(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	file, info, _, err := b.client.GetObject(ctx, b.name, name, minio.GetObjectOptions{})
	if name == "" || missingObject(err) {
		return nil, 0, domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	return file, info.Size, err
}

func (b bucket) list(ctx context.Context) iter.Seq2[storedFile, error] {
	return func(yield func(storedFile, error) bool) {
		for file := range b.client.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{}) {
			if !yield(storedFile{file.Key, file.LastModified}, file.Err) {
				return
			}
		}
	}
}

func (b bucket) remove(ctx context.Context, name string) error {
	return b.client.RemoveObject(ctx, b.name, name, minio.RemoveObjectOptions{})
}
