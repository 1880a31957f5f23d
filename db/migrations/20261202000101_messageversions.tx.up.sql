-- What messages were before and are: a row for each save, the last thirty of a message, for a year.
CREATE TABLE message_versions (
    message_id bigint      NOT NULL REFERENCES messages ON DELETE CASCADE,
    revision   integer     NOT NULL,
    owner_id   bigint      NOT NULL REFERENCES users ON DELETE CASCADE,
    author     text        NOT NULL,
    subject    text        NOT NULL,
    preheader  text        NOT NULL,
    body       text        NOT NULL,
    language   text        NOT NULL,
    saved_at   timestamptz NOT NULL,
    PRIMARY KEY (message_id, revision)
);
CREATE INDEX message_versions_owner ON message_versions (owner_id);
CREATE INDEX message_versions_saved ON message_versions (saved_at);
