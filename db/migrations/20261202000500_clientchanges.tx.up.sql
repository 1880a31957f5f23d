-- Which clients changed in which transaction: what processes keep in memory of an owner's clients is brought up to date
-- from here, for what their snapshot has not seen (db/clientindex). A statement adds a row for each owner, so a batch of
-- an import costs one. What is older than an hour goes; a snapshot that is older than client_changes_since knows too little.
CREATE TABLE client_changes (
    owner_id   bigint      NOT NULL,
    xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at         timestamptz NOT NULL DEFAULT now(),
    client_ids bigint[]    NOT NULL
);
CREATE INDEX client_changes_owner ON client_changes (owner_id, xid);
CREATE INDEX client_changes_at ON client_changes (at);
CREATE TABLE client_changes_since (xid xid8 NOT NULL);
INSERT INTO client_changes_since VALUES ('0');

CREATE FUNCTION note_client_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'client_results' THEN
        INSERT INTO client_changes (owner_id, client_ids)
            SELECT owner_id, array_agg(id) FROM come JOIN clients ON clients.id = come.client_id GROUP BY 1;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO client_changes (owner_id, client_ids) SELECT owner_id, array_agg(id) FROM gone GROUP BY 1;
    ELSE
        INSERT INTO client_changes (owner_id, client_ids) SELECT owner_id, array_agg(id) FROM come GROUP BY 1;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER clients_come_noted AFTER INSERT ON clients REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION note_client_changes();
CREATE TRIGGER clients_moved_noted AFTER UPDATE ON clients REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION note_client_changes();
CREATE TRIGGER clients_gone_noted AFTER DELETE ON clients REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION note_client_changes();
CREATE TRIGGER client_results_come_noted AFTER INSERT ON client_results REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION note_client_changes();
CREATE TRIGGER client_results_moved_noted AFTER UPDATE ON client_results REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION note_client_changes();
