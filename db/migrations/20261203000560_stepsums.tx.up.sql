-- What came of the emails of each step of a series: the sums of its runs, added to as a run is summed. One row a step,
-- kept as long as the series. A trigger keeps them, so that a version that knows no steps does as well.
CREATE TABLE step_sums (
    step_id      bigint PRIMARY KEY, -- the step may be gone
    series_id    bigint NOT NULL REFERENCES series ON DELETE CASCADE,
    accepted     bigint NOT NULL DEFAULT 0,
    opened       bigint NOT NULL DEFAULT 0,
    clicked      bigint NOT NULL DEFAULT 0,
    unsubscribed bigint NOT NULL DEFAULT 0
);
CREATE INDEX step_sums_series ON step_sums (series_id);
CREATE FUNCTION sum_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign bigint := CASE TG_OP WHEN 'DELETE' THEN -1 ELSE 1 END;
BEGIN
    IF TG_TABLE_NAME = 'run_sums' THEN
        INSERT INTO step_sums AS known (step_id, series_id, accepted)
        SELECT run.step_id, run.mailing_id, sign * sum(moved.accepted) FROM moved JOIN runs AS run ON run.id = moved.run_id
            JOIN series ON series.id = run.mailing_id WHERE run.step_id IS NOT NULL GROUP BY 1, 2
        ON CONFLICT (step_id) DO UPDATE SET accepted = known.accepted + excluded.accepted;
    ELSE
        INSERT INTO step_sums AS known (step_id, series_id, opened, clicked, unsubscribed)
        SELECT run.step_id, run.mailing_id, sign * sum(moved.opened), sign * sum(moved.clicked), sign * sum(moved.unsubscribed)
            FROM moved JOIN runs AS run ON run.id = moved.run_id
            JOIN series ON series.id = run.mailing_id WHERE run.step_id IS NOT NULL GROUP BY 1, 2
        ON CONFLICT (step_id) DO UPDATE SET opened = known.opened + excluded.opened, clicked = known.clicked + excluded.clicked,
            unsubscribed = known.unsubscribed + excluded.unsubscribed;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER run_sums_come AFTER INSERT ON run_sums REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION sum_steps();
CREATE TRIGGER run_sums_gone AFTER DELETE ON run_sums REFERENCING OLD TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION sum_steps();
CREATE TRIGGER run_event_sums_come AFTER INSERT ON run_event_sums REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION sum_steps();
CREATE TRIGGER run_event_sums_gone AFTER DELETE ON run_event_sums REFERENCING OLD TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION sum_steps();
INSERT INTO step_sums (step_id, series_id, accepted, opened, clicked, unsubscribed)
SELECT run.step_id, run.mailing_id, sum(sent.accepted), sum(came.opened), sum(came.clicked), sum(came.unsubscribed)
FROM runs AS run JOIN series ON series.id = run.mailing_id,
    LATERAL (SELECT coalesce(sum(accepted), 0) AS accepted FROM run_sums WHERE run_id = run.id) AS sent,
    LATERAL (SELECT coalesce(sum(opened), 0) AS opened, coalesce(sum(clicked), 0) AS clicked, coalesce(sum(unsubscribed), 0) AS unsubscribed
        FROM run_event_sums WHERE run_id = run.id) AS came
WHERE run.step_id IS NOT NULL GROUP BY 1, 2;

-- Who writes visits down marks the run when clients came for the first time. These marked it at each visit and, worse,
-- when old visits were deleted: then the run was summed again without them.
DROP TRIGGER readers_come ON run_readers;
DROP TRIGGER readers_change ON run_readers;
