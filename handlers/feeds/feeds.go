// Package feeds asks blogs and feeds for the posts of digests.
package feeds

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/k3a/html2text"
	"github.com/mmcdole/gofeed"

	"skychimp/db"
	"skychimp/domain/digest"
	"skychimp/handlers/links"
)

// Feeds fetches what digests send.
type Feeds struct {
	DB      *db.DB
	Links   *links.Checker // connects to public addresses alone
	BaseURL string
	Log     *slog.Logger
}

// The limits of one feed, and how many are asked at once.
const (
	maxBytes = 2 << 20
	takes    = 10 * time.Second
	maxItems = 100
	atOnce   = 8
)

// Refresh fetches for the digests that are due within minutes. It is never part of a planning transaction.
func (f *Feeds) Refresh(ctx context.Context, now time.Time) error {
	if f == nil {
		return nil // digests wait for a process that fetches
	}
	due, err := f.DB.Mailings().DigestsDue(ctx, now)
	if err != nil {
		return err
	}
	var asking sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for id, source := range due {
		asking.Go(func() {
			free <- struct{}{}
			f.keep(ctx, id, source, now)
			<-free
		})
	}
	asking.Wait()
	return nil
}

// One fetches for one mailing, whether it is due or not.
func (f *Feeds) One(ctx context.Context, mailing int64, now time.Time) error {
	if f == nil {
		return nil
	}
	m, err := f.DB.Mailings().Get(ctx, 0, mailing)
	if err == nil && !m.Digest.None() {
		f.keep(ctx, m.ID, m.Digest.Source, now)
	}
	return err
}

func (f *Feeds) keep(ctx context.Context, mailing int64, source string, now time.Time) {
	posts, err := f.posts(ctx, source, now)
	if err != nil {
		f.Log.Warn("a feed could not be read", "mailing", mailing, "error", err)
	}
	if err := f.DB.Mailings().KeepFetched(ctx, mailing, digest.Fetched{At: now, Posts: posts, Problem: err != nil}); err != nil {
		f.Log.Warn("the posts of a feed could not be kept", "mailing", mailing, "error", err)
	}
}

func (f *Feeds) posts(ctx context.Context, source string, now time.Time) ([]digest.Post, error) {
	if source == digest.Blog {
		return f.blog(ctx, now)
	}
	ctx, cancel := context.WithTimeout(ctx, takes)
	defer cancel()
	body, err := f.Links.Get(ctx, source, maxBytes)
	if err != nil {
		return nil, err
	}
	feed, err := gofeed.NewParser().Parse(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	var posts []digest.Post
	for _, item := range feed.Items[:min(len(feed.Items), maxItems)] {
		post := digest.Post{Title: html2text.HTML2Text(item.Title), Link: item.Link, Summary: html2text.HTML2Text(summary(item))}
		switch {
		case item.PublishedParsed != nil:
			post.At = item.PublishedParsed.UTC()
		case item.UpdatedParsed != nil:
			post.At = item.UpdatedParsed.UTC()
		}
		if clean, ok := digest.Clean(post); ok {
			posts = append(posts, clean)
		}
	}
	return posts, nil
}

// summary of an item, or the beginning of what it says.
func summary(item *gofeed.Item) string {
	text := item.Description
	if text == "" {
		text = item.Content
	}
	return text[:min(len(text), 20_000)]
}

func (f *Feeds) blog(ctx context.Context, now time.Time) (posts []digest.Post, err error) {
	published, err := f.DB.Posts().Published(ctx, now)
	for _, one := range published[:min(len(published), maxItems)] {
		post := digest.Post{Title: one.Title, Link: f.BaseURL + "/blog/" + one.Slug, Summary: beginning(one.Body), At: one.PublishedAt.UTC()}
		if clean, ok := digest.Clean(post); ok {
			posts = append(posts, clean)
		}
	}
	return posts, err
}

// linkTarget is what stands behind the words of a link in Markdown.
var linkTarget = regexp.MustCompile(`\]\([^)]*\)`)

// beginning is the first paragraph of a post as text.
func beginning(body string) string {
	for paragraph := range strings.SplitSeq(strings.ReplaceAll(body, "\r\n", "\n"), "\n\n") {
		if paragraph = strings.TrimSpace(paragraph); paragraph != "" && !strings.HasPrefix(paragraph, "#") && !strings.HasPrefix(paragraph, "!") {
			return strings.Map(func(r rune) rune {
				if strings.ContainsRune("*_`>[]#", r) {
					return -1
				}
				return r
			}, linkTarget.ReplaceAllString(paragraph, "]"))
		}
	}
	return ""
}
