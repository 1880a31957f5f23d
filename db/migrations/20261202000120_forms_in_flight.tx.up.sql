-- What stood in a form that was sent after its session had ended: for an hour, to the browser that holds the token and
-- to this user alone. At most five rows a user.
CREATE TABLE kept_forms (
    token_hash bytea       PRIMARY KEY,
    user_id    bigint      NOT NULL REFERENCES users ON DELETE CASCADE,
    page       text        NOT NULL,
    fields     text        NOT NULL,
    kept_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX kept_forms_user ON kept_forms (user_id, kept_at);
CREATE INDEX kept_forms_kept_at ON kept_forms (kept_at);

-- The forms that made something, for a day: the same form sent again is answered with what it made. An answer that is
-- NULL is still being worked out.
CREATE TABLE form_keys (
    user_id bigint      NOT NULL REFERENCES users ON DELETE CASCADE,
    key     bytea       NOT NULL,
    answer  text,
    said    text        NOT NULL DEFAULT '',
    used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX form_keys_used_at ON form_keys (used_at);
