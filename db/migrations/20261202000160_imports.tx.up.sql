-- Lists are kept in parts, so that none is ever held as a whole, and say which sheets they have.
CREATE TABLE import_parts (
    import_id bigint  NOT NULL REFERENCES imports ON DELETE CASCADE,
    part      integer NOT NULL,
    content   bytea   NOT NULL,
    PRIMARY KEY (import_id, part)
);
ALTER TABLE import_parts ALTER content SET STORAGE EXTERNAL; -- it is compressed

ALTER TABLE imports
    ALTER content SET DEFAULT '',
    ADD sheets jsonb   NOT NULL DEFAULT '[]',
    ADD same   integer NOT NULL DEFAULT 0,
    ADD kept   boolean NOT NULL DEFAULT true,
    DROP CONSTRAINT imports_status_check,
    ADD CONSTRAINT imports_status_check CHECK (status IN ('checked', 'queued', 'running', 'done', 'undoing', 'undone', 'failed'));
UPDATE imports SET same = greatest(0, done - created - updated - bad);
CREATE INDEX imports_kept ON imports (created_at) WHERE kept;

-- What imports did to clients that were there, for 30 days: till then an import can be taken back.
CREATE TABLE import_changes (
    import_id bigint NOT NULL REFERENCES imports ON DELETE CASCADE,
    client_id bigint NOT NULL REFERENCES clients ON DELETE CASCADE,
    change    jsonb  NOT NULL,
    PRIMARY KEY (import_id, client_id)
);
CREATE INDEX import_changes_client ON import_changes (client_id);

-- Whom a list said to get no emails.
CREATE TABLE import_suppressions (
    import_id  bigint NOT NULL REFERENCES imports ON DELETE CASCADE,
    client_id  bigint NOT NULL REFERENCES clients ON DELETE CASCADE,
    reason     text   NOT NULL,
    was_reason text   NOT NULL,
    was_at     timestamptz,
    PRIMARY KEY (import_id, client_id)
);
CREATE INDEX import_suppressions_client ON import_suppressions (client_id);
