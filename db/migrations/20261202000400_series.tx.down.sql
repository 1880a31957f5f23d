DROP TRIGGER consents_enter ON consents;
DROP TRIGGER clients_tagged ON clients;
DROP TRIGGER clients_enter ON clients;
DROP FUNCTION enter_series_by_form();
DROP FUNCTION enter_series();
DROP FUNCTION has_tag(text[], text);
DELETE FROM bulk_acts WHERE act = 'series';
ALTER TABLE bulk_acts DROP CONSTRAINT bulk_acts_act_check;
ALTER TABLE bulk_acts ADD CONSTRAINT bulk_acts_act_check CHECK (act IN ('tag', 'untag', 'delete', 'suppress'));
ALTER TABLE bulk_acts DROP COLUMN series_id;
ALTER TABLE runs DROP COLUMN step_id;
DROP TABLE series_clients;
DROP TABLE series_steps;
DROP TABLE series;
-- Their emails stay on record, as those of deleted mailings do.
UPDATE mailings SET deleted_at = coalesce(deleted_at, now()) WHERE kind = 'series';
UPDATE runs SET status = 'stopping', end_outcome = 'cancelled', reason = 'deleted', resume_at = NULL
    FROM mailings WHERE mailings.id = runs.mailing_id AND kind = 'series' AND runs.status IN ('running', 'paused');
DROP INDEX mailings_series;
ALTER TABLE mailings DROP COLUMN kind;
