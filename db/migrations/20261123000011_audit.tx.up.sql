-- What the act was done to: a mailing or a user, which may be gone by now.
ALTER TABLE audit ADD object_id bigint NOT NULL DEFAULT 0;
