package db_test

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

func TestPublishedPosts(t *testing.T) {
	d := dbtest.New(t)
	now := time.Now().UTC()
	addPost(t, d, "Old", now.Add(-48*time.Hour))
	addPost(t, d, "New", now.Add(-time.Hour))
	addPost(t, d, "Next week", now.Add(7*24*time.Hour))
	addPost(t, d, "Tomorrow", now.Add(24*time.Hour))
	draft := domain.Post{Slug: "draft", Title: "Draft", Body: "Draft"}
	if err := d.Posts().Create(t.Context(), &draft); err != nil {
		t.Fatal(err)
	}
	one := instance(t, d, "")
	for _, test := range []struct {
		after time.Duration
		want  []string
	}{
		{0, []string{"New", "Old"}},
		{23*time.Hour + 59*time.Minute, []string{"New", "Old"}},
		{24 * time.Hour, []string{"Tomorrow", "New", "Old"}},
		{30 * 24 * time.Hour, []string{"Next week", "Tomorrow", "New", "Old"}},
		{-24 * time.Hour, []string{"Old"}},
		{-72 * time.Hour, []string{}},
	} {
		// The list is loaded once: a scheduled post appears in the cached one, to the moment.
		posts, err := one.Posts().Published(t.Context(), now.Add(test.after))
		if err != nil {
			t.Fatal(err)
		}
		titles := []string{}
		for _, post := range posts {
			titles = append(titles, post.Title)
		}
		if !slices.Equal(titles, test.want) {
			t.Errorf("after %v: %q, want %q", test.after, titles, test.want)
		}
	}
	for slug, after := range map[string]time.Duration{"tomorrow": 23 * time.Hour, "draft": 999 * time.Hour, "nothing": 0} {
		if _, err := one.Posts().PublishedBySlug(t.Context(), slug, now.Add(after)); domain.KindOf(err) != domain.NotFound {
			t.Errorf("%s: %v", slug, err)
		}
	}
	post, err := one.Posts().PublishedBySlug(t.Context(), "tomorrow", now.Add(24*time.Hour))
	if err != nil || post.Body != "Body of Tomorrow" {
		t.Errorf("%q, %v", post.Body, err)
	}
}

func TestPosts(t *testing.T) {
	d := dbtest.New(t)
	now := time.Now()
	addPost(t, d, "Published 100%", now.Add(-time.Hour))
	addPost(t, d, "Scheduled", now.Add(time.Hour))
	if err := d.Posts().Create(t.Context(), &domain.Post{Slug: "draft", Title: "Черновик", Body: "Draft"}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		filter db.PostFilter
		want   []string
	}{
		{db.PostFilter{}, []string{"Черновик", "Scheduled", "Published 100%"}},
		{db.PostFilter{State: domain.Draft}, []string{"Черновик"}},
		{db.PostFilter{State: domain.Scheduled}, []string{"Scheduled"}},
		{db.PostFilter{State: domain.Published}, []string{"Published 100%"}},
		{db.PostFilter{Query: "ЧЕРН"}, []string{"Черновик"}},
		{db.PostFilter{Query: "body of S"}, []string{"Scheduled"}},
		{db.PostFilter{Query: "0%"}, []string{"Published 100%"}},
		{db.PostFilter{Query: "%"}, []string{"Published 100%"}},
		{db.PostFilter{Query: "body", State: domain.Draft}, []string{}},
		{db.PostFilter{Page: db.PageOf(2)}, []string{"Черновик", "Scheduled", "Published 100%"}},
		{db.PostFilter{Query: "\x00Sch\xff"}, []string{"Scheduled"}},
	} {
		test.filter.Now = now
		posts, total, err := d.Posts().List(t.Context(), test.filter)
		titles := []string{}
		for _, post := range posts {
			titles = append(titles, post.Title)
		}
		if err != nil || !slices.Equal(titles, test.want) || test.filter.Page.Number == 0 && total != len(test.want) {
			t.Errorf("%+v: %q of %d, %v, want %q", test.filter, titles, total, err, test.want)
		}
	}
}

// TestSlugRace: posts written at the same time each get their own slug, and none is lost.
func TestSlugRace(t *testing.T) {
	d := dbtest.New(t)
	addPost(t, d, "News 2", time.Now())
	var done sync.WaitGroup
	for range 20 {
		done.Go(func() { addPost(t, d, "News", time.Now()) })
	}
	done.Wait()
	posts, total, err := d.Posts().List(t.Context(), db.PostFilter{})
	if err != nil || total != 21 {
		t.Fatalf("%d posts, %v", total, err)
	}
	want := []string{"news"}
	for n := 2; n <= 21; n++ {
		want = append(want, fmt.Sprintf("news-%d", n))
	}
	for _, post := range posts {
		if !slices.Contains(want, post.Slug) {
			t.Errorf("unexpected slug %s", post.Slug)
		}
		want = slices.DeleteFunc(want, func(slug string) bool { return slug == post.Slug })
	}
	if len(want) > 0 {
		t.Errorf("nobody got %q", want)
	}
}

