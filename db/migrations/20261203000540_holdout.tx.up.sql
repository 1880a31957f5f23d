-- The random share of clients whom a mailing or series leaves out, and what counts as coming back: a tag, or a day in a field.
ALTER TABLE mailings ADD holdout_share smallint NOT NULL DEFAULT 0, ADD holdout_seed bytea, ADD holdout_tag text NOT NULL DEFAULT '',
    ADD holdout_field_id bigint REFERENCES fields ON DELETE SET NULL, ADD holdout_ended_at timestamptz, ADD holdout_result jsonb;
CREATE INDEX mailings_holdout ON mailings (owner_id) WHERE holdout_share > 0;
CREATE INDEX mailings_holdout_field ON mailings (holdout_field_id) WHERE holdout_field_id IS NOT NULL;

-- Who was to get such a mailing and who was left out, from the first planning on, and when the client came back. Keyed like
-- deliveries, without a foreign key as they are: a trigger and whoever deletes an owner delete these. They live for 400 days
-- after the last run; the sums stay (mailings.holdout_result). For 100 M clients 6.8 GB, and 3.2 GB of the key.
CREATE TABLE holdout_clients (
    mailing_id bigint      NOT NULL,
    client_id  bigint      NOT NULL,
    since      timestamptz NOT NULL DEFAULT now(),
    came_at    timestamptz,
    left_out   boolean     NOT NULL,
    PRIMARY KEY (mailing_id, client_id)
) WITH (fillfactor = 90);

-- Whoever gets the tag, or a day in the field that is not before the planning, has come back, by whichever way: forms,
-- lists, acts on many. Whoever loses it has not. What stood there before does not count.
CREATE FUNCTION note_came_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM mailings WHERE holdout_share > 0 AND owner_id IN (SELECT owner_id FROM gone)) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM holdout_clients AS h USING gone JOIN mailings AS m ON m.owner_id = gone.owner_id AND m.holdout_share > 0
        WHERE h.mailing_id = m.id AND h.client_id = gone.id;
        RETURN NULL;
    END IF;
    UPDATE holdout_clients AS h SET came_at = CASE WHEN has_tag(come.tags, m.holdout_tag) THEN now() END
    FROM come JOIN gone ON gone.id = come.id AND gone.tags IS DISTINCT FROM come.tags
        JOIN mailings AS m ON m.owner_id = come.owner_id AND m.holdout_share > 0 AND m.holdout_tag <> '' AND m.holdout_ended_at IS NULL
    WHERE h.mailing_id = m.id AND h.client_id = come.id AND has_tag(come.tags, m.holdout_tag) <> has_tag(gone.tags, m.holdout_tag);
    UPDATE holdout_clients AS h SET came_at = CASE WHEN come.fields ->> m.holdout_field_id::text >= to_char(h.since AT TIME ZONE owner.timezone, 'YYYY-MM-DD') THEN now() END
    FROM come JOIN gone ON gone.id = come.id AND gone.fields IS DISTINCT FROM come.fields
        JOIN users AS owner ON owner.id = come.owner_id
        JOIN mailings AS m ON m.owner_id = come.owner_id AND m.holdout_share > 0 AND m.holdout_field_id IS NOT NULL AND m.holdout_ended_at IS NULL
    WHERE h.mailing_id = m.id AND h.client_id = come.id
      AND come.fields ->> m.holdout_field_id::text IS DISTINCT FROM gone.fields ->> m.holdout_field_id::text;
    RETURN NULL;
END $$;
CREATE TRIGGER clients_came_back AFTER UPDATE ON clients REFERENCING OLD TABLE AS gone NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION note_came_back();
CREATE TRIGGER clients_gone_holdout AFTER DELETE ON clients REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION note_came_back();
