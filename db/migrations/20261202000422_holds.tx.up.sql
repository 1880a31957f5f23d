-- Emails that wait: for the hour in the client's own zone, and for room in the week of a client. The zones of a mailing are those of its
-- owner's clients where its hour comes first, see domain.Mailing. A delivery that waits has why in skipped, and until when in due_at;
-- runs count them in held.
ALTER TABLE fields DROP CONSTRAINT fields_type_check;
ALTER TABLE fields ADD CONSTRAINT fields_type_check CHECK (type IN ('text', 'number', 'date', 'yes_no', 'choice', 'timezone'));
ALTER TABLE mailings ADD zone_of_client boolean NOT NULL DEFAULT false, ADD zones text[] NOT NULL DEFAULT '{}', ADD important boolean NOT NULL DEFAULT false;
ALTER TABLE users ADD weekly_cap integer NOT NULL DEFAULT 0;
ALTER TABLE runs ADD held jsonb NOT NULL DEFAULT '{}';
ALTER TABLE deliveries ADD due_at timestamptz;
