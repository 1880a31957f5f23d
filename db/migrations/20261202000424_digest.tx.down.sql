ALTER TABLE mailings DROP digest, DROP digest_seen, DROP digest_fetched;
