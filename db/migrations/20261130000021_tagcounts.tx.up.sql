-- Tag counts: how many clients of an owner have the same tags. db.Clients.MergeTagCounts makes one row of many.
-- The lock that the renaming takes lasts to the end, so no change of clients meets a function of the other name.
ALTER TABLE client_sets RENAME TO tag_counts;
ALTER INDEX client_sets_owner RENAME TO tag_counts_owner;
CREATE OR REPLACE FUNCTION count_clients() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO tag_counts SELECT owner_id, tags, suppressed_at IS NOT NULL, count(*) FROM come GROUP BY 1, 2, 3;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO tag_counts SELECT owner_id, tags, suppressed_at IS NOT NULL, -count(*) FROM gone GROUP BY 1, 2, 3;
    ELSE
        INSERT INTO tag_counts SELECT owner_id, tags, suppressed_at IS NOT NULL, sum(n)
            FROM (SELECT *, 1 AS n FROM come UNION ALL SELECT *, -1 FROM gone) AS moved GROUP BY 1, 2, 3 HAVING sum(n) <> 0;
    END IF;
    RETURN NULL;
END $$;
