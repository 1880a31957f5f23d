package db

// Hears tells whether the cache has heard an announcement: before that, its versions change once
// more.
func (db *DB) Hears() bool {
	db.cache.mu.RLock()
	defer db.cache.mu.RUnlock()
	return !db.cache.deaf
}
