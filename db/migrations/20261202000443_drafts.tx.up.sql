-- What users have typed into the forms of pages and not sent: for 30 days, at most twenty rows a user.
CREATE TABLE form_drafts (
    user_id bigint      NOT NULL REFERENCES users ON DELETE CASCADE,
    page    text        NOT NULL,
    fields  text        NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, page)
);
CREATE INDEX form_drafts_kept_at ON form_drafts (kept_at);
