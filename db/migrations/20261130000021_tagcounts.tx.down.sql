ALTER INDEX tag_counts_owner RENAME TO client_sets_owner;
ALTER TABLE tag_counts RENAME TO client_sets;
CREATE OR REPLACE FUNCTION count_clients() RETURNS trigger LANGUAGE plpgsql AS $$
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
