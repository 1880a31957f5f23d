-- The days on which a mailing goes out, see domain.Days.
ALTER TABLE mailings ADD weekdays text[] NOT NULL DEFAULT '{}', ADD skip_holidays text NOT NULL DEFAULT '';