func TestUpdatePost(t *testing.T) {
	d := dbtest.New(t)
	post := addPost(t, d, "News", time.Now())
	refused := domain.Errorf(domain.Invalid, "title", "blog.title_required")
	_, err := d.Posts().Update(t.Context(), post.ID, func(p *domain.Post) error { p.Title = ""; return refused })
	if domain.KindOf(err) != domain.Invalid {
		t.Error(err)
	}
	changed, err := d.Posts().Update(t.Context(), post.ID, func(p *domain.Post) error {
		p.Title, p.Body, p.Image, p.PublishedAt, p.Views = "A", "B", "c.jpg", nil, 999
		return nil
	})
	if err != nil || !changed.UpdatedAt.After(post.UpdatedAt) {
		t.Errorf("%v, %v", changed.UpdatedAt, err)
	}
	got, err := d.Posts().Get(t.Context(), post.ID)
	if err != nil || got.Title != "A" || got.Body != "B" || got.Image != "c.jpg" || got.PublishedAt != nil || got.Slug != "news" || got.Views != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := d.Posts().Delete(t.Context(), post.ID); err != nil {
		t.Error(err)
	}
	if err := d.Posts().Delete(t.Context(), post.ID); domain.KindOf(err) != domain.NotFound {
		t.Errorf("again: %v", err)
	}
}

// TestViews: a thousand readers at once, on two instances, with posts deleted and edited
// meanwhile, and every one is counted; what is shown never falls.
func TestViews(t *testing.T) {
	first := dbtest.New(t)
	a, b := instance(t, first, ""), instance(t, first, "")
	log := slog.New(slog.DiscardHandler)
	a.Posts().StartViews(log)
	b.Posts().StartViews(log)
	read := []domain.Post{addPost(t, first, "One", time.Now()), addPost(t, first, "Two", time.Now())}
	gone := addPost(t, first, "Gone", time.Now())
	const readers, times = 1000, 20
	var done sync.WaitGroup
	for i := range readers {
		done.Go(func() {
			one := []*db.DB{a, b}[i%2]
			for n := range times {
				post, err := one.Posts().PublishedBySlug(t.Context(), read[n%2].Slug, time.Now())
				if err != nil {
					t.Error(err)
					return
				}
				before := one.Posts().Views(post)
				one.Posts().CountView(post)
				if after := one.Posts().Views(post); after <= before {
					t.Errorf("%d views, then %d", before, after)
				}
				time.Sleep(time.Duration(i) * 100 * time.Microsecond)
			}
			one.Posts().CountView(gone)
		})
	}
	if err := first.Posts().Delete(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	_, err := first.Posts().Update(t.Context(), read[0].ID, func(p *domain.Post) error { p.Title = "Edited"; return nil })
	if err != nil {
		t.Fatal(err)
	}
	done.Wait()
	if got := queries(a, func() {
		for range 1000 {
			a.Posts().CountView(read[0])
		}
	}); got > 1 { // one flush may fall into it
		t.Errorf("%d queries for 1000 views", got)
	}
	a.Close()
	b.Close()
	for i, want := range []int64{readers*times/2 + 1000, readers * times / 2} {
		if got, err := first.Posts().Get(t.Context(), read[i].ID); err != nil || got.Views != want {
			t.Errorf("%s: %d views, %v, want %d", got.Title, got.Views, err, want)
		}
	}
}

// TestViewsSurviveOutage: what cannot be written down now is written later.
func TestViewsSurviveOutage(t *testing.T) {
	first := dbtest.New(t)
	one := instance(t, first, "")
	post := addPost(t, first, "One", time.Now())
	_, err := first.Postgres().Pool.Exec(t.Context(), "ALTER TABLE posts RENAME TO hidden")
	if err != nil {
		t.Fatal(err)
	}
	one.Posts().StartViews(slog.New(slog.DiscardHandler))
	begun := time.Now()
	for time.Since(begun) < 1500*time.Millisecond { // past one attempt to write at least
		one.Posts().CountView(post)
		post.Views = 0
		time.Sleep(time.Millisecond)
	}
	want := one.Posts().Views(post)
	if _, err := first.Postgres().Pool.Exec(t.Context(), "ALTER TABLE hidden RENAME TO posts"); err != nil {
		t.Fatal(err)
	}
	one.Close()
	if got, err := first.Posts().Get(t.Context(), post.ID); err != nil || got.Views != want || want < 100 {
		t.Errorf("%d views, %v, want %d", got.Views, err, want)
	}
}
