-- Who unsubscribed, and by which run's email: one row for a client, and one for each topic that it left (topic_id 0:
-- everything). Undoing deletes the row. It holds no address and outlives the client, so that the counts of runs stay.
-- Of 100 M emails of which 0.3 % make somebody leave: 300,000 rows of some 80 bytes and 40 of indexes, 36 MB.
CREATE TABLE unsubscribes (
    client_id bigint      NOT NULL,
    topic_id  bigint      NOT NULL DEFAULT 0,
    owner_id  bigint      NOT NULL REFERENCES users ON DELETE CASCADE,
    run_id    bigint,               -- NULL: not known
    reason    text        NOT NULL DEFAULT '',
    before    text        NOT NULL DEFAULT '', -- why the client was suppressed already, for undoing
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, topic_id)
);
CREATE INDEX unsubscribes_run ON unsubscribes (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX unsubscribes_owner ON unsubscribes (owner_id); -- for the deletion of a user
