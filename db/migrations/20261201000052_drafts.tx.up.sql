-- What an owner has typed into the form of a message and not saved; message_id 0 is a new one. At most one row a form.
CREATE TABLE message_drafts (
    owner_id   bigint      NOT NULL REFERENCES users ON DELETE CASCADE,
    message_id bigint      NOT NULL,
    subject    text        NOT NULL,
    preheader  text        NOT NULL,
    body       text        NOT NULL,
    language   text        NOT NULL,
    saved_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, message_id)
);
