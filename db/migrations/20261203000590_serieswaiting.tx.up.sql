-- How many clients wait for each step of a series, by quarters of an hour (the epoch stays the epoch), so that no page counts
-- them one by one. db/series.MergeWaiting makes one row of many. Without a reference to series, because deleting one takes its
-- clients along, and each of these deletions adds rows. A row takes 0.1 kB; there are as many as steps have quarters in which
-- somebody waits, whether one client does or 100 M.
CREATE TABLE series_waiting (
    series_id bigint      NOT NULL,
    step_id   bigint      NOT NULL,
    due_at    timestamptz NOT NULL,
    clients   bigint      NOT NULL
);
CREATE INDEX series_waiting_series ON series_waiting (series_id);

CREATE FUNCTION count_waiting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO series_waiting SELECT series_id, next_step_id, date_bin('15 minutes', due_at, 'epoch'), count(*)
            FROM come WHERE due_at IS NOT NULL GROUP BY 1, 2, 3;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO series_waiting SELECT series_id, next_step_id, date_bin('15 minutes', due_at, 'epoch'), -count(*)
            FROM gone WHERE due_at IS NOT NULL GROUP BY 1, 2, 3;
    ELSE
        INSERT INTO series_waiting SELECT series_id, next_step_id, date_bin('15 minutes', due_at, 'epoch'), sum(n)
            FROM (SELECT series_id, next_step_id, due_at, 1 AS n FROM come UNION ALL SELECT series_id, next_step_id, due_at, -1 FROM gone) AS moved
            WHERE due_at IS NOT NULL GROUP BY 1, 2, 3 HAVING sum(n) <> 0;
    END IF;
    RETURN NULL;
END $$;
-- The lock that these take lasts to the end, so nobody is counted twice or not at all.
CREATE TRIGGER series_clients_come AFTER INSERT ON series_clients REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION count_waiting();
CREATE TRIGGER series_clients_gone AFTER DELETE ON series_clients REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION count_waiting();
CREATE TRIGGER series_clients_moved AFTER UPDATE ON series_clients REFERENCING OLD TABLE AS gone NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION count_waiting();
INSERT INTO series_waiting SELECT series_id, next_step_id, date_bin('15 minutes', due_at, 'epoch'), count(*)
    FROM series_clients WHERE due_at IS NOT NULL GROUP BY 1, 2, 3;
