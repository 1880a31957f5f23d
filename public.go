package main

import (
	"path/filepath"
	"time"

	"skychimp/db"
)

// openMedia opens the place of the posts' pictures.
func (p *program) openMedia() (*db.Media, error) {
	address := string(p.config.MediaURL)
	if address == "file" {
		address = ""
	}
	return db.OpenMedia(address, filepath.Join(p.config.DataDir, "media"))
}

// startPublic starts what the public pages stand on: the cache, the counting of views and the
// sweeping of pictures. Closing the database ends them.
func (p *program) startPublic(database *database, media *db.Media) error {
	if err := database.StartCache(string(p.config.RedisURL), p.log); err != nil {
		return err
	}
	database.StartViews(p.log)
	go p.sweepMedia(database, media)
	return nil
}

// sweepMedia deletes every day the pictures that no post shows.
func (p *program) sweepMedia(database *database, media *db.Media) {
	for p.ctx.Err() == nil {
		if err := database.SweepMedia(p.ctx, media, time.Now().Add(-24*time.Hour)); err != nil && p.ctx.Err() == nil {
			p.log.Warn("pictures that no post shows are not deleted", "error", err)
		}
		select {
		case <-p.ctx.Done():
		case <-time.After(24 * time.Hour):
		}
	}
}
