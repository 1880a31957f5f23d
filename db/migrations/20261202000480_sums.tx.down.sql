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
DROP TABLE client_days;
ALTER TABLE clients DROP source;
DROP TRIGGER bounces_come ON bounces;
DROP TRIGGER bounces_gone ON bounces;
DROP TRIGGER unsubscribes_come ON unsubscribes;
DROP TRIGGER unsubscribes_gone ON unsubscribes;
DROP FUNCTION mark_runs();
DROP FUNCTION known_zone(text);
DROP TABLE sum_marks;
ALTER TABLE runs DROP summed, DROP sum_at;
DROP TABLE domain_days, mailing_days, run_event_sums, run_sums;
