package db

import (
	"context"
	"slices"
	"time"

	"skychimp/db/postgres"

	"github.com/uptrace/bun"

	"skychimp/domain"
)

// Posts are the articles of the blog.
type Posts struct{ db *DB }

// Posts of this database.
func (db *DB) Posts() Posts { return Posts{db} }

// headRunes is how much of a body a list of posts carries, for the first words of each.
const headRunes = 1500

// Published are all posts that everybody may see at now, newest first, with the first 1500
// characters of their bodies. Shared with other readers: not to be changed.
func (ps Posts) Published(ctx context.Context, now time.Time) ([]domain.Post, error) {
	version, ttl := ps.db.cache.version("posts")
	posts, err := ps.db.cache.posts.get(ctx, lookup[[]domain.Post]{"posts", version, ttl, loadPatience, loadLimit,
		func(ctx context.Context) ([]domain.Post, error) {
			posts := []domain.Post{}
			err := ps.db.pg.Bun.NewSelect().Model(&posts).ExcludeColumn("body").
				ColumnExpr("left(body, ?) AS body", headRunes).
				Where("published_at IS NOT NULL").OrderExpr("published_at DESC, id DESC").Scan(ctx)
			return posts, postgres.TranslateError(err)
		}})
	if err != nil {
		return nil, err
	}
	// The cached list holds scheduled posts too, so that each appears at its time. They are first.
	first := slices.IndexFunc(posts, func(p domain.Post) bool { return p.State(now) == domain.Published })
	if first < 0 {
		return nil, nil
	}
	return posts[first:], nil
}

// PublishedBySlug is the whole post behind a slug that everybody may see at now.
func (ps Posts) PublishedBySlug(ctx context.Context, slug string, now time.Time) (domain.Post, error) {
	none := domain.Errorf(domain.NotFound, "", "errors.not_found")
	listed, err := ps.Published(ctx, now)
	if err != nil {
		return domain.Post{}, err
	}
	if !slices.ContainsFunc(listed, func(p domain.Post) bool { return p.Slug == slug }) {
		return domain.Post{}, none
	}
	version, ttl := ps.db.cache.version("posts")
	found, err := ps.db.cache.posts.get(ctx, lookup[[]domain.Post]{"post:" + slug, version, ttl, loadPatience, loadLimit,
		func(ctx context.Context) ([]domain.Post, error) {
			posts := []domain.Post{}
			err := ps.db.pg.Bun.NewSelect().Model(&posts).Where("slug = ?", slug).Scan(ctx)
			return posts, postgres.TranslateError(err)
		}})
	if err != nil {
		return domain.Post{}, err
	}
	if len(found) == 0 || found[0].State(now) != domain.Published {
		return domain.Post{}, none
	}
	return found[0], nil
}

// PostFilter narrows the list of all posts. State is one at Now.
type PostFilter struct {
	Query string
	State domain.PostState
	Now   time.Time
	Page  Page
}

// List is one page of all posts without their bodies, newest first, and the number of all that
// match. Beyond the last page the last is answered.
func (ps Posts) List(ctx context.Context, filter PostFilter) ([]domain.Post, int, error) {
	posts := []domain.Post{}
	query := ps.db.pg.Bun.NewSelect().Model((*domain.Post)(nil)).Column("id")
	if filter.Query != "" {
		like := "%" + escapeLike(clean(filter.Query)) + "%"
		query.Where("(title ILIKE ? OR body ILIKE ?)", like, like)
	}
	switch filter.State {
	case domain.Draft:
		query.Where("published_at IS NULL")
	case domain.Scheduled:
		query.Where("published_at > ?", filter.Now)
	case domain.Published:
		query.Where("published_at <= ?", filter.Now)
	}
	total, err := countOf(ctx, ps.db, query)
	if err != nil || total == 0 {
		return posts, 0, err
	}
	err = ps.db.pg.Bun.NewSelect().Model(&posts).ExcludeColumn("body").Where("id IN (?)", filter.Page.newest(query, total, "id")).Order("id DESC").Scan(ctx)
	return posts, total, postgres.TranslateError(err)
}

// Get is one post, whatever its state.
func (ps Posts) Get(ctx context.Context, id int64) (domain.Post, error) {
	var post domain.Post
	err := ps.db.pg.Bun.NewSelect().Model(&post).Where("id = ?", id).Scan(ctx)
	return post, postgres.TranslateError(err)
}

// Create saves a new post. When its slug is taken it gets the next free one: `title-2`.
func (ps Posts) Create(ctx context.Context, post *domain.Post) error {
	return ps.db.pg.InTx(ctx, func(tx Tx) error {
		if err := freeSlug(ctx, tx, post); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(post).Exec(ctx); err != nil {
			return err
		}
		return ps.db.changed(ctx, tx, "posts")
	})
}

// Update loads, changes and saves a post; views go on counting beside it.
func (ps Posts) Update(ctx context.Context, id int64, change func(*domain.Post) error) (domain.Post, error) {
	var post domain.Post
	err := ps.db.pg.InTx(ctx, func(tx Tx) error {
		err := tx.NewSelect().Model(&post).Where("id = ?", id).For("UPDATE").Scan(ctx)
		if err != nil {
			return err
		}
		if err := change(&post); err != nil {
			return err
		}
		_, err = tx.NewUpdate().Model(&post).Column("title", "body", "image", "published_at").
			Set("updated_at = now()").WherePK().Returning("updated_at").Exec(ctx)
		if err != nil {
			return err
		}
		return ps.db.changed(ctx, tx, "posts")
	})
	return post, err
}

// Delete deletes a post. Its picture goes with the next SweepMedia.
func (ps Posts) Delete(ctx context.Context, id int64) error {
	return ps.db.pg.InTx(ctx, func(tx Tx) error {
		var gone int64
		err := tx.NewRaw("DELETE FROM posts WHERE id = ? RETURNING id", id).Scan(ctx, &gone)
		if err != nil {
			return err
		}
		return ps.db.changed(ctx, tx, "posts")
	})
}

// freeSlug moves the post's slug to the first one that is free. New posts take turns, so that
// each sees what the one before it took.
func freeSlug(ctx context.Context, tx bun.IDB, post *domain.Post) error {
	const turn, step = 0x51C6, 100 // turn: any number that no other lock of ours uses
	if _, err := tx.NewRaw("SELECT pg_advisory_xact_lock(?)", turn).Exec(ctx); err != nil {
		return err
	}
	for first := 1; ; first += step {
		var wanted, taken []string
		for n := first; n < first+step; n++ {
			wanted = append(wanted, domain.SlugAfter(post.Slug, n))
		}
		err := tx.NewRaw("SELECT slug FROM posts WHERE slug IN ?", bun.Tuple(wanted)).Scan(ctx, &taken)
		if err != nil {
			return err
		}
		free := slices.IndexFunc(wanted, func(slug string) bool { return !slices.Contains(taken, slug) })
		if free >= 0 {
			post.Slug = wanted[free]
			return nil
		}
	}
}
