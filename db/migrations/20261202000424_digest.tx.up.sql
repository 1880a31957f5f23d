-- Mailings of the newest posts: of what (blog, or the address of a feed), which is the newest that went out, and what was fetched last.
ALTER TABLE mailings ADD digest text NOT NULL DEFAULT '', ADD digest_seen timestamptz, ADD digest_fetched jsonb;
