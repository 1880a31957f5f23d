-- The numbers of the home page as they were counted last: one row.
CREATE TABLE home_stats (
    mailings bigint NOT NULL,
    active   bigint NOT NULL,
    clients  bigint NOT NULL
);
INSERT INTO home_stats SELECT
    (SELECT count(*) FROM mailings WHERE deleted_at IS NULL),
    (SELECT count(*) FROM mailings JOIN users ON users.id = owner_id
        WHERE deleted_at IS NULL AND status = 'running' AND disabled_at IS NULL AND blocked_at IS NULL),
    (SELECT count(DISTINCT lower(email)) FROM clients);
