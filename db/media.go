package db

import (
	"context"
	"io"
	"iter"
	"regexp"
	"strings"
	"time"

	"skychimp/db/postgres"

	"skychimp/domain"
)

// Media keeps the pictures of posts: in a folder, or in an S3-compatible bucket.
type Media struct{ files }

// files is where Media keeps them. A file that is not there is a domain.Error of kind NotFound,
// except for remove.
type files interface {
	// Save writes a file, all of it or nothing.
	Save(ctx context.Context, name, contentType string, content []byte) error
	// Has tells whether a file is there.
	Has(ctx context.Context, name string) (bool, error)
	// Open reads a file; the caller closes it.
	Open(ctx context.Context, name string) (file io.ReadCloser, size int64, err error)
	// Close lets the folder or bucket go.
	Close() error

	// list gives the names of all files and when they were last written.
	list(ctx context.Context) iter.Seq2[storedFile, error]
	remove(ctx context.Context, name string) error
}

type storedFile struct {
	name    string
	written time.Time
}

// OpenMedia opens the bucket behind address; when it is empty, the folder, which is made when it is
// missing.
func OpenMedia(address, folder string) (*Media, error) {
	if address == "" {
		opened, err := openFolder(folder)
		return &Media{opened}, err
	}
	opened, err := openBucket(address)
	return &Media{opened}, err
}

// mediaFile is how the files of a picture are named: its hash, then its width or size. Others are not ours.
var mediaFile = regexp.MustCompile(`^([0-9a-f]{32})-[0-9]+(?:x[0-9]+)?\.[a-z]+$`)

// SweepMedia deletes the pictures that were last written before a time and that no post and no owner has:
// of deleted posts and accounts, and of forms that nobody sent again.
func (ps Posts) SweepMedia(ctx context.Context, m *Media, before time.Time) error {
	var images []string
	err := ps.db.pg.Bun.NewRaw("SELECT image FROM posts WHERE image <> ''").Scan(ctx, &images)
	if err != nil {
		return postgres.TranslateError(err)
	}
	used := map[string]bool{}
	for _, image := range images {
		hash, _, _ := strings.Cut(image, ".")
		used[hash] = true
	}
	if err := ps.db.pg.Bun.NewRaw("SELECT DISTINCT file FROM pictures").Scan(ctx, &images); err != nil {
		return postgres.TranslateError(err)
	}
	for _, file := range images {
		hash, _, _ := strings.Cut(file, "-")
		used[hash] = true
	}
	for file, err := range m.list(ctx) {
		if err != nil {
			return err
		}
		name := mediaFile.FindStringSubmatch(file.name)
		if name == nil || used[name[1]] || !file.written.Before(before) {
			continue
		}
		if err := m.remove(ctx, file.name); err != nil {
			return err
		}
	}
	return nil
}

// Pictures are those that owners put into emails.
type Pictures struct{ db *DB }

// Pictures of this database.
func (db *DB) Pictures() Pictures { return Pictures{db} }

// Add keeps a picture whose file is saved, or brings it to the front of its owner's. Invalid when there is no room
// for another one.
func (ps Pictures) Add(ctx context.Context, p domain.Picture) error {
	return ps.db.pg.InTx(ctx, func(tx Tx) error {
		var sum struct{ Count, Bytes int }
		if _, err := tx.NewRaw("SELECT id FROM users WHERE id = ? FOR UPDATE", p.OwnerID).Exec(ctx); err != nil {
			return err
		}
		err := tx.NewRaw("SELECT count(*), coalesce(sum(bytes), 0) AS bytes FROM pictures WHERE owner_id = ? AND file <> ?", p.OwnerID, p.File).Scan(ctx, &sum)
		if err != nil {
			return err
		}
		if err := domain.CheckPictures(sum.Count, sum.Bytes); err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(&p).On("CONFLICT (owner_id, file) DO UPDATE").Set("used_at = now()").Exec(ctx)
		return err
	})
}

// Latest are the n pictures that the owner used last.
func (ps Pictures) Latest(ctx context.Context, owner, n int64) ([]domain.Picture, error) {
	list := []domain.Picture{}
	err := ps.db.pg.Bun.NewSelect().Model(&list).Where("owner_id = ?", owner).OrderExpr("used_at DESC, id DESC").Limit(n).Scan(ctx)
	return list, postgres.TranslateError(err)
}
