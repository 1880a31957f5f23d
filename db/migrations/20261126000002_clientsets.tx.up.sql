-- How many clients of an owner have the same tags and are suppressed or not: the sum of clients.
-- Whoever changes clients adds a row and waits for nobody; db.MergeClientSets makes one of many.
CREATE TABLE client_sets (
    owner_id   bigint  NOT NULL,
    tags       text[]  NOT NULL,
    suppressed boolean NOT NULL,
    clients    bigint  NOT NULL
);
CREATE INDEX client_sets_owner ON client_sets (owner_id, tags, suppressed) INCLUDE (clients);

CREATE FUNCTION count_clients() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO client_sets SELECT owner_id, tags, suppressed_at IS NOT NULL, count(*) FROM come GROUP BY 1, 2, 3;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO client_sets SELECT owner_id, tags, suppressed_at IS NOT NULL, -count(*) FROM gone GROUP BY 1, 2, 3;
    ELSE
        INSERT INTO client_sets SELECT owner_id, tags, suppressed_at IS NOT NULL, sum(n)
            FROM (SELECT *, 1 AS n FROM come UNION ALL SELECT *, -1 FROM gone) AS moved GROUP BY 1, 2, 3 HAVING sum(n) <> 0;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER clients_come AFTER INSERT ON clients REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION count_clients();
CREATE TRIGGER clients_gone AFTER DELETE ON clients REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION count_clients();
CREATE TRIGGER clients_moved AFTER UPDATE ON clients REFERENCING OLD TABLE AS gone NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION count_clients();

-- From here on the triggers hold the table, so nobody is counted twice or not at all.
INSERT INTO client_sets SELECT owner_id, tags, suppressed_at IS NOT NULL, count(*) FROM clients GROUP BY 1, 2, 3;
