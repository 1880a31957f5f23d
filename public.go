package main

import (
	"path/filepath"

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

// startPublic starts what pages stand on: the cache, the counting of views and what is kept of clients. Closing
// the database ends them.
func (p *program) startPublic(database *database) error {
	if err := database.StartCache(string(p.config.RedisURL), p.log); err != nil {
		return err
	}
	database.Posts().StartViews(p.log)
	database.Clients().Expect()
	return nil
}
