-- Mailings of several messages in turn: message_id is the one of the next run. issues counts the runs that were made; a run has its
-- number and its message.
ALTER TABLE mailings ADD message_ids bigint[] NOT NULL DEFAULT '{}', ADD rotation_stops boolean NOT NULL DEFAULT false, ADD rotation_from integer NOT NULL DEFAULT 0, ADD issues integer NOT NULL DEFAULT 0;
ALTER TABLE runs ADD message_id bigint, ADD issue integer NOT NULL DEFAULT 0;
UPDATE mailings SET issues = made.runs FROM (SELECT mailing_id, count(*) AS runs FROM runs WHERE status <> 'missed' AND reason <> 'recalled' GROUP BY mailing_id) AS made
WHERE made.mailing_id = mailings.id;
